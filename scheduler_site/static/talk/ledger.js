// @ts-check
/** The utterances without an outcome, and by which numbers the server knows them. */

/** @typedef {import("./outcome.js").Outcome} Outcome */

/**
 * An utterance without an outcome. `wire`: its index for the server, once it has one; `trace`: the
 * server's name of one of the stream, which stays when another utterance has come by its index.
 * @typedef {object} Entry
 * @property {any} frame null while it is being spoken
 * @property {(outcome: Outcome) => void} settle
 * @property {(error: Error) => void} fail
 * @property {Promise<Outcome>} outcome
 * @property {boolean} sent
 * @property {number | undefined} wire
 * @property {string | undefined} trace
 */

export class Ledger {
  lastAnswered = -1; // of the server's numbers
  /** @type {Map<number, Entry>} */ #unanswered = new Map();
  /** @type {Map<number, number>} by the server's number, our index */ #ours = new Map();
  #index = 0; // the next one of ours
  #wire = 0; // the next number for the server

  /** How many there are. */
  get size() {
    return this.#unanswered.size;
  }

  /** Our index of one that begins. */
  take() {
    return this.#index++;
  }

  /** @param {number} index @param {any} frame @returns {Entry} */
  expect(index, frame) {
    const entry = /** @type {Entry} */ ({ frame, sent: false });
    entry.outcome = new Promise((settle, fail) => Object.assign(entry, { settle, fail }));
    entry.outcome.catch(() => {}); // also told by "state"
    this.#unanswered.set(index, entry);
    return entry;
  }

  /** @param {number | null | undefined} index */
  get(index) {
    return this.#unanswered.get(/** @type {number} */ (index));
  }

  /** It has its outcome. @param {number} index */
  remove(index) {
    this.#unanswered.delete(index);
  }

  /**
   * Its number: one that the server gave it, the one that it has, or the next.
   * @param {number} index @param {Entry} entry @param {number} [wire]
   */
  number(index, entry, wire = entry.wire ?? this.#wire) {
    entry.wire = wire;
    this.#ours.set(wire, index);
    this.#wire = Math.max(this.#wire, wire + 1);
  }

  /** Its number may be another one's by now. @param {Entry | undefined} entry */
  unnumber(entry) {
    if (entry?.wire !== undefined) this.#ours.delete(entry.wire);
  }

  /** What was being said may have another number by its end: then the former one is that of what
   * another process had heard of it over an earlier connection.
   * @param {number | null} index @param {any} frame */
  renumber(index, { utterance_index: wire, trace_id: trace }) {
    const entry = this.get(index);
    if (index === null || !entry || !trace || entry.trace !== trace || entry.wire === wire) return;
    this.unnumber(entry);
    this.number(index, entry, wire);
  }

  /** Whether the server has told of it before. @param {any} frame */
  knows({ utterance_index: wire }) {
    return this.#ours.has(wire);
  }

  /** Which of ours the server means, if any. @param {any} frame */
  find({ utterance_index: wire, trace_id: trace = "" }) {
    const index = this.#ours.get(wire);
    const expected = this.get(index)?.trace;
    return trace && expected && trace !== expected ? undefined : index;
  }

  /** Another session numbers what it hears anew. */
  begin() {
    this.#ours.clear();
    this.#wire = 0;
    this.lastAnswered = -1;
    for (const entry of this.#unanswered.values()) entry.wire = undefined;
  }

  /** What may have to be sent again. First what has a number, which nothing else may come by. */
  unsure() {
    const whole = [...this.#unanswered].filter(([, { frame }]) => frame);
    const wireOf = ([, { wire = Number.MAX_SAFE_INTEGER }]) => wire;
    return whole.sort((one, other) => wireOf(one) - wireOf(other)).map(([index]) => index);
  }

  /** No outcome comes any more. @param {Error} error */
  giveUp(error) {
    for (const { fail } of this.#unanswered.values()) fail(error);
    this.#unanswered.clear();
  }
}
