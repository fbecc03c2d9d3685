"""System checks of the settings: what would go wrong later is said by ``manage.py check``."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from pools.modules import FEATURES, MODULES, STEPS, table_faults

ORIGIN = re.compile(r"https?://[^/\s]+")
REDIS_SCHEMES = ("redis", "rediss", "unix")


@register()
def check_settings(**_: Any) -> list[CheckMessage]:
    return [*_prefix(), *_origins(), *_redis_urls(), *_numbers(), *_relations(), *_modules()]


@register(Tags.security, deploy=True)
def check_production(**_: Any) -> list[CheckMessage]:
    """What is fine on a developer's machine and not beyond it."""
    found: list[CheckMessage] = []
    if settings.PARLEY_AUTH == "off":
        found.append(Warning("PARLEY_AUTH is off: everybody may connect.", id="parley.W001"))
    if settings.STATE_REDIS_URL.startswith(f"unix://{settings.VAR_DIR}"):
        found.append(
            Warning(
                "STATE_REDIS_URL is not set: the embedded Valkey serves one machine only.",
                id="parley.W002",
            )
        )
    return found


def _prefix() -> Iterator[CheckMessage]:
    if not re.fullmatch(r"[^\s{}]+", settings.PARLEY_PREFIX):
        # Braces are the hash tags that keep a cell's keys together.
        yield Error("PARLEY_PREFIX must not hold spaces or braces.", id="parley.E001")


def _origins() -> Iterator[CheckMessage]:
    for origin in settings.PARLEY_ORIGINS:
        if not ORIGIN.fullmatch(origin):
            yield Error(
                f"PARLEY_ORIGINS: {origin!r} is no origin.",
                hint="Write scheme, host and port only: https://talk.example",
                id="parley.E002",
            )


def _redis_urls() -> Iterator[CheckMessage]:
    for name in ("STATE_REDIS_URL", "BROKER_REDIS_URL", "CACHE_REDIS_URL"):
        if urlsplit(getattr(settings, name)).scheme not in REDIS_SCHEMES:
            yield Error(
                f"{name} is no Redis address.",
                hint="Write redis://, rediss:// or unix://, for Valkey as well.",
                id="parley.E003",
            )


def _modules() -> Iterator[CheckMessage]:
    for fault in table_faults(MODULES, STEPS | FEATURES):
        yield Error(f"The table of modules: {fault}", id="parley.E005")


def _numbers() -> Iterator[CheckMessage]:
    for name in ("PARLEY_POOLS", "PARLEY_JOBS", "PARLEY_NODES", "PARLEY_LIMITS"):
        for path, value in _fields(name, getattr(settings, name)):
            if isinstance(value, int | float) and value < 0:
                yield Error(f"{path} must not be negative, it is {value}.", id="parley.E004")


def _relations() -> Iterator[CheckMessage]:
    """Times that only make sense below others."""
    jobs, limits = settings.PARLEY_JOBS, settings.PARLEY_LIMITS
    run_ms, streams = limits.job_timeout_ms, jobs.streams
    pause_ms = streams.stream_timeout_ms
    window_ms, result_ms = limits.resume_window_ms, limits.result_ttl_ms
    length, memory = streams.stream_length_bytes, streams.stream_memory_bytes
    pairs = (
        ("PARLEY_LEASE_PAUSE_MS", jobs.lease_pause_ms, "PARLEY_LEASE_MS", limits.lease_ms),
        ("PARLEY_GAP_MS", jobs.order.gap_ms, "PARLEY_PATIENT_GAP_MS", jobs.order.patient_gap_ms),
        ("PARLEY_FINAL_HOLD_MS", streams.final_hold_ms, "PARLEY_STREAM_TIMEOUT_MS", pause_ms),
        ("PARLEY_STREAM_LENGTH_BYTES", length, "PARLEY_STREAM_MEMORY_BYTES", memory),
        ("PARLEY_ACK_TIMEOUT_MS", limits.ack_timeout_ms, "PARLEY_JOB_TIMEOUT_MS", run_ms),
        ("PARLEY_JOB_TIMEOUT_MS", run_ms, "PARLEY_JOB_LIFE_MS", limits.job_life_ms),
        ("PARLEY_JOB_LIFE_MS", limits.job_life_ms, "PARLEY_PAYLOAD_TTL_MS", limits.payload_ttl_ms),
        ("PARLEY_RESUME_WINDOW_MS", window_ms, "PARLEY_RESULT_TTL_MS", result_ms),
        ("PARLEY_RESEND_MS", jobs.resend_ms, "PARLEY_RESULT_TTL_MS", result_ms),
    )
    for low_name, low, high_name, high in pairs:
        if low >= high:
            yield Error(f"{low_name} ({low}) must be below {high_name} ({high}).", id="parley.E006")


def _fields(path: str, group: Any) -> Iterator[tuple[str, object]]:
    for field in fields(group):
        value = getattr(group, field.name)
        if is_dataclass(value):
            yield from _fields(f"{path}.{field.name}", value)
        else:
            yield f"{path}.{field.name}", value
