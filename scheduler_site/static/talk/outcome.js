// @ts-check
/** What becomes of an utterance: an answer, or word that none comes. */

/**
 * @typedef {object} Answer
 * @property {true} ok
 * @property {number} index of the utterance, from 0
 * @property {string} heard
 * @property {string} text the translation
 * @property {Uint8Array} audio the spoken answer, empty without one
 * @property {string} format of `audio`: pcm16 (16 kHz, mono), wav, or opus (u16-prefixed packets)
 * @property {boolean} late it follows a `Missing` of reason gap_timeout
 * @property {any} frame everything else the server said
 */

/**
 * @typedef {object} Missing
 * @property {false} ok
 * @property {number} index
 * @property {string} reason gap_timeout, job_failed, pending_overflow_evict or silence_detected
 * @property {string} code of the error; empty where nothing failed
 * @property {string} message
 * @property {any} frame
 */

/** @typedef {Answer | Missing} Outcome */

/** The session is over; `code` says why. */
export class SessionError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message || code);
    this.code = code;
  }
}

/** @param {any} frame @returns {Answer} */
export function answerOf(frame) {
  return {
    ok: true,
    index: frame.utterance_index,
    heard: frame.text_asr,
    text: frame.text_translated,
    audio: fromBase64(frame.tts_audio),
    format: frame.tts_format,
    late: Boolean(frame.late),
    frame,
  };
}

/** @param {any} frame @returns {Missing} */
export function missingOf(frame) {
  const { utterance_index: index, reason, code = "", message = "" } = frame;
  return { ok: false, index, reason, code, message, frame };
}

/** @param {string} text */
function fromBase64(text) {
  return Uint8Array.from(atob(text ?? ""), (letter) => letter.charCodeAt(0));
}
