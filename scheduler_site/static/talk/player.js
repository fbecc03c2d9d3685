// @ts-check
/** Plays spoken answers, one after the other. */

import { oggOfPackets } from "./ogg.js";
import { SAMPLE_RATE } from "./session.js";

/** @typedef {import("./outcome.js").Answer} Answer */

const WAKE_MS = 1000; // some phones never answer

export class Player {
  #context;
  /** @type {{answer: Answer, onStart: Function, onEnd: Function}[]} */ #waiting = [];
  /** @type {AudioBufferSourceNode | null} */ #source = null;
  #busy = false;
  #release = () => {};
  /** @type {Promise<void> | null} */ #held = null;

  /** @param {AudioContext} context */
  constructor(context) {
    this.#context = context;
  }

  /** Whether something is played, or about to be. */
  get isPlaying() {
    return this.#busy && !this.#held;
  }

  /** Begins to play nothing new meanwhile: somebody speaks. @param {boolean} now */
  hold(now) {
    if (now) this.#held ??= new Promise((release) => (this.#release = release));
    else {
      this.#held = null;
      this.#release();
    }
  }

  /** @param {Answer} answer @param {Function} onStart @param {Function} onEnd also without sound */
  add(answer, onStart, onEnd) {
    this.#waiting.push({ answer, onStart, onEnd });
    if (!this.#busy) this.#playAll();
  }

  /** Ends what is played now. */
  skip() {
    this.#source?.stop();
  }

  /** Ends what is played now and leaves out what waits. */
  stop() {
    this.#waiting = [];
    this.skip();
  }

  async #playAll() {
    this.#busy = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      try {
        const buffer = await decode(this.#context, next.answer);
        while (this.#held) await this.#held;
        await this.#play(buffer, next.onStart);
      } catch (error) {
        console.warn("an answer could not be played", error);
      }
      next.onEnd();
    }
    this.#busy = false;
  }

  async #play(buffer, onStart) {
    await Promise.race([this.#context.resume(), new Promise((over) => setTimeout(over, WAKE_MS))]);
    if (this.#context.state !== "running") throw new Error("the browser plays nothing now");
    const source = (this.#source = this.#context.createBufferSource());
    source.buffer = buffer;
    source.connect(this.#context.destination);
    source.start();
    onStart();
    await new Promise((ended) => (source.onended = ended));
    this.#source = null;
  }
}

/** @param {BaseAudioContext} context @param {{audio: Uint8Array, format: string}} sound */
export async function decode(context, { audio, format }) {
  if (format === "pcm16") {
    const bytes = audio.slice(0, audio.length & ~1);
    const samples = Float32Array.from(new Int16Array(bytes.buffer), (sample) => sample / 32768);
    const buffer = context.createBuffer(1, samples.length, SAMPLE_RATE);
    buffer.copyToChannel(samples, 0);
    return buffer;
  }
  const file = format === "opus" ? oggOfPackets(audio) : audio.slice();
  return context.decodeAudioData(file.buffer);
}

/** A sound file of any kind that the browser knows, as pcm16 at 16 kHz. Throws for what is none. */
export async function samplesOf(/** @type {ArrayBuffer} */ file) {
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  const sound = await context.decodeAudioData(file);
  const channels = Array.from({ length: sound.numberOfChannels }, (_, n) => sound.getChannelData(n));
  return Int16Array.from(channels[0], (_, at) => {
    const mean = channels.reduce((sum, channel) => sum + channel[at], 0) / channels.length;
    return Math.round(Math.max(-1, Math.min(1, mean)) * 32767);
  });
}
