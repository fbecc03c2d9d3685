// @ts-check
/** What the page says, in English and Simplified Chinese. `{name}` is filled in. */

const ENGLISH = {
  title: "Parley – talk",
  from: "I speak",
  to: "Translate into",
  swap: "Swap the languages",
  languages: "Languages",
  talked: "What was said",
  mode: "How to speak",
  hold: "Hold to talk",
  automatic: "Automatic",
  aloud: "Read aloud",
  auto: "any language",
  send: "Send",
  file: "Sound file…",
  use: "Use it",
  token: "This service wants a token:",
  empty: "Say something; it comes back translated.",
  emptyMore: "Choose two languages, hold the button and speak. You can also type, or drop a sound file here.",
  typeLabel: "Type a sentence",
  typePlaceholder: "Type instead of speaking",
  noTyping: "No node for these languages takes typed text: speak, or send a sound file.",
  talkHold: "Hold to talk",
  talkAutomatic: "Listen automatically",
  hintHold: "Hold the button or the space bar while you speak.",
  hintTap: "Speaking… tap again to send.",
  hintHolding: "Speaking… let go to send.",
  hintAutomatic: "Press once, then just speak: a pause ends a sentence.",
  hintListening: "Listening. A pause ends a sentence.",
  hintHearing: "Hearing you…",
  hintPlaying: "Playing the translation; it listens again afterwards.",
  hintAsking: "Please allow the microphone.",
  tooShort: "That was too short: hold the button while you speak.",
  connected: "Connected",
  connectedTo: "Connected, to the node {node} only",
  unpaired: "Connected, but to all nodes: the pairing is over, or its code was wrong. Ask for a new code.",
  connecting: "Connecting…",
  lost: "Connection lost. Trying again; what you said is kept.",
  awayLong: "No connection for five minutes: it does not listen any more. What you said is kept, and sent when the service is back.",
  refused: "The service refused: {message}",
  closed: "Closed",
  unauthorized: "The service does not let this page in: check the token.",
  noNode: "No node is connected, so nothing can be translated yet. Start one, for example with “make up DEMO=3”.",
  noWay: "No node translates between these languages: choose others.",
  noNodeAway: "Nobody can translate this right now ({why}). A sentence waits a few seconds, then it is refused.",
  busy: "All nodes for this are busy: a sentence waits for its turn.",
  notSpoken: "Translated in writing only: no node speaks this language.",
  languagesAway: "The service does not answer which languages it has. Trying again.",
  reason_none: "not available",
  reason_no_nodes: "no node",
  reason_asr_lang_unsupported: "no node understands it",
  reason_lang_pair_unsupported: "no node translates {from} into it",
  reason_src_auto_no_candidate: "no node translates into it",
  reason_offline: "its node is offline",
  reason_status_not_ready: "its node is not ready",
  reason_gpu_unavailable: "its node has no GPU",
  reason_resource_threshold_exceeded: "its node is overloaded",
  reason_not_in_public_pool: "its node is private",
  state_busy: "busy",
  mic_denied: "The browser withholds the microphone. Allow it in the address bar and press again, or type, or drop a sound file here.",
  mic_absent: "This device has no microphone. Type, or drop a sound file here.",
  mic_taken: "Another program uses the microphone. Close it and press again, or type.",
  mic_insecure: "Browsers give the microphone only to secure pages. Open this page as https://… or as http://localhost, or type, or drop a sound file here.",
  mic_unsupported: "This browser has no microphone for pages. Type, or drop a sound file here.",
  mic_lost: "The microphone went away. Press again, or type.",
  mic_unknown: "The microphone could not be opened. Press again, or type.",
  notSound: "The browser cannot read “{name}” as sound. Try a WAV file.",
  silentFile: "There is no speech in “{name}”.",
  tooLong: "That is too long for one sentence: at most 3 minutes.",
  pause: "The service is busy. What you say is kept and sent in {seconds} s.",
  crowded: "Many are waiting: answers take longer.",
  speech: "speech, {seconds} s",
  again: "Play again",
  retry: "Send again",
  step_sent: "sent",
  step_placed: "placed",
  step_placedOn: "on {node}",
  step_recognised: "recognised",
  step_translated: "translated",
  step_spoken: "spoken",
  steps: "Time line, in milliseconds",
  failed_gap_timeout: "The answer takes long. It may still come.",
  failed_job_failed: "This could not be translated.",
  failed_pending_overflow_evict: "Too many answers were waiting; this one was left out.",
  failed_silence_detected: "No speech was heard in this.",
  paired: "This page is paired with the node {node}, which can't do this: choose other languages, or open the page anew for all nodes.",
  failed_closed: "The session ended before the answer came.",
  announced: "{heard}. Translation: {said}",
};

