// @ts-check
/** Sound files as sentences: a short one whole, a long one cut at its pauses. */

import { Cutter } from "./cutter.js";
import { samplesOf } from "./player.js";

const WHOLE = 16_000 * 15; // samples
const FRAME = 320; // 20 ms

/** @param {File} file @returns {Promise<Int16Array[]>} pcm16 at 16 kHz; throws for what is no sound */
export async function sentencesOf(file) {
  const samples = await samplesOf(await file.arrayBuffer());
  if (samples.length <= WHOLE) return samples.length ? [samples] : [];
  /** @type {Int16Array[]} */
  const found = [];
  const cutter = new Cutter({ onSentence: (sentence) => found.push(sentence) });
  for (let at = 0; at < samples.length; at += FRAME) {
    const frame = samples.subarray(at, at + FRAME);
    const power = frame.reduce((sum, sample) => sum + (sample / 32768) ** 2, 0) / frame.length;
    cutter.push(frame, Math.sqrt(power));
  }
  cutter.flush();
  return found;
}

/** Has what is dropped on a page. @param {Document} page @param {(files: File[]) => void} use */
export function takeDropped(page, use) {
  page.addEventListener("dragover", (event) => {
    event.preventDefault();
    page.body.classList.add("dropping");
  });
  page.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) page.body.classList.remove("dropping");
  });
  page.addEventListener("drop", (event) => {
    event.preventDefault();
    page.body.classList.remove("dropping");
    use([...(event.dataTransfer?.files ?? [])]);
  });
}
