// @ts-check
/**
 * Speech on its way while it is spoken: what of it is still to be sent, and what the server has.
 *
 * Nobody acknowledges a piece of a stream, but the server answers in order: an answered heartbeat
 * means that all before it was heard. The sound of what is being said is kept until it is cut, and
 * begins anew on another connection: so nothing of a sentence is lost, and it stays in one piece.
 */

const PIECE = 1600; // samples: 100 ms
const ASK_EVERY = 5; // pieces, until the server is asked what it has heard; a frame has no more
const MOST_ASKED = 20; // heartbeats without an answer: else a server is flooded after an outage
/** So long, at least, a server holds an end back, because sound may be behind it. */
const HOLD_MS = 300;

/** @typedef {{src: string, tgt: string}} Languages */

export class Stream {
  /** @type {number | null} the utterance that has begun */ open = null;
  /** @type {(Int16Array | Languages | null)[]} from the beginning of what is being said; null: it
   * ends; languages: those of what follows */
  #pieces = [];
  #sent = 0; // of them
  #heard = 0; // of these
  #unasked = 0; // pieces and ends since the last heartbeat
  /** @type {number[]} what was sent before each heartbeat that is not answered yet */ #asked = [];
  #begun = false; // it has, over this connection
  #closing = false;
  #doubted = false;
  /** @type {Int16Array[]} */ #loose = [];
  #timer = 0;
  #onReady;

  /** @param {() => void} onReady there may be something to send */
  constructor(onReady) {
    this.#onReady = onReady;
  }

  /** Whether something else may be sent: nothing of what was said is without an end. */
  get isAtRest() {
    return this.#sent === 0 && !this.#begun;
  }

  /** Whether the server may have made utterances that nobody here knows the numbers of. */
  get isDoubted() {
    return this.#doubted;
  }

  /** Whether it is time for a heartbeat. */
  get asks() {
    return this.#unasked >= ASK_EVERY || (this.#closing && this.#unasked > 0);
  }

  /** @param {Int16Array} samples */
  push(samples) {
    this.#loose.push(samples.slice());
    if (lengthOf(this.#loose) >= PIECE) this.#flush();
  }

  /** What is being said is over. */
  end() {
    this.#flush();
    if (this.#pieces.at(-1) instanceof Int16Array) this.#pieces.push(null);
    this.#onReady();
  }

  /** What is being said is over, and what follows is in other languages. @param {Languages} languages */
  turn(languages) {
    this.end();
    this.#pieces.push(languages);
    this.#onReady();
  }

  /** Those of what is said next, where they are others and all before is cut. */
  turned() {
    const [next] = this.#pieces;
    if (!next || next instanceof Int16Array) return undefined;
    this.#pieces.shift();
    return next;
  }

  /**
   * What to send now; null is an end, undefined nothing.
   * @returns {Int16Array | null | undefined}
   */
  next() {
    if (this.#closing || this.#asked.length >= MOST_ASKED) return undefined;
    const ahead = this.#pieces.slice(this.#sent, this.#sent + ASK_EVERY - this.#unasked);
    const end = ahead.findIndex((one) => !(one instanceof Int16Array));
    this.#closing = ahead[0] === null;
    const some = ahead.slice(0, this.#closing ? 1 : end < 0 ? ASK_EVERY : end);
    if (!some.length) return undefined; // all is sent, or the next languages are not agreed on
    this.#sent += some.length;
    this.#unasked += some.length;
    return this.#closing ? null : joined(some);
  }

  /** The server hears something. @param {number} index for what it did not hear before */
  begins(index) {
    this.#begun = true;
    return (this.open ??= index);
  }

  /** A heartbeat goes out. */
  asked() {
    this.#unasked = 0;
    this.#asked.push(this.#sent);
  }

  /** One was answered. */
  answered() {
    this.#heard = this.#asked.shift() ?? this.#heard;
    if (!this.#closing) this.#onReady();
    if (!this.#closing || this.#heard < this.#sent || this.#begun) return;
    clearTimeout(this.#timer); // the server has begun nothing that this end could cut
    this.#timer = setTimeout(() => this.#begun || this.cut(), HOLD_MS);
  }

  /** The utterance was cut; its sound, and perhaps some of what comes after it: up to the first
   * heartbeat that the server had not come to. */
  cut() {
    const samples = joined(this.#pieces.slice(0, this.#asked[0] ?? this.#sent));
    const ended = this.#closing && this.#heard === this.#sent; // else it was cut before the end came
    const over = ended ? this.#sent : this.#heard;
    this.#pieces.splice(0, over);
    this.#sent -= over;
    this.#heard = 0;
    this.#asked = this.#asked.map((sent) => Math.max(0, sent - over));
    this.open = null;
    this.#begun = this.#doubted = false;
    if (ended) this.#closing = false;
    clearTimeout(this.#timer);
    this.#onReady();
    return samples;
  }

  /** The connection is gone: what was not cut is sent again over the next one. */
  again() {
    this.#doubted ||= this.#sent > 0;
    this.#sent = this.#heard = this.#unasked = 0;
    this.#asked = [];
    this.#begun = this.#closing = false;
    clearTimeout(this.#timer);
  }

  /** A server that has heard nothing of it. */
  begin() {
    this.#doubted = false;
  }

  /** Nothing more is sent. */
  clear() {
    this.again();
    this.open = null;
    this.#doubted = false;
    this.#pieces = [];
    this.#loose = [];
  }

  #flush() {
    if (!this.#loose.length) return;
    const whole = joined(this.#loose);
    for (let at = 0; at < whole.length; at += PIECE) this.#pieces.push(whole.slice(at, at + PIECE));
    this.#loose = [];
    this.#onReady();
  }
}

/** @param {Int16Array[]} parts */
function lengthOf(parts) {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** @param {any[]} pieces the sound of them */
export function joined(pieces) {
  const parts = /** @type {Int16Array[]} */ (pieces.filter((piece) => piece instanceof Int16Array));
  const whole = new Int16Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
