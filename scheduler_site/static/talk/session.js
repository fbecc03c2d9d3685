// @ts-check
/**
 * The speaking end of Parley in a browser: speech or typed text in, translations out, in order.
 *
 *     const session = new Session({ src: "en", tgt: "zh" });
 *     session.on("partial", (heard) => console.log(heard.text));
 *     const { outcome } = session.say(samples); // Int16Array, 16 kHz, mono
 *     console.log(await outcome);
 *
 * `stream` sends sound while it is spoken. A lost connection is made again and the session resumed;
 * what has no answer is sent again under the same request id, so that no sentence is lost and none
 * is translated twice. This and `ledger.js`, `outcome.js` and `stream.js` have no dependencies: copy them.
 */

import { Ledger } from "./ledger.js";
import { answerOf, missingOf, SessionError } from "./outcome.js";
import { Stream } from "./stream.js";

export { SessionError };

export const SAMPLE_RATE = 16000;
/** Base64 of one utterance; the server's limit of a frame is 8 MiB. */
const MOST_CHARACTERS = 8 * 2 ** 20 - 4096;
const HEARTBEAT_MS = 5000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;
/** The server refused `session_init` for good: trying again would not help. */
const REFUSED = 4400;

/**
 * @typedef {object} Options
 * @property {string} src language that is spoken, a BCP-47 tag, or "auto"
 * @property {string} tgt language to translate into
 * @property {string} [url] address of the socket; else `/ws/session` on this page's host
 * @property {string} [token] credential, where the service wants one
 * @property {object} [init] further fields of `session_init`
 */

/**
 * @typedef {object} Wish what one utterance asks for; the languages else are the session's
 * @property {string} [src]
 * @property {string} [tgt]
 * @property {boolean} [speech] whether the answer is to be spoken, too (it is)
 * @property {object} [fields] further fields of `utterance`
 */

/**
 * What `on` can listen to, and what it is told:
 * @typedef {object} Events
 * @property {(change: {state: State, error?: any, tries: number}) => void} state
 * @property {(begun: {index: number, outcome: Promise<Outcome>, src: string, tgt: string}) => void} begun
 *   the server hears an utterance of the stream
 * @property {(sent: {index: number, again: boolean, samples?: Int16Array}) => void} sent an utterance
 *   went out; one of the stream is over, and that is its sound
 * @property {(step: any) => void} step a `ui_event` frame
 * @property {(heard: {index: number, text: string, final: boolean}) => void} partial
 * @property {(outcome: Outcome) => void} outcome in the order of the utterances
 * @property {(error: any) => void} error an `error` frame
 * @property {(pressure: any) => void} pressure a `backpressure` frame
 */

/** @typedef {import("./ledger.js").Entry} Entry */
/** @typedef {import("./outcome.js").Answer} Answer */
/** @typedef {import("./outcome.js").Outcome} Outcome */
/** @typedef {"closed" | "connecting" | "open" | "lost" | "refused"} State */

