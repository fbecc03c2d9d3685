/**
 * Runs beside the page: what the microphone gives, at whatever rate, as frames of 20 ms of pcm16 at
 * 16 kHz, each with its level (root mean square, 0 to 1).
 */

const RATE = 16000;
const FRAME = 320;
const PHASES = 64;
const CROSSINGS = 12; // of the sinc on each side

class MicrophoneTap extends AudioWorkletProcessor {
  #step = sampleRate / RATE;
  #half = Math.ceil(CROSSINGS * Math.max(1, this.#step));
  #kernels = kernels(this.#step, this.#half);
  #past = new Float32Array(2 * this.#half);
  #at = 0; // of the next sample, in the past and the block behind it
  #frame = new Int16Array(FRAME);
  #filled = 0;
  #power = 0;

  process([channels]) {
    const block = channels[0];
    if (!block) return true;
    const input = new Float32Array(this.#past.length + block.length);
    input.set(this.#past);
    input.set(block, this.#past.length);
    for (; this.#at + 2 * this.#half < input.length; this.#at += this.#step) {
      const whole = Math.floor(this.#at);
      const kernel = this.#kernels[Math.floor((this.#at - whole) * PHASES)];
      let sum = 0;
      for (let tap = 0; tap < kernel.length; tap++) sum += kernel[tap] * input[whole + tap];
      this.#put(Math.max(-1, Math.min(1, sum)));
    }
    this.#at -= block.length;
    this.#past = input.slice(block.length);
    return true;
  }

  #put(sample) {
    this.#power += sample * sample;
    this.#frame[this.#filled++] = Math.round(sample * 32767);
    if (this.#filled < FRAME) return;
    this.port.postMessage({ samples: this.#frame, level: Math.sqrt(this.#power / FRAME) });
    this.#frame = new Int16Array(FRAME);
    this.#filled = this.#power = 0;
  }
}

/** Windowed sincs that let pass what 16 kHz can carry, one for each part of a step. */
function kernels(step, half) {
  const width = Math.max(1, step);
  return Array.from({ length: PHASES }, (_, phase) => {
    const taps = Float32Array.from({ length: 2 * half }, (_, tap) => {
      const away = (tap + 1 - half - phase / PHASES) / width;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * away) / CROSSINGS);
      return Math.abs(away) > CROSSINGS ? 0 : window * sinc(away * 0.95);
    });
    const sum = taps.reduce((all, one) => all + one, 0);
    return taps.map((tap) => tap / sum);
  });
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

registerProcessor("microphone-tap", MicrophoneTap);
