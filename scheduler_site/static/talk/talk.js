// @ts-check
/** The page: puts the parts together. What goes over the wire is in `session.js`. */

import { inAddress, keepToken, token } from "./address.js";
import { listenTo } from "./button.js";
import { Conversation } from "./conversation.js";
import { sentencesOf, takeDropped } from "./files.js";
import { Languages } from "./languages.js";
import { Player } from "./player.js";
import { speechOf } from "./sentence.js";
import { Session } from "./session.js";
import { choiceText, connectionText, hintText, isShutOut } from "./standing.js";
import { Talking } from "./talking.js";
import { speak, tongue, translatePage, words } from "./words.js";

const CROWDED_MS = 5000; // so long it is said
const MOST_AWAY_MS = 300_000; // of what is heard without a connection: 10 MB

const at = (id) => /** @type {any} */ (document.getElementById(id));
/** @type {Record<string, Record<string, string>>} */
let advices = {};
/** @type {import("./standing.js").Connection} */
let connection = { state: "connecting", tries: 0 };
let awaySince = 0; // 0: it is not

const pairing = inAddress("pairing") ?? undefined;
const context = new AudioContext();
const player = new Player(context);
const languages = new Languages(document.body.dataset.languages ?? "", at("from"), at("to"), show);
const conversation = new Conversation(at("sentences"), player, {
  wish: () => ({
    src: languages.from,
    tgt: languages.to,
    speech: isSpoken(),
  }),
  advice,
  announce: (text) => (at("spoken").textContent = text),
  change: show,
});
const talking = new Talking(context, {
  sentence: (samples) =>
    say(speechOf(samples.length), (session, wish) => session.say(samples, wish)),
  stream: () => (isSpoken() ? session.stream({ src: languages.from, tgt: languages.to }) : null),
  change: () => {
    player.hold(talking.isSpeaking);
    show();
  },
  level: (level) => at("talk").style.setProperty("--level", String(Math.min(1, level * 6))),
  fault: (why) => tell(words(why)),
  deaf: () => player.isPlaying,
});
/** @type {Session} */ let session;
session = connect();

/** Whether answers are to be spoken; a stream can't say that they are not. */
function isSpoken() {
  return at("aloud").checked && (languages.choice?.spoken ?? true);
}

/** Opens a session; it stays open, whatever becomes of the connection. */
function connect() {
  const init = { enable_streaming_asr: true, pairing_code: pairing };
  const made = new Session({ src: languages.from, tgt: languages.to, token: token(), init });
  made.on("state", (change) => {
    connection = change;
    if (change.state === "open") awaySince = 0;
    else awaySince ||= Date.now();
    if (talking.phase === "listening") listenWithoutConnection();
    show();
  });
  made.on("error", ({ code, message, details }) => {
    // Those of a sentence are shown with it.
    if (details?.utterance_index === undefined) tell(advice(code) || message);
  });
  made.on("pressure", ({ action, resume_after_ms = CROWDED_MS }) => {
    const seconds = Math.ceil(resume_after_ms / 1000);
    const text = action === "PAUSE" ? words("pause", { seconds }) : words("crowded");
    tell(text);
    setTimeout(() => at("notice").textContent === text && tell(""), resume_after_ms);
  });
  conversation.use(made);
  made.open();
  return made;
}

/** All that is heard meanwhile is kept, but not for ever. */
function listenWithoutConnection() {
  if (!awaySince || Date.now() - awaySince < MOST_AWAY_MS) return;
  talking.stop();
  tell(words("awayLong"));
}

/** @param {string} text @param {import("./conversation.js").Send} send */
function say(text, send) {
  tell("");
  try {
    conversation.say(text, send);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    tell(words("tooLong"));
  }
}

/** What to do about an error, in the page's language. */
function advice(code) {
  if (!code) return "";
  if (code === "NO_CAPABLE_NODE" && session.node) return words("paired", { node: session.node });
  return (advices[code] ?? advices.ANY_OTHER)?.[tongue] ?? "";
}

function tell(text) {
  at("notice").textContent = text;
  at("notice").hidden = !text;
}

/** Everything that depends on how things stand. */
function show() {
  const shutOut = isShutOut(connection, languages, token());
  at("connection").dataset.state = connection.state;
  at("connection").textContent = connectionText(
    connection,
    shutOut,
    session?.node,
    pairing !== undefined,
  );
  at("credential").hidden = !shutOut;
  at("swap").disabled = !languages.canSwap;
  at("choice").textContent = choiceText(connection, languages);
  showButton();
  const { typed = true, state = "none" } = languages.choice ?? {};
  at("typed").disabled = !typed && state !== "none";
  at("typed").placeholder = words("typePlaceholder");
  at("typeHint").textContent = at("typed").disabled ? words("noTyping") : "";
}

function showButton() {
  const { phase, automatic, isHearing } = talking;
  const button = at("talk");
  button.dataset.phase = isHearing ? "hearing" : phase;
  button.setAttribute("aria-pressed", String(phase !== "idle" && phase !== "asking"));
  button.setAttribute("aria-label", words(automatic ? "talkAutomatic" : "talkHold"));
  at("hint").textContent = hintText(talking, player.isPlaying);
}

/** @param {Iterable<File>} files */
async function sendFiles(files) {
  context.resume();
  for (const file of files) {
    const parts = await sentencesOf(file).catch(() => null);
    if (!parts) tell(words("notSound", { name: file.name }));
    else if (!parts.length) tell(words("silentFile", { name: file.name }));
    for (const samples of parts ?? []) {
      const text = `${file.name} (${speechOf(samples.length)})`;
      say(text, (session, wish) => session.say(samples, wish));
    }
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
  say(text, (session, wish) => session.type(text, wish));
});
at("file").addEventListener("change", () => {
  sendFiles([...at("file").files]);
  at("file").value = "";
});
takeDropped(document, sendFiles);
at("credential").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(at("token").value.trim());
  session.close();
  session = connect();
});
for (const element of document.querySelectorAll("[data-tongue]")) {
  element.addEventListener("click", () => {
    speak(/** @type {any} */ (element.getAttribute("data-tongue")));
    languages.show();
    conversation.show();
  });
}
window.addEventListener("pagehide", () => session.close());
window.addEventListener("pageshow", ({ persisted }) => persisted && session.open());

translatePage();
show();
languages.look();
fetch(document.body.dataset.advice ?? "").then(async (answer) => (advices = await answer.json()));
