"""What lets the client of a session come back to it over another socket.

The token says which session it is, and only its hash is kept. It is good for one return: the
answer to that brings the next one.
"""

import re
import secrets
from dataclasses import dataclass, field
from hashlib import sha256

_TOKEN = re.compile(r"(s-[0-9A-F]{8})\.[\w-]{32}", re.ASCII)


@dataclass(frozen=True)
class Ticket:
    """A session's present token, or what a client shows as one."""

    token: str = field(repr=False)

    @property
    def session(self) -> str | None:
        """The session that it is for; None for what is no token."""
        match = _TOKEN.fullmatch(self.token)
        return match[1] if match else None

    @property
    def proof(self) -> str:
        """SHA-256 of it, hex: what Redis keeps."""
        return sha256(self.token.encode()).hexdigest()


def new_ticket(session: str) -> Ticket:
    """A token of 192 random bits."""
    return Ticket(f"{session}.{secrets.token_urlsafe(24)}")
