"""Logging: structlog formats everything, also what libraries log; JSON lines in production.

Log lines hold ids, states, times and sizes, never text or audio.
"""

import logging
import sys
import warnings

import structlog
from structlog.types import Processor

# Libraries that tell every call at INFO; uvicorn's lines would hold the tokens of `?token=`.
QUIET = ("celery", "httpx", "uvicorn.error")


def is_a_fault(record: logging.LogRecord) -> bool:
    """Whether a line about a request is worth one: a 4xx or a 503 is an ordinary answer."""
    status = getattr(record, "status_code", 500)
    return bool(status >= 500 and status != 503)


def is_no_refusal(record: logging.LogRecord) -> bool:
    """uvicorn takes every handshake that was answered with an HTTP status for a fault."""
    return record.msg != "ASGI callable returned without completing handshake."


def configure(*, as_json: bool, level: int = logging.INFO) -> None:
    """Send the root logger to stderr through structlog."""
    # Static files are small: that Django reads each at once is no news.
    warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(as_json=as_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))

    # Adding one again changes nothing.
    logging.getLogger("django.request").addFilter(is_a_fault)
    logging.getLogger("uvicorn.error").addFilter(is_no_refusal)


def _renderers(*, as_json: bool) -> list[Processor]:
    if as_json:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # The prettier tracebacks show local variables, and so what people said.
    plain = structlog.dev.plain_traceback
    colors = sys.stderr.isatty()
    return [structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0, exception_formatter=plain)]
