// @ts-check
/** When a sentence came how far, in milliseconds since it was sent. */

import { words } from "./words.js";

const STEPS = ["sent", "placed", "recognised", "translated", "spoken"];

export class Timeline {
  element = document.createElement("ol");
  /** @type {Map<string, number>} */ #at = new Map();
  #began = 0;
  #node = "";
  #done = false;

  constructor() {
    this.element.className = "steps";
    this.show();
  }

  /** It was sent, perhaps again: what came before does not count. */
  sent() {
    this.#began = performance.now();
    this.#at.clear();
    this.#mark("sent");
  }

  /** @param {{event: string, hint?: string}} step */
  step({ event, hint }) {
    if (event === "DISPATCHED" || event === "NODE_ACCEPTED") {
      this.#node = hint ?? this.#node;
      this.#mark("placed");
    }
    if (event === "ASR_FINAL") this.#mark("recognised");
  }

  /** What the node says of its own times fills in what no event told. @param {any} frame */
  answered(frame) {
    const { nmt_ms = 0, tts_ms = 0 } = frame.service_timings ?? frame.extra?.service_timings ?? {};
    const now = performance.now() - this.#began;
    const placed = this.#at.get("placed") ?? 0;
    if (frame.text_asr && !this.#at.has("recognised")) {
      this.#at.set("recognised", Math.max(placed, now - nmt_ms - tts_ms));
    }
    this.#at.set("translated", Math.max(this.#at.get("recognised") ?? placed, now - tts_ms));
    this.finish(Boolean(frame.tts_audio));
  }

  /** Nothing more is to come but, perhaps, that it is spoken. */
  finish(toBeSpoken = false) {
    this.#done = !toBeSpoken;
    this.show();
  }

  spoken() {
    this.#done = true;
    this.#mark("spoken");
  }

  show() {
    this.element.setAttribute("aria-label", words("steps"));
    this.element.replaceChildren(...STEPS.map((step) => this.#item(step)));
  }

  #mark(step) {
    if (!this.#at.has(step)) this.#at.set(step, performance.now() - this.#began);
    this.show();
  }

  #item(step) {
    const item = document.createElement("li");
    const at = this.#at.get(step);
    item.dataset.step = step;
    item.classList.toggle("reached", at !== undefined);
    item.classList.toggle("left-out", at === undefined && this.#done);
    const name = document.createElement("span");
    const onNode = step === "placed" && this.#node;
    name.textContent = onNode ? words("step_placedOn", { node: this.#node }) : words(`step_${step}`);
    name.title = onNode ? this.#node : "";
    const time = document.createElement("b");
    time.textContent = at === undefined ? "–" : `${Math.round(at)} ms`;
    item.append(name, time);
    return item;
  }
}
