// @ts-check
/** Cuts what a microphone hears into sentences, at the pauses. */

import { joined } from "./stream.js";

const FRAME_MS = 20;
const BEFORE_MS = 300; // kept from before the first sound
const SOUND_MS = 80; // so much sound begins a sentence
const LEAST_MS = 200; // less sound is a click
const QUIETEST = 0.006; // a level under this is never speech
const LOUDEST = 0.06; // one over this always is
const ABOVE_NOISE = 3;
// How fast, a frame, the level of the noise follows what is quieter, a louder room, and speech.
const [FALLS, RISES, RISES_IN_SPEECH] = [0.2, 0.01, 0.0007];
const [RISES_FIRST, FIRST_MS] = [0.3, 200]; // what is heard at once is the room

/** @typedef {{push: (samples: Int16Array) => void, end: () => void}} Sink */

export class Cutter {
  /** @type {Int16Array[]} */ #frames = [];
  /** @type {Sink | null | undefined} */ #sink;
  #speaking = false;
  #sound = 0;
  #quiet = 0;
  #heard = 0;
  #noise = QUIETEST / ABOVE_NOISE;
  #options;

  /**
   * @param {object} options
   * @param {(samples: Int16Array) => void} options.onSentence
   * @param {() => Sink | null} [options.stream] asked once a sentence: where its sound goes while it
   *   is spoken; such a sentence may have any length
   * @param {(speaking: boolean) => void} [options.onChange]
   * @param {number} [options.pauseMs] a pause of this length ends a sentence
   * @param {number} [options.mostMs] longer ones are cut
   */
  constructor({ onSentence, stream = () => null, onChange = () => {}, pauseMs = 700, mostMs = 10_000 }) {
    this.#options = { onSentence, stream, onChange, pauseMs, mostMs };
  }

  /** @param {Int16Array} samples 20 ms at 16 kHz @param {number} level root mean square */
  push(samples, level) {
    const isSound = this.#isSound(level);
    this.#frames.push(samples);
    this.#sound += isSound ? FRAME_MS : 0;
    this.#quiet = isSound ? 0 : this.#quiet + FRAME_MS;
    if (!this.#speaking) this.#listen();
    else this.#tell();
    if (!this.#speaking) return;
    if (this.#quiet >= this.#options.pauseMs || this.#length >= this.#options.mostMs) {
      this.flush();
    }
  }

  /** Ends the sentence that is being spoken. */
  flush() {
    const [frames, sink] = [this.#frames, this.#sink];
    const isSpeech = this.#speaking && this.#sound >= LEAST_MS;
    this.#frames = [];
    this.#sink = undefined;
    this.#sound = 0;
    if (this.#speaking) this.#options.onChange((this.#speaking = false));
    if (sink) {
      sink.push(joined(frames));
      sink.end();
    } else if (isSpeech) this.#options.onSentence(joined(frames));
  }

  #tell() {
    if (this.#sound < LEAST_MS) return;
    if (this.#sink === undefined) this.#sink = this.#options.stream();
    if (!this.#sink) return;
    this.#sink.push(joined(this.#frames));
    this.#frames = [];
  }

  get #length() {
    return this.#frames.length * FRAME_MS;
  }

  #listen() {
    if (this.#sound >= SOUND_MS) {
      this.#options.onChange((this.#speaking = true));
      return;
    }
    if (this.#quiet >= BEFORE_MS / 2) this.#sound = 0;
    while (this.#length > BEFORE_MS + this.#sound) this.#frames.shift();
  }

  #isSound(level) {
    const isFirst = (this.#heard += FRAME_MS) <= FIRST_MS;
    const rises = isFirst ? RISES_FIRST : this.#speaking ? RISES_IN_SPEECH : RISES;
    this.#noise += (level < this.#noise ? FALLS : rises) * (level - this.#noise);
    return level > Math.min(LOUDEST, Math.max(QUIETEST, ABOVE_NOISE * this.#noise));
  }
}
