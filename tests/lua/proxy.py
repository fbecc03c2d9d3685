"""A proxy in front of Redis, listening on TCP, whose faults a test commands."""

import asyncio
import ssl
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

CHUNK = 2**16


class Proxy:
    """Passes bytes both ways between its clients and ``upstream``, a ``redis://`` or
    ``unix://`` address without credentials, until told to fail. With ``tls`` its clients have to
    speak TLS. Use it with ``async with``.
    """

    def __init__(self, upstream: str, *, tls: ssl.SSLContext | None = None) -> None:
        self._upstream = urlsplit(upstream)
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._cut_after: int | None = None
        self._forged: bytes | None = None
        self.accepted = 0
        """Connections taken so far."""
        self.requests: list[bytes] = []
        """What clients sent, as it was read from their connections."""

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.refuse()

    @property
    def address(self) -> str:
        """``HOST:PORT`` that it listens on; stays the same when it refuses and accepts again."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The address for clients, with the database of the upstream."""
        db = parse_qs(self._upstream.query).get("db", ["0"])[0]
        if self._upstream.scheme != "unix":
            db = self._upstream.path.strip("/") or "0"
        return f"redis{'s' if self._tls else ''}://{self.address}/{db}"

    async def refuse(self) -> None:
        """Cut all connections and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    async def accept(self) -> None:
        """Take connections, on the same port as before."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self._port, ssl=self._tls
        )
        self._port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Reset all connections now."""
        for writer in self._open:
            writer.transport.abort()

    def cut_reply(self, *, after: int = 0) -> None:
        """Let ``after`` bytes of the next reply through, then close that connection.

        With 0 the command has been executed and nothing of its reply is seen.
        """
        self._cut_after = after

    def forge_reply(self, reply: bytes) -> None:
        """Send ``reply`` in place of the next one."""
        self._forged = reply

    def stall(self) -> None:
        """Hold back all replies; commands still reach the server."""
        self._flowing.clear()

    def flow(self) -> None:
        """Let replies through again, those held back first."""
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        far_reader, far_writer = await self._connect()
        self._open |= {writer, far_writer}
        pumps = [
            asyncio.create_task(self._pass_requests(reader, far_writer)),
            asyncio.create_task(self._pass_replies(far_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._open -= {writer, far_writer}
            writer.close()
            far_writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._upstream.scheme == "unix":
            return await asyncio.open_unix_connection(self._upstream.path)
        return await asyncio.open_connection(self._upstream.hostname, self._upstream.port or 6379)

    async def _pass_requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(CHUNK):
            self.requests.append(data)
            writer.write(data)
            await writer.drain()

    async def _pass_replies(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(CHUNK):
            await self._flowing.wait()
            if self._cut_after is not None:
                writer.write(data[: self._cut_after])
                self._cut_after = None
                return
            if self._forged is not None:
                data, self._forged = self._forged, None
            writer.write(data)
            await writer.drain()