/** @type {typeof ENGLISH} */
const CHINESE = {
  title: "Parley – 对话",
  from: "我说",
  to: "翻译成",
  swap: "交换两种语言",
  languages: "语言",
  talked: "对话内容",
  mode: "说话方式",
  hold: "按住说话",
  automatic: "自动",
  aloud: "朗读译文",
  auto: "任意语言",
  send: "发送",
  file: "音频文件…",
  use: "使用",
  token: "本服务需要令牌：",
  empty: "说一句话，译文马上回来。",
  emptyMore: "选择两种语言，按住按钮说话。也可以输入文字，或把音频文件拖到这里。",
  typeLabel: "输入一句话",
  typePlaceholder: "不说话也可以输入",
  noTyping: "这两种语言没有节点接受文字输入，请说话或发送音频文件。",
  talkHold: "按住说话",
  talkAutomatic: "自动聆听",
  hintHold: "按住按钮或空格键说话。",
  hintTap: "正在说话……再按一次即发送。",
  hintHolding: "正在说话……松开即发送。",
  hintAutomatic: "按一次即可开始说话，停顿表示一句结束。",
  hintListening: "正在聆听，停顿表示一句结束。",
  hintHearing: "正在听您说话……",
  hintPlaying: "正在播放译文，播完后继续聆听。",
  hintAsking: "请允许使用麦克风。",
  tooShort: "太短了，请按住按钮说话。",
  connected: "已连接",
  connectedTo: "已连接，仅限节点 {node}",
  unpaired: "已连接，但使用所有节点：配对已结束，或配对码有误。请索取新的配对码。",
  connecting: "正在连接……",
  lost: "连接中断，正在重试；您说的话不会丢失。",
  awayLong: "已有五分钟没有连接，暂停聆听。您说的话已保留，服务恢复后发送。",
  refused: "服务拒绝了请求：{message}",
  closed: "已关闭",
  unauthorized: "服务不允许本页连接，请检查令牌。",
  noNode: "没有节点连接，暂时无法翻译。请启动节点，例如运行 “make up DEMO=3”。",
  noWay: "没有节点能翻译这两种语言，请选择其他语言。",
  noNodeAway: "目前无法翻译（{why}）。句子会等待几秒，之后被拒绝。",
  busy: "支持这两种语言的节点都在忙，句子会排队等候。",
  notSpoken: "只有文字译文：没有节点能朗读这种语言。",
  languagesAway: "服务没有回答支持哪些语言，正在重试。",
  reason_none: "不可用",
  reason_no_nodes: "没有节点",
  reason_asr_lang_unsupported: "没有节点能听懂",
  reason_lang_pair_unsupported: "没有节点能从{from}译成该语言",
  reason_src_auto_no_candidate: "没有节点能译成该语言",
  reason_offline: "节点不在线",
  reason_status_not_ready: "节点尚未就绪",
  reason_gpu_unavailable: "节点没有显卡",
  reason_resource_threshold_exceeded: "节点负载过高",
  reason_not_in_public_pool: "节点不公开",
  state_busy: "忙",
  mic_denied: "浏览器没有允许使用麦克风。请在地址栏中允许后再按一次，或输入文字，或把音频文件拖到这里。",
  mic_absent: "本设备没有麦克风。请输入文字，或把音频文件拖到这里。",
  mic_taken: "麦克风正被其他程序使用。请关闭该程序后再按一次，或输入文字。",
  mic_insecure: "浏览器只允许安全的网页使用麦克风。请用 https://… 或 http://localhost 打开本页，或输入文字，或把音频文件拖到这里。",
  mic_unsupported: "此浏览器不支持网页使用麦克风。请输入文字，或把音频文件拖到这里。",
  mic_lost: "麦克风已断开。请再按一次，或输入文字。",
  mic_unknown: "无法打开麦克风。请再按一次，或输入文字。",
  notSound: "浏览器无法读取音频文件 “{name}”，请使用 WAV 文件。",
  silentFile: "“{name}” 中没有语音。",
  tooLong: "一句话太长了，最长 3 分钟。",
  pause: "服务繁忙。您说的话已保留，将在 {seconds} 秒后发送。",
  crowded: "排队的人较多，回答会慢一些。",
  speech: "语音，{seconds} 秒",
  again: "再播放一次",
  retry: "重新发送",
  step_sent: "已发送",
  step_placed: "已分配",
  step_placedOn: "{node}",
  step_recognised: "已识别",
  step_translated: "已翻译",
  step_spoken: "已朗读",
  steps: "时间线（毫秒）",
  failed_gap_timeout: "回答较慢，可能稍后才到。",
  failed_job_failed: "这句话未能翻译。",
  failed_pending_overflow_evict: "等待的回答太多，这一句被略过。",
  failed_silence_detected: "没有听到语音。",
  paired: "本页与节点 {node} 配对，而该节点做不到：请选择其他语言，或重新打开本页以使用所有节点。",
  failed_closed: "会话在得到回答之前结束了。",
  announced: "{heard}。译文：{said}",
};

