"""What ``make up`` can be told, by environment variables or make's ``NAME=value``."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class BadOption(Exception):
    """A variable has a value that cannot be used; the text names it."""


@dataclass(frozen=True)
class Options:
    """``exposed``: others than this machine may connect."""

    host: str
    port: int
    exposed: bool
    web_processes: int
    demo_nodes: int
    speech_node: bool
    folder: Path
    own_valkey: bool
    authentication: bool
    allowed_hosts: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Options":
        """Raises ``BadOption``."""
        production = environ.get("PARLEY_ENV") == "production"
        authentication = environ.get("PARLEY_AUTH") or ("required" if production else "off")
        return cls(
            host=environ.get("HOST") or "127.0.0.1",
            port=_number(environ, "PORT", 5010, least=1, most=65535),
            exposed=not _is_loopback(environ.get("HOST") or "localhost"),
            web_processes=_number(environ, "WEB", 1, least=1, most=64),
            demo_nodes=_number(environ, "DEMO", 0, least=0, most=100),
            speech_node=bool(_number(environ, "SPEECH", 0, least=0, most=1)),
            folder=Path(environ.get("PARLEY_VAR") or ROOT / "var").resolve(),
            own_valkey=not environ.get("STATE_REDIS_URL"),
            authentication=authentication == "required",
            allowed_hosts=environ.get("ALLOWED_HOSTS", ""),
        )

    @property
    def own_nodes(self) -> bool:
        """Whether it starts nodes itself."""
        return bool(self.demo_nodes) or self.speech_node

    @property
    def risk(self) -> str:
        """What to warn of; empty: nothing."""
        if not self.exposed or self.authentication:
            return ""
        return (
            f"everybody who reaches {self.host}:{self.port} can use this Parley: "
            "authentication is off (PARLEY_AUTH=required turns it on)."
        )

    @property
    def names(self) -> str:
        """``ALLOWED_HOSTS`` of the web processes: any name once others may connect."""
        return self.allowed_hosts or ("*" if self.exposed else "")

    @property
    def host_header(self) -> str:
        """A name by which the web processes let themselves be called."""
        first = self.allowed_hosts.split(",")[0].strip().lstrip(".")
        return "localhost" if first in ("", "*") else first

    @property
    def local_host(self) -> str:
        """The name under which this machine reaches the web processes."""
        if self.host in ("127.0.0.1", "localhost", "0.0.0.0"):
            return "localhost"
        if self.host == "::":
            return "[::1]"
        return f"[{self.host}]" if ":" in self.host else self.host

    def url(self, path: str, *, scheme: str = "http") -> str:
        return f"{scheme}://{self.local_host}:{self.port}{path}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _number(environ: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise BadOption(f"{name} must be a number from {least} to {most}, not {text!r}.")
    return int(text)
