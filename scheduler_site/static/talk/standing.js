// @ts-check
/** How things stand, in words: the connection, the languages, the microphone. */

import { withheld } from "./microphone.js";
import { words } from "./words.js";

/** @typedef {{state: string, tries: number, error?: any}} Connection */
/** @typedef {import("./languages.js").Languages} Languages */
/** @typedef {import("./talking.js").Talking} Talking */

/** Whether the service keeps this page out for want of a token.
 * @param {Connection} connection @param {Languages} languages @param {string} token */
export function isShutOut({ state, tries }, languages, token) {
  return state !== "open" && languages.wantsToken && (tries > 1 || state === "refused" || !token);
}

/** @param {Connection} connection @param {boolean} shutOut @param {string} [node] that of a pairing
 * @param {boolean} [isPaired] whether there is to be one */
export function connectionText({ state, error }, shutOut, node, isPaired) {
  if (shutOut) return words("unauthorized");
  if (state === "open" && node) return words("connectedTo", { node });
  if (state === "open") return words(isPaired ? "unpaired" : "connected");
  return words(state, { message: error?.message ?? "" });
}

/** What there is to know of the chosen languages before one speaks; empty: all is well.
 * @param {Connection} connection @param {Languages} languages */
export function choiceText({ state }, languages) {
  if (!languages.isKnown) return state === "open" ? words("languagesAway") : "";
  const chosen = languages.choice;
  if (!languages.hasNodes) return words("noNode");
  if (!chosen || chosen.state === "none") return words("noWay");
  if (chosen.state === "away") return words("noNodeAway", { why: words(`reason_${chosen.reason}`) });
  if (chosen.state === "busy") return words("busy");
  return chosen.spoken ? "" : words("notSpoken");
}

/** What to do with the button. @param {Talking} talking @param {boolean} isPlaying */
export function hintText(talking, isPlaying) {
  const fault = withheld();
  return words(fault ? `mic_${fault}` : hint(talking, isPlaying));
}

function hint({ phase, automatic, isHearing }, isPlaying) {
  if (phase === "asking") return "hintAsking";
  if (phase === "tapped") return "hintTap";
  if (phase === "holding" || phase === "ending") return "hintHolding";
  if (phase !== "listening") return automatic ? "hintAutomatic" : "hintHold";
  if (isPlaying) return "hintPlaying";
  return isHearing ? "hintHearing" : "hintListening";
}