export class Session {
  /** @type {State} */ state = "closed";
  id = "";
  /** The node that it is paired with, and the only one that it is translated by; else empty. */
  node = "";
  #options;
  /** Of the stream; only the first frame of a connection says them. */ #languages;
  #name = randomName();
  /** @type {WebSocket | null} */ #socket = null;
  #ledger = new Ledger();
  /** @type {number[]} those that wait to be sent on this connection */ #queue = [];
  /** @type {Map<string, Set<Function>>} */ #handlers = new Map();
  #stream = new Stream(() => this.#pump());
  #resumeToken = "";
  #seq = 0;
  #tries = 0;
  #pausedUntil = 0;
  #heard = true;
  #timers = { retry: 0, beat: 0, pause: 0 };

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    this.#languages = { src: options.src, tgt: options.tgt };
  }

  /** How many utterances have no outcome yet. */
  get unanswered() {
    return this.#ledger.size;
  }

  /**
   * Listens; what it returns ends that.
   * @template {keyof Events} Name @param {Name} name @param {Events[Name]} handler
   */
  on(name, handler) {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  /** Connects and stays connected until `close`; without a connection utterances wait. */
  open() {
    if (this.state !== "closed" && this.state !== "refused") return;
    globalThis.addEventListener?.("online", this.#retryNow);
    this.#connect();
  }

  /**
   * Sends an utterance. `outcome` rejects only when the session ends.
   * @param {Int16Array} samples 16 kHz, mono @param {Wish} [wish]
   * @returns {{index: number, outcome: Promise<Outcome>}}
   */
  say(samples, wish = {}) {
    return this.#add(bytesOf(samples), { audio_format: "pcm16", sample_rate: SAMPLE_RATE }, wish);
  }

  /**
   * Sends sound while it is spoken; the server cuts it into utterances: at `end`, when nothing comes
   * for 3 s, and when one is long. "begun" tells of each.
   * @param {{src?: string, tgt?: string}} [languages] from now on the session's; others end what was
   *   being said, which keeps those that it began with
   * @returns {{push: (samples: Int16Array) => void, end: () => void}} for 16 kHz, mono
   */
  stream(languages = {}) {
    const { src: from, tgt: to } = this.#options;
    const { src = from, tgt = to } = languages;
    this.#options = { ...this.#options, src, tgt };
    if (src !== from || tgt !== to) this.#stream.turn({ src, tgt });
    return {
      push: (samples) => this.#stream.push(samples),
      end: () => this.#stream.end(),
    };
  }

  /**
   * Sends a sentence that was typed; only nodes that list the format "text" take it.
   * @param {string} text @param {Wish} [wish]
   */
  type(text, wish = {}) {
    const bytes = new TextEncoder().encode(text);
    const pipeline = { use_asr: false };
    return this.#add(bytes, { audio_format: "text", sample_rate: SAMPLE_RATE, pipeline }, wish);
  }

  /**
   * Tells the server that an answer is played now.
   * @param {Answer} answer
   */
  playing(answer) {
    this.#tellPlayback("tts_started", "ts_start_ms", answer);
  }

  /**
   * Tells the server that an answer has been played.
   * @param {Answer} answer
   */
  played(answer) {
    this.#tellPlayback("tts_play_ended", "ts_end_ms", answer);
  }

  /** Ends the session; what has no outcome is given up. */
  close() {
    globalThis.removeEventListener?.("online", this.#retryNow);
    if (this.state === "open") {
      this.#send({ type: "session_close", session_id: this.id, reason: "done" });
    }
    this.#forget();
    this.#resumeToken = "";
    this.#become("closed");
    this.#giveUp(new SessionError("SESSION_CLOSED", "the session was closed"));
  }

  /** @param {Uint8Array} bytes @param {object} about @param {Wish} wish */
  #add(bytes, about, { src, tgt, speech = true, fields }) {
    const audio = toBase64(bytes);
    if (audio.length > MOST_CHARACTERS) throw new RangeError("this utterance is too long");
    const index = this.#ledger.take();
    const pipeline = { .../** @type {any} */ (about).pipeline, use_tts: speech };
    const frame = {
      type: "utterance",
      manual_cut: true,
      src_lang: src ?? this.#options.src,
      tgt_lang: tgt ?? this.#options.tgt,
      trace_id: randomName(),
      request_id: `${this.#name}-${index}`,
      ...about,
      pipeline,
      ...fields,
      audio,
    };
    const { outcome } = this.#ledger.expect(index, frame);
    this.#queue.push(index);
    queueMicrotask(() => this.#pump()); // "sent" comes after the caller knows the index
    return { index, outcome };
  }

  #connect() {
    const { url, token } = this.#options;
    const socket = new WebSocket(url ?? socketUrl(), token ? ["bearer", token] : []);
    this.#socket = socket;
    this.#become("connecting");
    let refusal = /** @type {any} */ (null);
    socket.onopen = () => this.#send(this.#first());
    socket.onmessage = ({ data }) => {
      this.#heard = true;
      const frame = JSON.parse(data);
      if (frame.type === "error" && this.state === "connecting") refusal = frame;
      else this.#receive(frame);
    };
    socket.onclose = ({ code }) => this.#lost(code, refusal);
    clearInterval(this.#timers.beat);
    this.#heard = true;
    this.#timers.beat = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  #first() {
    this.#turn();
    const { src, tgt } = this.#languages;
    const { init } = this.#options;
    const resume = this.#resumeToken && { resume_token: this.#resumeToken };
    const { lastAnswered } = this.#ledger;
    const last = resume && lastAnswered >= 0 && { last_utterance_index: lastAnswered };
    return {
      type: "session_init",
      client_version: "parley-js 0.1.0",
      platform: "web",
      src_lang: src,
      tgt_lang: tgt,
      audio_format: "pcm16",
      sample_rate: SAMPLE_RATE,
      accepts: ["backpressure", "errors", "resume"],
      ...init,
      ...resume,
      ...last,
    };
  }

  /** A browser can't see WebSocket pings, so a silent connection is asked for a sign of life. */
  #beat() {
    if (!this.#heard) {
      this.#lost(0, null);
      return;
    }
    this.#heard = false;
    if (this.state === "open") this.#ask();
  }

  #ask() {
    this.#stream.asked();
    this.#send({ type: "client_heartbeat", session_id: this.id, timestamp: Date.now() });
  }

  /** Whether what is said next is in other languages than before. */
  #turn() {
    const { src, tgt } = this.#languages;
    for (let next = this.#stream.turned(); next; next = this.#stream.turned()) this.#languages = next;
    return this.#languages.src !== src || this.#languages.tgt !== tgt;
  }

  /** Another connection in place of this one. */
  #again() {
    this.#forget();
    this.#connect();
  }

  /** @param {number} code @param {any} error */
  #lost(code, error) {
    this.#forget();
    const isOver = error?.code === "INVALID_SESSION" && this.#resumeToken;
    if (isOver) this.#resumeToken = ""; // a new one takes its place
    else if (code === REFUSED) {
      this.#become("refused", error);
      this.#giveUp(new SessionError(error?.code ?? "INVALID_SESSION", error?.message ?? ""));
      return;
    }
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#tries++, LONGEST_PAUSE_MS);
    this.#timers.retry = setTimeout(() => this.#connect(), pause * (0.5 + Math.random() / 2));
    this.#become("lost", error);
  }

  #retryNow = () => {
    if (this.state !== "lost") return;
    clearTimeout(this.#timers.retry);
    this.#connect();
  };

  /** Nothing of the present connection counts any more. */
  #forget() {
    if (this.#socket) {
      this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
      this.#socket.close();
    }
    this.#socket = null;
    this.#queue = [];
    this.#forgetWhatIsSaid();
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
  }

  /** @param {any} frame */
  #receive(frame) {
    switch (frame.type) {
      case "session_init_ack":
        return this.#opened(frame);
      case "translation_result":
        return this.#settle(answerOf(frame));
      case "missing_result":
        return this.#settle(missingOf(frame));
      case "asr_partial":
        return this.#partial(frame);
      case "ui_event":
        return this.#step(frame);
      case "server_heartbeat":
        return this.#stream.answered();
      case "backpressure":
        if (frame.action === "PAUSE") this.#pausedUntil = Date.now() + (frame.resume_after_ms ?? 0);
        return this.#tell("pressure", frame);
      case "error":
        return this.#tell("error", frame);
    }
  }

  /**
   * Everything without an answer goes out again: a server that has it takes it once.
   * @param {any} ack
   */
  #opened(ack) {
    if (ack.session_id !== this.id) {
      this.#ledger.begin();
      this.#stream.begin();
    }
    this.id = ack.session_id;
    this.node = ack.assigned_node_id ?? "";
    this.#resumeToken = ack.resume_token ?? "";
    this.#tries = 0;
    this.#queue = this.#ledger.unsure();
    this.#become("open");
    this.#pump();
  }

  #pump() {
    while (this.state === "open") {
      const wait = this.#pausedUntil - Date.now();
      if (wait > 0) {
        clearTimeout(this.#timers.pause);
        this.#timers.pause = setTimeout(() => this.#pump(), wait);
        return;
      }
      if (this.#mayPass(this.#queue[0])) this.#sendWhole();
      else if (this.#turn()) this.#again();
      else if (!this.#sendPiece()) return;
    }
  }

  /** @param {number | undefined} index of a whole utterance */
  #mayPass(index) {
    if (index === undefined || !this.#stream.isAtRest) return false;
    return !this.#stream.isDoubted || this.#ledger.get(index)?.wire !== undefined;
  }

  #sendWhole() {
    const index = /** @type {number} */ (this.#queue.shift());
    const entry = this.#ledger.get(index);
    if (!entry) return;
    this.#ledger.number(index, entry);
    entry.trace = undefined;
    this.#send({ ...entry.frame, session_id: this.id, utterance_index: entry.wire });
    const again = entry.sent;
    entry.sent = true;
    this.#tell("sent", { index, again });
  }

  /** Whether there was one. */
  #sendPiece() {
    const piece = this.#stream.next();
    if (piece === undefined) return false;
    this.#send({
      type: "audio_chunk",
      session_id: this.id,
      seq: this.#seq++,
      is_final: piece === null,
      payload: piece ? toBase64(bytesOf(piece)) : "",
      client_timestamp_ms: Date.now(),
    });
    if (this.#stream.asks) this.#ask();
    return true;
  }

  /** @param {any} frame */
  #step(frame) {
    if (frame.event === "INPUT_STARTED" && !this.#ledger.knows(frame)) this.#hears(frame);
    if (frame.event === "INPUT_ENDED") this.#ledger.renumber(this.#stream.open, frame);
    const index = this.#ledger.find(frame);
    if (index === undefined) return;
    if (frame.event === "INPUT_ENDED" && index === this.#stream.open) this.#cut(index);
    this.#tell("step", { ...frame, utterance_index: index });
  }

  /** The server hears something new in the stream, or once more what it was hearing. @param {any} frame */
  #hears({ utterance_index: wire, trace_id: trace }) {
    const isNew = this.#stream.open === null;
    const index = this.#stream.begins(this.#stream.open ?? this.#ledger.take());
    const entry = this.#ledger.get(index) ?? this.#ledger.expect(index, null);
    entry.trace = trace;
    this.#ledger.number(index, entry, wire);
    if (isNew) this.#tell("begun", { index, outcome: entry.outcome, ...this.#languages });
  }

  /** What was being said is an utterance, which can be sent again like any other. @param {number} index */
  #cut(index) {
    const { src, tgt } = this.#languages;
    const samples = this.#stream.cut();
    const entry = /** @type {Entry} */ (this.#ledger.get(index));
    entry.sent = true;
    entry.frame = {
      type: "utterance",
      manual_cut: true,
      src_lang: src,
      tgt_lang: tgt,
      request_id: `${this.#name}-${index}`,
      audio_format: "pcm16",
      sample_rate: SAMPLE_RATE,
      audio: toBase64(bytesOf(samples)),
    };
    this.#tell("sent", { index, again: false, samples });
  }

  /** The server may have heard all of it, or nothing: it will be sent from its beginning. */
  #forgetWhatIsSaid() {
    this.#ledger.unnumber(this.#ledger.get(this.#stream.open));
    this.#stream.again();
  }

  /** @param {any} frame */
  #partial(frame) {
    const { text, is_final: final } = frame;
    const index = this.#ledger.find(frame);
    if (index !== undefined) this.#tell("partial", { index, text, final });
  }

  /** @param {Outcome} outcome its index is still the server's */
  #settle(outcome) {
    const ledger = this.#ledger;
    const index = ledger.find(outcome.frame) ?? -1;
    ledger.lastAnswered = Math.max(ledger.lastAnswered, outcome.index);
    const entry = ledger.get(index);
    if (!entry && !(index >= 0 && outcome.ok && outcome.late)) return; // told again after a resume
    if (index === this.#stream.open) this.#cut(index); // refused while it is spoken
    ledger.remove(index);
    outcome.index = index;
    entry?.settle(outcome);
    this.#tell("outcome", outcome);
  }

  /** @param {string} type @param {string} field @param {Answer} answer */
  #tellPlayback(type, field, { frame }) {
    if (this.state !== "open" || !frame.group_id || !frame.trace_id) return;
    const { trace_id, group_id } = frame;
    this.#send({ type, session_id: this.id, trace_id, group_id, [field]: Date.now() });
  }

  /** @param {any} frame */
  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** @param {State} state @param {any} [error] */
  #become(state, error) {
    this.state = state;
    this.#tell("state", { state, error, tries: this.#tries });
  }

  /** @param {SessionError} error */
  #giveUp(error) {
    this.#ledger.giveUp(error);
    this.#stream.clear();
    const { src, tgt } = this.#options;
    this.#languages = { src, tgt };
  }

  /** @param {keyof Events} name @param {any} what */
  #tell(name, what) {
    for (const handler of this.#handlers.get(name) ?? []) handler(what);
  }
}

/** @param {Int16Array} samples */
function bytesOf(samples) {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

/** @param {Uint8Array} bytes */
function toBase64(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; at += 0x8000) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  }
  return btoa(parts.join(""));
}

/** `crypto.randomUUID` is only there in secure contexts. */
function randomName() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function socketUrl() {
  const url = new URL("/ws/session", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
