// @ts-check
/** The button that somebody holds or taps, and the space bar, which is one too. */

/** Has a button, and the space bar anywhere else, press and release. A click without either, as a
 * screen reader makes it, is a tap.
 * @param {HTMLElement} button @param {() => void} press @param {() => void} release */
export function listenTo(button, press, release) {
  let known = false;
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    known = true;
    button.setPointerCapture(event.pointerId);
    press();
  });
  window.addEventListener("blur", release); // where it goes up, then, is not told
  button.addEventListener("pointerup", release);
  button.addEventListener("pointercancel", release);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("click", () => {
    if (!known) {
      press();
      release();
    }
    known = false;
  });
  const isOurs = ({ key, target }) =>
    target === button ? key === " " || key === "Enter" : key === " " && target === document.body;
  document.addEventListener("keydown", (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    if (!event.repeat) press();
  });
  document.addEventListener("keyup", (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    release();
  });
}
