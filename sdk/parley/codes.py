"""Error codes of both sockets and of REST, each with one sentence of advice.

The advice is for the person at the other end: what to do now, not what went wrong inside.
"""

# ruff: noqa: RUF001
from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """Every code that the service itself sends; a node's own codes pass through besides."""

    INVALID_MESSAGE = "INVALID_MESSAGE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    INVALID_SESSION = "INVALID_SESSION"
    SESSION_CLOSED = "SESSION_CLOSED"
    NODE_UNAVAILABLE = "NODE_UNAVAILABLE"
    NODE_OVERLOADED = "NODE_OVERLOADED"
    MODEL_NOT_AVAILABLE = "MODEL_NOT_AVAILABLE"
    MODEL_LOAD_FAILED = "MODEL_LOAD_FAILED"
    UNSUPPORTED_FEATURE = "UNSUPPORTED_FEATURE"
    INVALID_PAIRING_CODE = "INVALID_PAIRING_CODE"
    NO_AVAILABLE_NODE = "NO_AVAILABLE_NODE"
    NO_CAPABLE_NODE = "NO_CAPABLE_NODE"
    WS_DISCONNECTED = "WS_DISCONNECTED"
    NMT_TIMEOUT = "NMT_TIMEOUT"
    TTS_TIMEOUT = "TTS_TIMEOUT"
    JOB_TIMEOUT = "JOB_TIMEOUT"
    MODEL_VERIFY_FAILED = "MODEL_VERIFY_FAILED"
    MODEL_CORRUPTED = "MODEL_CORRUPTED"
    NO_GPU_AVAILABLE = "NO_GPU_AVAILABLE"
    NODE_ID_CONFLICT = "NODE_ID_CONFLICT"
    INVALID_CAPABILITY_SCHEMA = "INVALID_CAPABILITY_SCHEMA"
    SCHEDULER_DEPENDENCY_DOWN = "SCHEDULER_DEPENDENCY_DOWN"
    PROCESSING_ERROR = "PROCESSING_ERROR"
    RATE_LIMITED = "RATE_LIMITED"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    UNAUTHORIZED = "UNAUTHORIZED"
    QUEUE_TIMEOUT = "QUEUE_TIMEOUT"
    CANCELLED = "CANCELLED"
    NO_RESULT = "NO_RESULT"
    STATE_LOST = "STATE_LOST"


