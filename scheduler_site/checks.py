"""System checks of the settings: what would go wrong later is said by ``manage.py check``."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

ORIGIN = re.compile(r"https?://[^/\s]+")
REDIS_SCHEMES = ("redis", "rediss", "unix", "valkey", "valkeys")


@register()
def check_settings(**_: Any) -> list[CheckMessage]:
    return [*_prefix(), *_origins(), *_redis_urls()]


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
            yield Error(f"{name} is no Redis address.", id="parley.E003")
