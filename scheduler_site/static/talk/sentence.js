// @ts-check
/** A sentence on the page, with its translation, its time line and what went wrong. */

import { Timeline } from "./timeline.js";
import { tongue, words } from "./words.js";

/** @typedef {import("./outcome.js").Outcome} Outcome */

export class Sentence {
  element = document.createElement("li");
  timeline = new Timeline();
  #heard = paragraph("heard");
  #said = paragraph("said");
  #trouble = paragraph("trouble");
  #buttons = document.createElement("div");
  #redraw = () => {};
  #retry;

  /**
   * @param {string} text what is known of it already @param {string} src @param {string} tgt
   * @param {() => void} onRetry
   */
  constructor(text, src, tgt, onRetry) {
    this.#retry = onRetry;
    this.element.className = "sentence";
    this.element.dataset.state = "waiting";
    this.#buttons.className = "buttons";
    this.#heard.textContent = text;
    this.#heard.lang = src === "auto" ? "" : src;
    this.#said.lang = tgt;
    this.#trouble.hidden = true;
    this.element.append(this.#heard, this.#said, this.#trouble, this.#buttons, this.timeline.element);
  }

  get heard() {
    return this.#heard.textContent ?? "";
  }

  get isPlaying() {
    return this.element.hasAttribute("data-playing");
  }

  /** @param {string} text recognised so far */
  partial(text) {
    this.#heard.textContent = text;
    this.#heard.classList.add("partial");
  }

  /** It was heard while it was spoken, and that is over. @param {string} text @param {() => void} onRetry */
  spoken(text, onRetry) {
    this.#heard.textContent = text;
    this.#retry = onRetry;
  }

  sent() {
    this.element.dataset.state = "sent";
    this.timeline.sent();
  }

  /** @param {import("./outcome.js").Answer} answer @param {() => void} onPlay */
  answered(answer, onPlay) {
    this.element.dataset.state = "answered";
    this.#heard.classList.remove("partial");
    if (answer.heard) this.#heard.textContent = answer.heard;
    this.#said.textContent = answer.text;
    this.#trouble.hidden = true;
    this.timeline.answered(answer.frame);
    const played = answer.audio.length > 0;
    this.#draw(() => (played ? [button("again", "play", onPlay)] : []));
  }

  /** @param {boolean} now whether its answer is being played */
  playing(now) {
    this.element.toggleAttribute("data-playing", now);
    if (now) this.timeline.spoken();
    else this.timeline.finish();
  }

  /**
   * @param {{reason: string, code: string, message: string}} missing
   * @param {(code: string) => string} adviceOf
   */
  failed({ reason, code, message }, adviceOf) {
    const silent = reason === "silence_detected";
    this.element.dataset.state = silent ? "silent" : "failed";
    this.timeline.finish();
    this.#trouble.hidden = false;
    this.#draw(() => {
      const advice = adviceOf(code || (silent ? "NO_RESULT" : ""));
      const detail = message && message !== advice && tongue === "en" ? sentence(message) : "";
      this.#trouble.replaceChildren(
        Object.assign(document.createElement("strong"), { textContent: words(`failed_${reason}`) }),
        ` ${[detail, advice].filter(Boolean).join(" ")} `,
        Object.assign(document.createElement("code"), { textContent: silent ? "" : code }),
      );
      return reason === "gap_timeout" ? [] : [button("retry", "retry", this.#retry)];
    });
  }

  /** In the page's present language. */
  show() {
    this.timeline.show();
    this.#redraw();
  }

  #draw(make) {
    this.#redraw = () => this.#buttons.replaceChildren(...make());
    this.#redraw();
  }
}

/** What a sentence says before anything is heard of it. @param {number} samples at 16 kHz */
export function speechOf(samples) {
  return words("speech", { seconds: (samples / 16000).toFixed(1) });
}

/** With a capital letter and a full stop. */
function sentence(text) {
  const ended = /[.!?]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`;
  return ended.charAt(0).toUpperCase() + ended.slice(1);
}

function paragraph(name) {
  const element = document.createElement("p");
  element.className = name;
  element.dir = "auto";
  return element;
}

function playIcon() {
  const space = "http://www.w3.org/2000/svg";
  const icon = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  path.setAttribute("d", "M4 10v4h4l5 4V6L8 10H4Zm12-1a4 4 0 0 1 0 6m2.5-8.5a8 8 0 0 1 0 11");
  icon.append(path);
  return icon;
}

function button(key, kind, onClick) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = kind === "play" ? "plain play" : "small";
  if (kind === "play") element.append(playIcon());
  else element.textContent = words(key);
  element.setAttribute("aria-label", words(key));
  element.title = words(key);
  element.addEventListener("click", onClick);
  return element;
}
