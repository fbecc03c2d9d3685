"""A redis-py connection as a pipeline needs it: opened, written, read and cut separately.

TLS, AUTH, SELECT and the parser are redis-py's. Its own request and reply pairs are
used while a connection is made; afterwards :mod:`lua.connection` writes and listens.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import hiredis
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.exceptions import ClusterDownError, DataError, ReadOnlyError, RedisError
from redis.exceptions import ConnectionError as ConnectionLost

Argument = bytes | str | int | float
# A server that answers so is the wrong one for now, as one that is LOADING, which redis-py
# already takes for a lost connection. MASTERDOWN is a ClusterDownError too.
NOT_SERVING = (ConnectionLost, ReadOnlyError, ClusterDownError)
LOST = "the connection was closed"


class _Replies(asyncio.Protocol):
    """Reads in place of redis-py's reader, whose way from the socket has many more stations."""

    def __init__(self, parser: hiredis.Reader, take: Callable[[Any], None]) -> None:
        self._parser = parser
        self._take = take
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        if self.end.done():
            return
        try:
            self._parser.feed(data)
            while (reply := self._parser.gets()) is not NOT_ENOUGH_DATA:
                if isinstance(reply, NOT_SERVING):
                    raise reply
                self._take(reply)
        except Exception as error:
            self.end.set_exception(error)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.end.done():
            self.end.set_exception(exc or ConnectionLost(LOST))


class Wire:
    """One connection to the server of ``url``, which may be opened again after it was closed.

    ``url`` is ``redis://``, ``rediss://`` (with redis-py's ``ssl_…`` options) or ``unix://``.
    ``timeout_s`` bounds ``open`` and each ``command``.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        options: dict[str, Any] = {
            **parse_url(url),
            # redis-py's own would use wait_for, which loses cancellations (Python 3.11).
            "socket_timeout": None,
            "socket_connect_timeout": None,
            "protocol": 2,
            "decode_responses": False,
        }
        options.pop("max_connections", None)
        connect = options.pop("connection_class", Connection)
        self._timeout_s = timeout_s
        self._connection: AbstractConnection = connect(**options)

    async def open(self) -> None:
        """Connect and introduce ourselves. Raises RedisError or OSError."""
        async with self._in_time():
            await self._connection.connect()  # type: ignore[no-untyped-call]

    async def command(self, *command: Argument) -> Any:
        """Run one command alone, while no reply is to come. Raises RedisError or OSError."""
        async with self._in_time():
            await self._connection.send_command(*command, check_health=False)
            return await self._connection.read_response()

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_s):
                yield
        except TimeoutError as error:
            raise TimeoutError(f"no connection made in {self._timeout_s} s") from error

    def pack(self, command: Sequence[Argument]) -> bytes:
        """The command in the Redis protocol. Raises DataError for other types."""
        try:
            packed: bytes = hiredis.pack_command(tuple(command))  # type: ignore[arg-type]
        except TypeError as error:
            raise DataError(*error.args) from error
        return packed

    def write(self, packed: Sequence[bytes]) -> None:
        """Send, without waiting. What is written to a lost connection is lost."""
        writer = self._connection._writer
        if writer is not None and not writer.transport.is_closing():
            writer.writelines(packed)

    async def listen(self, take: Callable[[Any], None]) -> None:
        """Give every reply that comes from now on to ``take``; a refusal is its ResponseError.

        Ends only by raising: RedisError or OSError once the connection is lost or the server does
        not serve, and what ``take`` raises.
        """
        writer = self._connection._writer
        if writer is None or writer.transport.is_closing():
            raise ConnectionLost(LOST)
        if await self._connection.can_read():
            raise ConnectionLost("the server ended the connection, or spoke without being asked")
        parser: Any = self._connection._parser
        replies = _Replies(parser._reader, take)
        writer.transport.set_protocol(replies)
        await replies.end

    def cut(self) -> None:
        """Drop the connection at once, with all that is not yet sent; ``listen`` then raises."""
        writer = self._connection._writer
        if writer is not None:
            writer.transport.abort()

    async def close(self) -> None:
        """Drop the connection, so that it can be opened again."""
        self.cut()
        with suppress(RedisError, OSError):
            await self._connection.disconnect(nowait=True)
