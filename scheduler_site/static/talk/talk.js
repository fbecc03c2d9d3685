// @ts-check
/** The page: puts the parts together. What goes over the wire is in `session.js`. */

import { Sentence, speechOf } from "./conversation.js";
import { sentencesOf } from "./files.js";
import { Languages } from "./languages.js";
import { withheld } from "./microphone.js";
import { Player } from "./player.js";
import { Session } from "./session.js";
import { listenTo, Talking } from "./talking.js";
import { speak, tongue, translatePage, words } from "./words.js";

const TOKEN_KEPT_AS = "parley.token";

const at = (id) => /** @type {any} */ (document.getElementById(id));
const context = new AudioContext();
const player = new Player(context);
const languages = new Languages(document.body.dataset.languages ?? "", at("from"), at("to"), show);
const talking = new Talking(context, {
  sentence: (samples) => say(speechOf(samples.length), (wish) => session.say(samples, wish)),
  change: show,
  level: (level) => at("talk").style.setProperty("--level", String(Math.min(1, level * 6))),
  fault: (why) => tell(words(why)),
  deaf: () => player.isPlaying,
});
/** @type {Map<number, Sentence>} */
const sentences = new Map();
/** @type {Record<string, Record<string, string>>} */
let advices = {};
let session = connect();
let connection = { state: "connecting", tries: 0, error: /** @type {any} */ (null) };

/** Opens the session; it stays open, whatever becomes of the connection. */
function connect() {
  const init = { enable_streaming_asr: true };
  const made = new Session({ src: languages.from, tgt: languages.to, token: token(), init });
  made.on("state", (change) => {
    connection = { error: null, ...change };
    show();
  });
  made.on("sent", ({ index }) => sentences.get(index)?.sent());
  made.on("step", (step) => sentences.get(step.utterance_index)?.timeline.step(step));
  made.on("partial", ({ index, text }) => sentences.get(index)?.partial(text));
  made.on("error", (error) => {
    if (error.details?.utterance_index === undefined) tell(adviceOf(error.code) || error.message);
  });
  made.on("pressure", ({ action, resume_after_ms = 0 }) => {
    const seconds = Math.ceil(resume_after_ms / 1000);
    tell(action === "PAUSE" ? words("pause", { seconds }) : words("crowded"));
    setTimeout(() => tell(""), resume_after_ms || 5000);
  });
  return made;
}

/**
 * Sends a sentence and shows what becomes of it.
 * @param {string} text what is shown until something is heard
 * @param {(wish: import("./session.js").Wish) => {index: number, outcome: Promise<any>}} send
 */
function say(text, send) {
  const [src, tgt] = [languages.from, languages.to];
  const speech = at("aloud").checked && (languages.choice?.spoken ?? true);
  const sentence = new Sentence(text, src, tgt);
  tell("");
  try {
    const { index, outcome } = send({ src, tgt, speech });
    sentences.set(index, sentence);
    outcome.then(
      (found) => settled(sentence, found, () => say(text, send)),
      () => settled(sentence, { ok: false, reason: "closed", code: "SESSION_CLOSED", message: "" }, () => say(text, send)),
    );
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    tell(words("tooLong"));
    return;
  }
  at("empty").hidden = true;
  at("sentences").append(sentence.element);
  sentence.element.scrollIntoView({ block: "end", behavior: "smooth" });
}

function settled(sentence, outcome, retry) {
  if (outcome.ok) {
    const play = () =>
      player.add(outcome, () => started(sentence, outcome), () => ended(sentence, outcome));
    sentence.answered(outcome, () => (sentence.isPlaying ? player.skip() : play()));
    if (outcome.audio.length && at("aloud").checked) play();
    at("spoken").textContent = words("announced", { heard: sentence.heard, said: outcome.text });
  } else {
    sentence.failed(outcome, adviceOf, retry);
    at("spoken").textContent = words(`failed_${outcome.reason}`);
  }
  sentence.element.scrollIntoView({ block: "end", behavior: "smooth" });
  show();
}

function started(sentence, answer) {
  sentence.playing(true);
  session.playing(answer);
  show();
}

function ended(sentence, answer) {
  sentence.playing(false);
  session.played(answer);
  show();
}

/** What to do about an error, in the page's language. */
function adviceOf(code) {
  if (!code) return "";
  return (advices[code] ?? advices.ANY_OTHER)?.[tongue] ?? "";
}

function tell(text) {
  at("notice").textContent = text;
  at("notice").hidden = !text;
}

