// @ts-check
/** The microphone: frames of 20 ms, pcm16 at 16 kHz. */

/** Why there is no microphone: denied, absent, taken, insecure, unsupported or unknown. */
export class NoMicrophone extends Error {}

const WANTED = {
  audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
};
const WHY = { NotAllowedError: "denied", NotFoundError: "absent", NotReadableError: "taken" };

/** Why this page can never have a microphone; empty: it may ask for one. */
export function withheld() {
  if (!window.isSecureContext) return "insecure";
  return navigator.mediaDevices && window.AudioWorkletNode ? "" : "unsupported";
}

export class Microphone {
  /** @type {MediaStream | null} */ #stream = null;
  /** @type {AudioNode[]} */ #nodes = [];
  /** @type {Promise<void> | null} */ #loaded = null;
  #failed = 0;
  #context;
  #onFrame;
  #onLoss;

  /**
   * @param {AudioContext} context
   * @param {(samples: Int16Array, level: number) => void} onFrame
   * @param {() => void} onLoss it was unplugged, or the person took it back
   */
  constructor(context, onFrame, onLoss) {
    this.#context = context;
    this.#onFrame = onFrame;
    this.#onLoss = onLoss;
    if (!withheld()) this.#load().catch(() => {}); // before the connection may be lost
  }

  get isOpen() {
    return this.#stream !== null;
  }

  /** Asks the person, the first time. Throws NoMicrophone. */
  async open() {
    if (this.isOpen) return;
    const fault = withheld();
    if (fault) throw new NoMicrophone(fault);
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia(WANTED);
    } catch (error) {
      throw new NoMicrophone(WHY[/** @type {DOMException} */ (error).name] ?? "unknown");
    }
    for (const track of this.#stream.getTracks()) track.onended = () => this.#lost();
    try {
      await this.#load();
    } catch {
      this.close();
      throw new NoMicrophone("unknown");
    }
    const source = this.#context.createMediaStreamSource(this.#stream);
    const tap = new AudioWorkletNode(this.#context, "microphone-tap", { numberOfOutputs: 0 });
    tap.port.onmessage = ({ data }) => this.#onFrame(data.samples, data.level);
    source.connect(tap);
    this.#nodes = [source, tap];
  }

  /** What runs beside the page. A browser may remember that an address had nothing. */
  #load() {
    const url = new URL(`microphone-worklet.js?${this.#failed}`, import.meta.url);
    this.#loaded ??= this.#context.audioWorklet.addModule(url).catch((error) => {
      this.#failed++;
      this.#loaded = null;
      throw error;
    });
    return this.#loaded;
  }

  #lost() {
    this.close();
    this.#onLoss();
  }

  /** Lets go of it: the browser's sign of recording goes out. */
  close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    for (const node of this.#nodes) node.disconnect();
    this.#stream = null;
    this.#nodes = [];
  }
}
