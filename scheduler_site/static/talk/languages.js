// @ts-check
/** The two lists of languages: what nodes offer now, and why the rest can't be chosen. */

import { nameOf, words } from "./words.js";

const LOOK_MS = 5000;
const LOOK_SOON_MS = 1000; // while nothing can be translated, a node may come any moment
const KEPT_AS = "parley.languages";

/** @type {Choice & {name: string}} stands in an empty list */
const NOTHING = { lang: "", name: "–", state: "none" };

/**
 * @typedef {object} Choice
 * @property {string} lang
 * @property {"ready" | "busy" | "away" | "none"} state
 * @property {string} [reason]
 * @property {boolean} [spoken]
 * @property {boolean} [typed]
 */

export class Languages {
  /** @type {{authentication: boolean, from: string, sources: Choice[], targets: Choice[]} | null} */ #offer = null;
  #timer = 0;
  #turn = 0;
  #address;
  #from;
  #to;
  #onChange;

  /**
   * @param {string} address @param {HTMLSelectElement} from @param {HTMLSelectElement} to
   * @param {() => void} onChange what is chosen, or how it stands, has changed
   */
  constructor(address, from, to, onChange) {
    this.#address = address;
    this.#from = from;
    this.#to = to;
    this.#onChange = onChange;
    from.addEventListener("change", () => this.look());
    to.addEventListener("change", () => this.#changed());
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
    [this.#wantedFrom, this.#wantedTo] = remembered();
  }

  #wantedFrom;
  #wantedTo;

  get from() {
    return this.#from.value || this.#wantedFrom;
  }

  get to() {
    return this.#to.value || this.#wantedTo;
  }

  /** How it stands with what is chosen; undefined before the service has answered.
   * @returns {Choice | undefined} */
  get choice() {
    return this.#offer?.targets.find(({ lang }) => lang === this.to);
  }

  /** Whether the service has answered at all. */
  get isKnown() {
    return this.#offer !== null;
  }

  /** Whether anything at all can be translated, now or later. */
  get hasNodes() {
    return this.#offer?.sources.some(({ state }) => state !== "none") ?? false;
  }

  get wantsToken() {
    return this.#offer?.authentication ?? false;
  }

  /** Asks the service now, and after a while once more. @param {boolean} [again] for another source */
  async look(again = false) {
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    let offer = null;
    try {
      const address = `${this.#address}?from=${encodeURIComponent(this.from)}`;
      const answer = await fetch(address, { signal: AbortSignal.timeout(LOOK_MS) });
      if (answer.ok) offer = await answer.json();
    } catch {
      // As good as no answer.
    }
    if (turn !== this.#turn) return;
    this.#offer = offer;
    this.show();
    if (offer && offer.from !== this.from && !again) return this.look(true);
    const pause = this.choice?.state === "ready" ? LOOK_MS : LOOK_SOON_MS;
    if (!document.hidden) this.#timer = setTimeout(() => this.look(), pause);
  }

  /** Fills the lists, also in another language of the page. */
  show() {
    if (this.#offer) {
      fill(this.#from, this.#offer.sources, this.from, "");
      fill(this.#to, this.#offer.targets, this.to, this.from);
    }
    this.#changed();
  }

  /** Whether what is translated into may also be spoken. */
  get canSwap() {
    const back = this.#offer?.sources.find(({ lang }) => lang === this.to);
    return this.from !== "auto" && back !== undefined && back.state !== "none";
  }

  swap() {
    const [from, to] = [this.from, this.to];
    if (!this.canSwap) return;
    this.#from.value = to;
    this.#wantedTo = from;
    this.#to.value = "";
    this.look();
  }

  #changed() {
    if (this.#to.value) this.#wantedTo = this.#to.value;
    if (this.#from.value) this.#wantedFrom = this.#from.value;
    remember(this.#wantedFrom, this.#wantedTo);
    this.#onChange();
  }
}

/** @param {HTMLSelectElement} select @param {Choice[]} choices */
function fill(select, choices, chosen, from) {
  const sorted = choices
    .map((choice) => ({ ...choice, name: nameOf(choice.lang) }))
    .sort((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name));
  const options = (sorted.length ? sorted : [NOTHING]).map((choice) => {
    const option = new Option(choice.name + noteOf(choice, from), choice.lang);
    option.disabled = choice.state === "none";
    return option;
  });
  const before = [...select.options].map(({ text, value, disabled }) => [text, value, disabled]);
  const now = options.map(({ text, value, disabled }) => [text, value, disabled]);
  if (JSON.stringify(before) !== JSON.stringify(now)) select.replaceChildren(...options);
  const possible = options.filter(({ disabled }) => !disabled);
  const shown = possible.length ? possible : options; // one that can't be chosen says why
  select.value = (shown.find(({ value }) => value === chosen) ?? shown[0]).value;
}

function rank({ lang, state }) {
  return state === "none" ? 2 : lang === "auto" ? 1 : 0;
}

/** @param {Choice} choice @param {string} from */
function noteOf({ lang, state, reason }, from) {
  if (state === "ready" || !lang) return "";
  const why = words(`reason_${reason}`, { from: nameOf(from || "auto") });
  return ` – ${state === "busy" ? words("state_busy") : why || words("reason_none")}`;
}

function remembered() {
  try {
    const [from, to] = JSON.parse(localStorage.getItem(KEPT_AS) ?? "");
    return [String(from), String(to)];
  } catch {
    const own = navigator.language.split("-")[0];
    return [own, own === "en" ? "es" : "en"];
  }
}

function remember(from, to) {
  try {
    localStorage.setItem(KEPT_AS, JSON.stringify([from, to]));
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}