_ADVICE: dict[ErrorCode, tuple[str, str]] = {
    ErrorCode.INVALID_MESSAGE: (
        "Correct the named field of the message and send it again.",
        "请更正消息中指出的字段后重新发送。",
    ),
    ErrorCode.INTERNAL_ERROR: (
        "Try again; if it happens again, give the trace id to the operator.",
        "请重试；如再次出现，请将 trace_id 告知运维人员。",
    ),
    ErrorCode.INVALID_SESSION: (
        "Open a new session and send the message there.",
        "请新建会话后再发送该消息。",
    ),
    ErrorCode.SESSION_CLOSED: (
        "The session has ended: start a new one to go on.",
        "会话已结束，请新建会话后继续。",
    ),
    ErrorCode.NODE_UNAVAILABLE: (
        "Register the node on this connection before anything else.",
        "请先在此连接上注册节点，再发送其他消息。",
    ),
    ErrorCode.NODE_OVERLOADED: (
        "The service is busy: wait a few seconds and say it again.",
        "服务繁忙，请稍等几秒后再说一次。",
    ),
    ErrorCode.MODEL_NOT_AVAILABLE: (
        "Choose another language or feature, or install the missing model on a node.",
        "请更换语言或功能，或在节点上安装缺少的模型。",
    ),
    ErrorCode.MODEL_LOAD_FAILED: (
        "Check the node's memory and model files, then start its service again.",
        "请检查节点的内存和模型文件，然后重新启动该服务。",
    ),
    ErrorCode.UNSUPPORTED_FEATURE: (
        "Leave out this feature or use one of the formats named in the message.",
        "请不要使用此功能，或改用消息中列出的格式。",
    ),
    ErrorCode.INVALID_PAIRING_CODE: (
        "Ask the owner of the node for a new pairing code: one is valid for five minutes, once.",
        "请向节点所有者索取新的配对码：配对码五分钟内有效，且只能使用一次。",
    ),
    ErrorCode.NO_AVAILABLE_NODE: (
        "All nodes for these languages are taken: try again in a moment.",
        "支持这些语言的节点都在忙，请稍后重试。",
    ),
    ErrorCode.NO_CAPABLE_NODE: (
        "No node does all of this: ask for less, choose other languages or add a node for them.",
        "没有节点能完成此请求：请减少要求、更换语言或添加相应的节点。",
    ),
    ErrorCode.WS_DISCONNECTED: (
        "Check the network connection; the client connects again by itself.",
        "请检查网络连接，客户端会自动重新连接。",
    ),
    ErrorCode.NMT_TIMEOUT: (
        "Translating took too long: say it again in shorter sentences.",
        "翻译超时，请用较短的句子再说一次。",
    ),
    ErrorCode.TTS_TIMEOUT: (
        "Speaking the answer took too long: say it again in shorter sentences.",
        "语音合成超时，请用较短的句子再说一次。",
    ),
    ErrorCode.JOB_TIMEOUT: (
        "No answer came in time: say it again.",
        "未能及时得到结果，请再说一次。",
    ),
    ErrorCode.MODEL_VERIFY_FAILED: (
        "Download the model again: its signature does not match.",
        "模型签名不匹配，请重新下载该模型。",
    ),
    ErrorCode.MODEL_CORRUPTED: (
        "Delete the model on the node and install it again.",
        "请在节点上删除该模型并重新安装。",
    ),
    ErrorCode.NO_GPU_AVAILABLE: (
        "Check the graphics card and its driver on the node.",
        "请检查节点的显卡及其驱动程序。",
    ),
    ErrorCode.NODE_ID_CONFLICT: (
        "Give this node another node id: another machine is using this one.",
        "请为该节点更换 node_id：此标识正被另一台机器使用。",
    ),
    ErrorCode.INVALID_CAPABILITY_SCHEMA: (
        "Update the node agent: this service speaks capability schema 2.0.",
        "请更新节点程序：本服务使用 2.0 版能力描述格式。",
    ),
    ErrorCode.SCHEDULER_DEPENDENCY_DOWN: (
        "The service is recovering: try again in a few seconds.",
        "服务正在恢复，请几秒后重试。",
    ),
    ErrorCode.PROCESSING_ERROR: (
        "The node could not process this speech: say it again.",
        "节点无法处理这段语音，请再说一次。",
    ),
    ErrorCode.RATE_LIMITED: (
        "Too many messages in a short time: slow down and go on after the pause.",
        "短时间内消息过多，请放慢速度，暂停结束后再继续。",
    ),
    ErrorCode.QUOTA_EXCEEDED: (
        "Your quota is used up: wait until it is renewed or ask the operator for more.",
        "配额已用完，请等待配额更新或联系运维人员增加配额。",
    ),
    ErrorCode.UNAUTHORIZED: (
        "Use a valid token of the right kind.",
        "请使用类型正确的有效令牌。",
    ),
    ErrorCode.QUEUE_TIMEOUT: (
        "No node became free in time: try again in a moment.",
        "等待空闲节点超时，请稍后重试。",
    ),
    ErrorCode.CANCELLED: (
        "The request was cancelled: send it again if you still want it.",
        "请求已取消，如仍需要请重新发送。",
    ),
    ErrorCode.NO_RESULT: (
        "Nothing was heard in this speech: speak closer to the microphone and say it again.",
        "没有识别到语音，请靠近麦克风再说一次。",
    ),
    ErrorCode.STATE_LOST: (
        "The service lost this request when it restarted: send it again.",
        "服务重启时丢失了该请求，请重新发送。",
    ),
}

_UNKNOWN = (
    "The node reported an error of its own: try again, and tell the node's owner if it stays.",
    "节点报告了自身错误，请重试；如仍出现，请联系节点所有者。",
)


def advice(code: str, lang: str = "en") -> str:
    """One sentence of advice for `code`; `lang` is a BCP-47 tag, Chinese or else English.

    A code that is not in `ErrorCode` (a node's own) gets a general sentence.
    """
    try:
        english, chinese = _ADVICE[ErrorCode(code)]
    except ValueError:
        english, chinese = _UNKNOWN
    return chinese if lang.lower().split("-")[0] == "zh" else english
