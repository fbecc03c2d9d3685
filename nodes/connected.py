"""A registered connection of a node, as the registry of its process sees it."""

from typing import Protocol

from lua import scripts
from nodes.standing import Standing


class Out(Protocol):
    """Its way out."""

    def assign(self, job: str, attempt: int) -> None: ...

    def send(self, job: str, attempt: int, taken: scripts.Taken) -> None: ...

    def cancel(self, job: str, code: str) -> None: ...


class Connected(Protocol):
    """Over a socket, or for as long as the node asks for jobs over REST."""

    standing: Standing

    @property
    def delivery(self) -> Out: ...

    def gives_way_to(self, newer: Standing) -> bool: ...

    def replaced(self) -> None: ...

    def control(self, command: str, reason: str) -> None: ...

    async def replay(self) -> None: ...

    async def reconsider(self) -> None: ...
