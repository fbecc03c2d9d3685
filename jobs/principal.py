"""Who is at the other end of a connection, as the handshake found out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Principal:
    """``kind``: node, session or operator; ``credential``: SHA-256 (hex) of the token that was
    shown; both it and ``tenant`` are empty while authentication is off. ``address``: the peer's.
    """

    kind: str
    tenant: str
    credential: str
    address: str

    @property
    def is_known(self) -> bool:
        """Whether it has shown a credential."""
        return bool(self.credential)
