"""What lets the client of a session come back to it over another socket.

The token says which session it is, and only its hash is kept. It is good for one return: the
answer to that brings the next one. As that may be lost on its way, the former one stays good until
the client is heard, or must have it.
"""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256

RESUME = "resume"  # in what a client accepts

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


class Tickets:
    """Those of one session. ``present``: the last that was made, None where its client can't come
    back; ``former``: proofs of earlier ones that it may show as well.
    """

    def __init__(self, session: str) -> None:
        self.present: Ticket | None = new_ticket(session)
        self.former: list[str] = []
        self._declines = False  # it does not want to come back once more

    @property
    def token(self) -> str | None:
        """What the client is told to come back with."""
        return self.present.token if self.present and not self._declines else None

    def agree(self, accepts: Collection[str]) -> None:
        """What the client says that it understands."""
        self._declines = RESUME not in accepts
        if not self.former:
            self.heard()

    def renew(self, ticket: Ticket, former: list[str]) -> None:
        """It is back with one of them, and is told of this one."""
        self.present, self.former = ticket, former

    def heard(self) -> None:
        """It is there, and was told."""
        self.former = []
        if self._declines:
            self.present = None

    def fit(self, ticket: Ticket) -> bool:
        """Whether it may come back with this one."""
        return self.present is not None and ticket.proof in (self.present.proof, *self.former)
