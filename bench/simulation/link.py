"""One bare connection to a server, shared by simulations that take turns on it."""

import socket
from collections.abc import Generator, Sequence
from typing import Any, TypeVar

import hiredis

from bench.simulation.world import Command

Result = TypeVar("Result")
READ_BYTES = 65_536


class Link:
    """A unix socket; ``url`` as of :func:`bench.connection.server`. Replies come in order."""

    def __init__(self, url: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(url.removeprefix("unix://"))
        self._reader = hiredis.Reader()

    def send(self, commands: Sequence[Command]) -> None:
        """Write commands; does not wait."""
        self._socket.sendall(b"".join(map(hiredis.pack_command, commands)))

    def receive(self, count: int) -> list[Any]:
        """The next replies. Raises the first error among them."""
        replies: list[Any] = []
        while len(replies) < count:
            reply = self._reader.gets()
            if reply is False:
                data = self._socket.recv(READ_BYTES)
                if not data:
                    raise ConnectionError("the server is gone")
                self._reader.feed(data)
                continue
            if isinstance(reply, hiredis.ReplyError):
                raise reply
            replies.append(reply)
        return replies

    def ask(self, *commands: Command) -> list[Any]:
        """Replies to commands."""
        self.send(commands)
        return self.receive(len(commands))

    def close(self) -> None:
        """Disconnect."""
        self._socket.close()


def run_together(
    link: Link, runs: Sequence[Generator[list[Command], list[Any], Result]]
) -> list[Result]:
    """Results of all, in their order. While one thinks, the server works for the others."""
    results: dict[int, Result] = {}
    asked: list[tuple[int, int]] = []  # which of them waits for how many replies

    def go_on(number: int, replies: list[Any] | None) -> None:
        try:
            commands = runs[number].send(replies)  # type: ignore[arg-type]  # None starts it
        except StopIteration as stop:
            results[number] = stop.value
        else:
            link.send(commands)
            asked.append((number, len(commands)))

    for number in range(len(runs)):
        go_on(number, None)
    while asked:
        number, count = asked.pop(0)
        go_on(number, link.receive(count))
    return [results[number] for number in range(len(runs))]
