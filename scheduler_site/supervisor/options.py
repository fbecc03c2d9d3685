"""What ``make up`` can be told, by environment variables or make's ``NAME=value``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class BadOption(Exception):
    """A variable has a value that cannot be used; the text names it."""


@dataclass(frozen=True)
class Options:
    """``exposed``: others than this machine may connect; ``host_header``: a name by which the
    web processes let themselves be called."""

    host: str
    port: int
    exposed: bool
    web_processes: int
    demo_nodes: int
    folder: Path
    own_valkey: bool
    authentication: bool
    host_header: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Options":
        """Raises ``BadOption``."""
        production = environ.get("PARLEY_ENV") == "production"
        authentication = environ.get("PARLEY_AUTH") or ("required" if production else "off")
        return cls(
            host=environ.get("HOST") or "127.0.0.1",
            port=_number(environ, "PORT", 5010, least=1, most=65535),
            exposed=environ.get("HOST", "") not in ("", "127.0.0.1", "::1", "localhost"),
            web_processes=_number(environ, "WEB", 1, least=1, most=64),
            demo_nodes=_number(environ, "DEMO", 0, least=0, most=1000),
            folder=Path(environ.get("PARLEY_VAR") or ROOT / "var").resolve(),
            own_valkey=not environ.get("STATE_REDIS_URL"),
            authentication=authentication == "required",
            host_header=_host_header(environ.get("ALLOWED_HOSTS", "")),
        )

    @property
    def local_host(self) -> str:
        """The name under which this machine reaches the web processes."""
        if self.host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::"):
            return "localhost"
        return f"[{self.host}]" if ":" in self.host else self.host

    def url(self, path: str, *, scheme: str = "http") -> str:
        return f"{scheme}://{self.local_host}:{self.port}{path}"


def _number(environ: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise BadOption(f"{name} must be a number from {least} to {most}, not {text!r}.")
    return int(text)


def _host_header(allowed_hosts: str) -> str:
    first = allowed_hosts.split(",")[0].strip().lstrip(".")
    return "localhost" if first in ("", "*") else first