const TABLES = { en: ENGLISH, zh: CHINESE };
const KEPT_AS = "parley.tongue";

/** @typedef {keyof typeof TABLES} Tongue */

/** @type {Tongue} */
export let tongue = remembered() ?? (navigator.languages.find(isKnown)?.startsWith("zh") ? "zh" : "en");

/** @param {string} key @param {Record<string, string | number>} [values] */
export function words(key, values = {}) {
  const text = TABLES[tongue][/** @type {keyof typeof ENGLISH} */ (key)] ?? "";
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** What a language is called here; a code that nobody knows is its own name. */
export function nameOf(language) {
  if (language === "auto") return words("auto");
  try {
    return new Intl.DisplayNames([pageTag()], { type: "language" }).of(language) ?? language;
  } catch {
    return language;
  }
}

/** @param {Tongue} chosen */
export function speak(chosen) {
  tongue = chosen;
  try {
    localStorage.setItem(KEPT_AS, chosen);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
  translatePage();
}

/** Fills in everything that the page itself says. */
export function translatePage() {
  document.documentElement.lang = pageTag();
  document.title = words("title");
  for (const element of document.querySelectorAll("[data-words]")) {
    element.textContent = words(element.getAttribute("data-words") ?? "");
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", words(element.getAttribute("data-label") ?? ""));
  }
  for (const element of document.querySelectorAll("[data-tongue]")) {
    element.setAttribute("aria-pressed", String(element.getAttribute("data-tongue") === tongue));
  }
}

function pageTag() {
  return tongue === "zh" ? "zh-CN" : "en";
}

function isKnown(tag) {
  return /^(en|zh)\b/i.test(tag);
}

/** @returns {Tongue | null} */
function remembered() {
  try {
    const kept = localStorage.getItem(KEPT_AS);
    return kept === "en" || kept === "zh" ? kept : null;
  } catch {
    return null;
  }
}
