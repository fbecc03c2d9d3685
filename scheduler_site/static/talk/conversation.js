// @ts-check
/** What is said, on its way to the service and back onto the page. */

import { Sentence, speechOf } from "./sentence.js";
import { words } from "./words.js";

/** @typedef {import("./outcome.js").Outcome} Outcome */
/** @typedef {import("./session.js").Session} Session */
/** @typedef {(session: Session, wish: object) => {index: number, outcome: Promise<Outcome>}} Send */

const MOST_SENTENCES = 200; // on the page; each keeps its sound
const OVER = { ok: false, reason: "closed", code: "SESSION_CLOSED", message: "" };

export class Conversation {
  /** @type {Map<number, Sentence>} those that the present session knows, by index */
  #sentences = new Map();
  /** @type {Session | null} */ #session = null;
  #list;
  #player;
  #on;

  /**
   * @param {HTMLElement} list @param {import("./player.js").Player} player
   * @param {object} on
   * @param {() => {src: string, tgt: string, speech: boolean}} on.wish what is chosen now
   * @param {(code: string) => string} on.advice
   * @param {(text: string) => void} on.announce to who can't see it
   * @param {() => void} on.change something is played, or no more
   */
  constructor(list, player, on) {
    this.#list = list;
    this.#player = player;
    this.#on = on;
  }

  /** From now on sentences go to this session. @param {Session} session */
  use(session) {
    const of = (index) => this.#sentences.get(index);
    this.#session = session;
    this.#sentences.clear();
    session.on("begun", ({ index, outcome, src, tgt }) => {
      this.#follow(index, outcome, new Sentence("…", src, tgt, () => {}));
    });
    session.on("sent", ({ index, samples }) => {
      if (samples) this.#spoken(index, samples);
      of(index)?.sent();
    });
    session.on("step", (step) => of(step.utterance_index)?.timeline.step(step));
    session.on("partial", ({ index, text }) => of(index)?.partial(text));
    session.on("outcome", (outcome) => {
      const sentence = of(outcome.index);
      if (sentence && outcome.ok && outcome.late) this.#answered(sentence, outcome);
    });
  }

  /**
   * Sends a sentence and shows what becomes of it. Throws RangeError for one that is too long.
   * @param {string} text what is shown until something is heard @param {Send} send
   */
  say(text, send) {
    const wish = this.#on.wish();
    const { index, outcome } = send(/** @type {Session} */ (this.#session), wish);
    this.#follow(index, outcome, new Sentence(text, wish.src, wish.tgt, () => this.say(text, send)));
  }

  #spoken(index, samples) {
    const again = () => this.say(text, (session, wish) => session.say(samples, wish));
    const text = speechOf(samples.length);
    this.#sentences.get(index)?.spoken(text, again);
  }

  #follow(index, outcome, sentence) {
    this.#sentences.set(index, sentence);
    this.#list.append(sentence.element);
    if (this.#list.children.length > MOST_SENTENCES) this.#list.firstElementChild?.remove();
    this.#sentences.delete(index - MOST_SENTENCES);
    showEnd(sentence);
    outcome
      .catch(() => OVER)
      .then((found) => (found.ok ? this.#answered(sentence, found) : this.#failed(sentence, found)));
  }

  /** In the page's present language. */
  show() {
    for (const sentence of this.#sentences.values()) sentence.show();
  }

  #answered(sentence, answer) {
    const play = () => this.#play(sentence, answer);
    sentence.answered(answer, () => (sentence.isPlaying ? this.#player.skip() : play()));
    if (answer.audio.length && this.#on.wish().speech) play();
    this.#on.announce(words("announced", { heard: sentence.heard, said: answer.text }));
    showEnd(sentence);
  }

  #failed(sentence, missing) {
    sentence.failed(missing, this.#on.advice);
    this.#on.announce(words(`failed_${missing.reason}`));
    showEnd(sentence);
  }

  #play(sentence, answer) {
    const tell = (isPlaying) => {
      sentence.playing(isPlaying);
      if (isPlaying) this.#session?.playing(answer);
      else this.#session?.played(answer);
      this.#on.change();
    };
    this.#player.add(answer, () => tell(true), () => tell(false));
  }
}

function showEnd(sentence) {
  sentence.element.scrollIntoView({ block: "end", behavior: "smooth" });
}
