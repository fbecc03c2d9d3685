"""A port that leads to another one, as a load balancer does: with a delay, and not for ever to the
same.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Self
from urllib.parse import urlsplit

CHUNK = 2**16


class Relay:
    """``there_s`` and ``back_s``: how long each byte is on its way. While it ``loses`` what comes
    back, that is ``lost``, and the connection stands.
    """

    def __init__(self, to: str, *, there_s: float = 0.0, back_s: float = 0.0) -> None:
        self.to = to
        self.there_s = there_s
        self.back_s = back_s
        self.loses = False
        self.lost = bytearray()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        """The address that leads to ``to``."""
        port = self._server.sockets[0].getsockname()[1]
        return urlsplit(self.to)._replace(netloc=f"127.0.0.1:{port}").geturl()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = urlsplit(self.to).port
        with suppress(OSError):
            async with _connected(port) as (other_reader, other_writer):
                there = _carry(reader, other_writer.write, lambda: self.there_s)
                back = _carry(other_reader, self._back(writer), lambda: self.back_s)
                tasks = [asyncio.create_task(there), asyncio.create_task(back)]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
        writer.close()

    def _back(self, writer: asyncio.StreamWriter) -> Callable[[bytes], None]:
        return lambda data: self.lost.extend(data) if self.loses else writer.write(data)


@asynccontextmanager
async def _connected(
    port: int | None,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _carry(
    reader: asyncio.StreamReader, write: Callable[[bytes], None], delay_s: Callable[[], float]
) -> None:
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            loop.call_later(delay_s(), write, data)
        await asyncio.sleep(delay_s())