/** Everything that depends on how things stand. */
function show() {
  showConnection();
  const { phase, automatic } = talking;
  const button = at("talk");
  button.dataset.phase = talking.isHearing ? "hearing" : phase;
  button.setAttribute("aria-pressed", String(phase !== "idle" && phase !== "asking"));
  button.setAttribute("aria-label", words(automatic ? "talkAutomatic" : "talkHold"));
  at("hint").textContent = words(hint());
  at("swap").disabled = !languages.canSwap;
  at("choice").textContent = choice();
  const typed = !languages.choice || languages.choice.typed || languages.choice.state === "none";
  at("typed").disabled = !typed;
  at("typed").placeholder = words("typePlaceholder");
  at("typeHint").textContent = typed ? "" : words("noTyping");
}

function showConnection() {
  const { state, tries, error } = connection;
  at("connection").dataset.state = state;
  const shut = languages.wantsToken && (tries > 1 || state === "refused" || !token());
  at("connection").textContent = shut && state !== "open"
    ? words("unauthorized")
    : words(state === "open" ? "connected" : state, { message: error?.message ?? "" });
  at("credential").hidden = !shut || state === "open";
}

function hint() {
  const fault = withheld();
  if (fault) return `mic_${fault}`;
  const { phase, automatic } = talking;
  if (phase === "asking") return "hintAsking";
  if (phase === "tapped") return "hintTap";
  if (phase === "holding" || phase === "ending") return "hintHolding";
  if (phase !== "listening") return automatic ? "hintAutomatic" : "hintHold";
  if (player.isPlaying) return "hintPlaying";
  return talking.isHearing ? "hintHearing" : "hintListening";
}

/** What there is to know of the languages before one speaks. */
function choice() {
  if (!languages.isKnown) return connection.state === "open" ? words("languagesAway") : "";
  const chosen = languages.choice;
  if (!languages.hasNodes) return words("noNode");
  if (!chosen || chosen.state === "none") return words("noWay");
  if (chosen.state === "away") return words("noNodeAway", { why: words(`reason_${chosen.reason}`) });
  if (chosen.state === "busy") return words("busy");
  return chosen.spoken ? "" : words("notSpoken");
}

/** From the address (#token=…) or typed before; it never goes to a server but in the handshake. */
function token() {
  const found = new URLSearchParams(location.hash.slice(1)).get("token");
  if (found) {
    sessionStorage.setItem(TOKEN_KEPT_AS, found);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(TOKEN_KEPT_AS) ?? "";
}

async function sendFile(file) {
  await context.resume();
  const parts = await sentencesOf(file).catch(() => null);
  if (!parts) tell(words("notSound", { name: file.name }));
  else if (!parts.length) tell(words("silentFile", { name: file.name }));
  for (const samples of parts ?? []) {
    say(`${file.name} (${speechOf(samples.length)})`, (wish) => session.say(samples, wish));
  }
}

listenTo(
  at("talk"),
  () => {
    tell("");
    context.resume();
    if (!talking.automatic) player.stop();
    talking.press();
  },
  () => talking.release(),
);
for (const radio of document.querySelectorAll("input[name=mode]")) {
  radio.addEventListener("change", () => {
    if (talking.phase !== "idle") talking.stop();
    talking.automatic = /** @type {HTMLInputElement} */ (radio).value === "automatic";
    show();
  });
}
at("aloud").addEventListener("change", () => at("aloud").checked || player.stop());
at("swap").addEventListener("click", () => languages.swap());
at("typing").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("typed").value.trim();
  if (!text || at("typed").disabled) return;
  at("typed").value = "";
  context.resume();
  say(text, (wish) => session.type(text, wish));
});
at("file").addEventListener("change", () => {
  for (const file of at("file").files) sendFile(file);
  at("file").value = "";
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  for (const file of event.dataTransfer?.files ?? []) sendFile(file);
});
at("credential").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN_KEPT_AS, at("token").value.trim());
  session.close();
  session = connect();
  session.open();
});
for (const element of document.querySelectorAll("[data-tongue]")) {
  element.addEventListener("click", () => {
    speak(/** @type {any} */ (element.getAttribute("data-tongue")));
    languages.show();
    for (const sentence of sentences.values()) sentence.show();
  });
}

window.addEventListener("pagehide", () => session.close());
window.addEventListener("pageshow", ({ persisted }) => persisted && session.open());

translatePage();
show();
languages.look();
session.open();
fetch(document.body.dataset.advice ?? "").then(async (answer) => (advices = await answer.json()));
