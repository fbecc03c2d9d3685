// @ts-check
/** What is said while the button is held or tapped, or to a page that listens, becomes sentences. */

import { Cutter } from "./cutter.js";
import { Microphone } from "./microphone.js";
import { joined } from "./stream.js";

const TAP_MS = 250; // a shorter press starts, and the next one ends
const AFTER_MS = 150; // still heard after the button was let go
const BEFORE_FRAMES = 10; // of 20 ms, from before it was pressed
const LEAST_SAMPLES = 16 * 300;
const MOST_MS = 60_000; // then it is sent in parts
const MOST_PARTS = 5; // then somebody has forgotten it
const IDLE_MS = 30_000; // then the microphone is let go

/** @typedef {"idle" | "asking" | "holding" | "tapped" | "ending" | "listening"} Phase */

export class Talking {
  /** @type {Phase} */ phase = "idle";
  automatic = false;
  isHearing = false;
  #microphone;
  #cutter;
  /** @type {Int16Array[]} */ #before = [];
  /** @type {Int16Array[]} */ #frames = [];
  #pressedAt = 0;
  #timer = 0;
  #on;

  /**
   * @param {AudioContext} context
   * @param {object} on
   * @param {(samples: Int16Array) => void} on.sentence
   * @param {() => import("./cutter.js").Sink | null} on.stream where a sentence goes while it is spoken,
   *   unless it is to be sent whole
   * @param {() => void} on.change of the phase, or of whether speech is heard
   * @param {(level: number) => void} on.level
   * @param {(why: string) => void} on.fault `tooShort`, or `mic_` and why there is no microphone
   * @param {() => boolean} on.deaf whether to listen to nothing now: an answer is being played
   */
  constructor(context, on) {
    this.#on = on;
    this.#microphone = new Microphone(
      context,
      (samples, level) => this.#frame(samples, level),
      () => {
        this.stop();
        on.fault("mic_lost");
      },
    );
    this.#cutter = new Cutter({
      onSentence: on.sentence,
      stream: on.stream,
      onChange: (hearing) => {
        this.isHearing = hearing;
        on.change();
      },
    });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden && this.phase === "idle") this.#microphone.close();
    });
  }

  /** Whether somebody speaks now. */
  get isSpeaking() {
    return this.isHearing || ["holding", "tapped", "ending"].includes(this.phase);
  }

  /** The button goes down. */
  async press() {
    if (this.phase === "tapped") return this.#end();
    if (this.phase === "listening") return this.stop();
    const goesOn = this.phase === "ending" && !this.automatic;
    if (this.phase !== "idle" && !goesOn) return;
    this.#pressedAt = performance.now();
    if (goesOn) return this.#hold();
    if (!this.#microphone.isOpen) {
      this.#become("asking");
      try {
        await this.#microphone.open();
      } catch (error) {
        this.#become("idle");
        this.#on.fault(`mic_${/** @type {Error} */ (error).message}`);
        return;
      }
      if (this.#isIdle()) return this.#rest(); // let go while the browser asked
    }
    clearTimeout(this.#timer);
    this.#frames = this.#before;
    this.#before = [];
    if (this.automatic) this.#become("listening");
    else this.#hold();
  }

  #hold() {
    this.#limit();
    this.#become("holding");
  }

  #limit(parts = MOST_PARTS) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (parts === 1) return this.#end();
      this.#limit(parts - 1);
      this.#say();
    }, MOST_MS);
  }

  #isIdle() {
    return this.phase === "idle";
  }

  /** The button goes up. */
  release() {
    if (this.phase === "asking" && !this.automatic) this.#become("idle");
    if (this.phase !== "holding") return;
    if (performance.now() - this.#pressedAt < TAP_MS) this.#become("tapped");
    else this.#end();
  }

  /** Listens no more; what was begun is still sent. */
  stop() {
    if (this.phase === "listening") this.#cutter.flush();
    if (this.phase === "holding" || this.phase === "tapped") return this.#end();
    this.#rest();
  }

  #end() {
    clearTimeout(this.#timer);
    this.#become("ending");
    this.#timer = setTimeout(() => {
      this.#say();
      this.#rest();
    }, AFTER_MS);
  }

  #say() {
    const samples = joined(this.#frames);
    this.#frames = [];
    if (samples.length < LEAST_SAMPLES) this.#on.fault("tooShort");
    else this.#on.sentence(samples);
  }

  #rest() {
    this.#frames = [];
    this.#on.level(0);
    this.#become("idle");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#microphone.close(), IDLE_MS);
  }

  #frame(samples, level) {
    switch (this.phase) {
      case "holding":
      case "tapped":
      case "ending":
        this.#frames.push(samples);
        break;
      case "listening":
        if (!this.#on.deaf()) this.#cutter.push(samples, level);
        break;
      default:
        this.#before = [...this.#before.slice(1 - BEFORE_FRAMES), samples];
        return;
    }
    this.#on.level(this.phase === "listening" && this.#on.deaf() ? 0 : level);
  }

  /** @param {Phase} phase */
  #become(phase) {
    this.phase = phase;
    this.#on.change();
  }
}
