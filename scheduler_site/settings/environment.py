"""Typed readers of environment variables; every failure names the variable."""

import contextlib
import os
import secrets
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# Here 0 means none, or no limit; for everything else it would stop the service.
MAY_BE_ZERO = {
    "frames_per_s",
    "max_retries",
    "most_live_bytes",
    "budget_percent",
    "budget_retries",
    "kept_results_bytes",
    "results_at_hand_bytes",
    "reload_pause_ms",
    "doubt_ms",
}

Settings = TypeVar("Settings", bound="DataclassInstance")


def text(name: str, default: str) -> str:
    """The variable's value; an empty one counts as absent."""
    return os.environ.get(name) or default


def required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise ImproperlyConfigured(f"{name} must be set in production.")
    return value


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def integer(name: str, default: int, *, at_least: int) -> int:
    value = text(name, str(default))
    if not value.isdecimal() or int(value) < at_least:
        raise ImproperlyConfigured(f"{name} must be a number from {at_least} up, not {value!r}.")
    return int(value)


def flag(name: str, default: bool) -> bool:
    return choice(name, "on" if default else "off", ("on", "off")) == "on"


def tuned(defaults: Settings) -> Settings:
    """A settings dataclass with its numbers from the environment: ``pause_ms`` is
    ``PARLEY_PAUSE_MS``. Dataclasses inside it count as well.
    """
    changed: dict[str, Any] = {}
    for one in fields(defaults):
        value = getattr(defaults, one.name)
        if is_dataclass(value) and not isinstance(value, type):
            changed[one.name] = tuned(value)
        elif type(value) is int:
            least = 0 if one.name in MAY_BE_ZERO else 1
            changed[one.name] = integer(f"PARLEY_{one.name.upper()}", value, at_least=least)
    return replace(defaults, **changed)


def words(name: str) -> list[str]:
    """A comma-separated list; absent: empty."""
    return [word.strip() for word in text(name, "").split(",") if word.strip()]


def secret(path: Path) -> str:
    """The secret kept in ``path``, made on first use and readable by its owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        # Of two processes that start together, both then read what the first one linked.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()


def database(url: str) -> dict[str, Any]:
    """A Django database from ``sqlite:///PATH`` (four slashes before an absolute one) or ``postgres://USER:PASSWORD@HOST:PORT/NAME``.

    Query arguments become driver options, as in ``?sslmode=require``.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite(Path(unquote(parts.path.removeprefix("/"))))
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(f"DATABASE_URL: unknown scheme {parts.scheme!r}.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def sqlite(path: Path) -> dict[str, Any]:
    """SQLite with a write-ahead log; writers queue for up to 20 s instead of failing."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
