"""The client of all cells: runs scripts, carries large values, and reads what people ask for."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic, perf_counter
from typing import Any

import redis.asyncio as aioredis
from redis.exceptions import NoScriptError, OutOfMemoryError, ResponseError

from lua import ids
from lua.composer import Composed
from lua.connection import Multiplexed
from lua.errors import (
    UNREACHABLE,
    CellsDiffer,
    LayoutDiffers,
    ScriptFailed,
    StoreFull,
    StoreUnavailable,
)
from lua.keys import LAYOUT, cell_prefix
from lua.limits import Limits
from lua.script import Arg, Script

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoreSettings:
    """Where the live state is. Every process of one service needs the same values."""

    url: str
    prefix: str = "parley:"
    cells: int = 1
    limits: Limits = Limits()  # noqa: RUF009 - frozen


FAILURE_TOLD_EVERY_S = 60.0
FIRST_LAYOUT = 1  # did not say so
SOCKET_OPTIONS: dict[str, Any] = {
    "protocol": 2,
    "socket_timeout": 15,
    "health_check_interval": 10,
}


class Cells:
    """Connections to all cells, one multiplexed connection each for scripts.

    Use :meth:`start` and :meth:`close`, or ``async with``. All calls raise ``StoreError``:
    ``StoreUnavailable`` without an answer, ``StoreFull`` when Redis is out of memory and the
    script could not start (nothing has changed then), ``ScriptFailed`` for a defect.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self.settings = settings
        self.count = settings.cells
        self.limits = settings.limits
        self.prefixes = [cell_prefix(settings.prefix, cell) for cell in range(settings.cells)]
        self._composed: dict[str, Composed] = {}
        self._by_digest: set[str] = set()  # scripts that are no functions on this server
        self._connections = [
            Multiplexed(settings.url, on_connect=self._load_scripts) for _ in self.prefixes
        ]
        self.times: defaultdict[str, list[float]] = defaultdict(lambda: [0, 0.0])
        """By script: answered calls, and the seconds from call to answer summed up."""
        self._failures: dict[str, float] = {}  # script → when its failure was last logged
        self.plain: aioredis.Redis = aioredis.Redis.from_url(settings.url, **SOCKET_OPTIONS)

    async def start(self, known: Iterable[Script] = ()) -> None:
        """Begin to connect; Redis may be away.

        Calls of ``known`` scripts stay in their order from the first on: a script that the server
        does not know is sent again, behind the calls that came after it.
        """
        for script in known:
            self._whole(script)
        await asyncio.gather(*(connection.start() for connection in self._connections))

    async def close(self) -> None:
        """End all pending calls with StoreUnavailable and disconnect."""
        await asyncio.gather(*(connection.close() for connection in self._connections))
        await self.plain.aclose()

    async def __aenter__(self) -> "Cells":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def agree(self) -> None:
        """Note the layout and how many cells there are, for all who come later.

        Raises StateDiffers where it was another layout or number before; StoreError.
        """
        call, key = self._connections[0].call, f"{self.prefixes[0]}config"
        with suppress(ResponseError):  # out of memory: then somebody was here before
            if not await call("HEXISTS", key, "cells"):
                await call("HSETNX", key, "layout", LAYOUT)
                await call("HSETNX", key, "cells", self.count)
        count, layout = await call("HMGET", key, "cells", "layout")
        there = int(layout or FIRST_LAYOUT)
        if count and there != LAYOUT:
            raise LayoutDiffers(LAYOUT, there)
        if count and int(count) != self.count:
            raise CellsDiffer(self.count, int(count))

    def on_reconnect(self, hook: Callable[[int], None]) -> None:
        """Call ``hook(cell)`` whenever a cell's script connection was lost and is back."""
        for cell, connection in enumerate(self._connections):
            connection.reconnected.append(lambda cell=cell: hook(cell))  # type: ignore[misc]

    async def run(self, script: Script, cell: int, *args: Arg) -> Any:
        """Run a script in a cell. The command is issued before the first suspension.

        A lost reply is asked for again, so the script may run twice: all of them bear it.
        """
        whole = self._whole(script)
        connection = self._connections[cell]
        given = (1, self.prefixes[cell], *args)
        began_s = perf_counter()
        try:
            try:
                if script.name in self._by_digest:
                    reply = await connection.call("EVALSHA", whole.sha, *given)
                else:
                    reply = await connection.call("FCALL", whole.name, *given)
            except ResponseError as error:
                if not _is_unknown(error):
                    raise
                if script.name not in self._by_digest:
                    connection.tell("FUNCTION", "LOAD", whole.library)
                reply = await connection.call("EVAL", whole.text, *given)
        except OutOfMemoryError as error:
            raise StoreFull(str(error)) from error
        except ResponseError as error:
            self._tell_failure(script.name, error)
            raise ScriptFailed(f"{script.name}: {error}") from error
        times = self.times[script.name]
        times[0] += 1
        times[1] += perf_counter() - began_s
        return script.decode(reply)

    def _tell_failure(self, name: str, error: ResponseError) -> None:
        """Once a minute of each script, whatever becomes of the call: nobody expects it."""
        now_s = monotonic()
        if now_s >= self._failures.get(name, float("-inf")) + FAILURE_TOLD_EVERY_S:
            self._failures[name] = now_s
            log.error("the script %s failed: %s", name, error)

    def _whole(self, script: Script) -> Composed:
        whole = self._composed.get(script.name)
        if whole is None:
            whole = self._composed[script.name] = script.composed(self.limits)
        return whole

    async def _load_scripts(self, send: Callable[..., Any]) -> None:
        """After each connect, so that calls stay in order even on a server that forgot them.

        A server takes no new function while its memory is short, or from a user who may not load
        any. It then runs the same script by its digest, a little slower.
        """
        for name, whole in list(self._composed.items()):
            self._by_digest.discard(name)
            try:
                await send("FUNCTION", "LOAD", whole.library)
            except ResponseError as refusal:
                if "already exists" not in str(refusal):
                    await send("SCRIPT", "LOAD", whole.text)
                    self._by_digest.add(name)

    async def pools(self, cell: int) -> dict[str, bytes]:
        """Definitions (JSON) of the auto pools that have members in this cell, by name."""
        flat = await self._connections[cell].call("HGETALL", f"{self.prefixes[cell]}pools")
        return {name.decode(): body for name, body in zip(flat[::2], flat[1::2], strict=True)}

    async def offers(self, cell: int) -> dict[str, dict[frozenset[str], int]]:
        """By pool: how many members offer just these ``has:`` values, all of them together."""
        flat = await self._connections[cell].call("HGETALL", f"{self.prefixes[cell]}offers")
        found: dict[str, dict[frozenset[str], int]] = {}
        for field, members in zip(flat[::2], flat[1::2], strict=True):
            pool, *values = field.decode().split()
            found.setdefault(pool, {})[frozenset(values)] = int(members)
        return found

    async def config(self, cell: int) -> tuple[int, bytes]:
        """Version and content (JSON) of the configuration; ``(0, b"")`` before the first."""
        reply = await self._connections[cell].call(
            "HMGET", f"{self.prefixes[cell]}config", "version", "content"
        )
        return int(reply[0] or 0), reply[1] or b""

    async def lay_down(self, cell: int, key: str, value: str, *, ttl_ms: int) -> None:
        """Set a small value of a cell for some time. Raises StoreError."""
        name = f"{self.prefixes[cell]}{key}"
        try:
            await self._connections[cell].call("SET", name, value, "PX", ttl_ms)
        except ResponseError as error:
            raise StoreFull(str(error)) from error

    async def put(self, cell: int, value: bytes, *, ttl_ms: int) -> str:
        """Lay a large value where a script of the cell can take it; returns its token.

        It stays for ``ttl_ms``, also once it is taken.

        Small values are issued at once, in order with the script call that follows, and do not
        suspend. Larger ones go over a connection of their own and are there on return.
        """
        token = ids.new_token()
        key = f"{self.prefixes[cell]}inbox:{token}"
        if len(value) <= self.limits.inline_bytes:
            # One that is not stored is found missing by the script that wants it.
            self._connections[cell].tell("SET", key, value, "PX", ttl_ms)
        else:
            await self._plain(self.plain.set(key, value, px=ttl_ms))
        return token

    async def payload(self, cell: int, job: str) -> bytes | None:
        """What the node is to be sent, for a ``take`` that answered BIG; None once it is gone."""
        value: bytes | None = await self._plain(
            self.plain.get(f"{self.prefixes[cell]}payload:{job}")
        )
        return value

    async def result(self, cell: int, job: str, *, size: int) -> bytes | None:
        """What the node answered; None once it is gone. ``size`` in bytes chooses the way."""
        key = f"{self.prefixes[cell]}result:{job}"
        if size > self.limits.inline_bytes:
            return await self._plain(self.plain.get(key))  # type: ignore[no-any-return]
        value: bytes | None = await self._connections[cell].call("GET", key)
        return value

    async def _plain(self, call: Any) -> Any:
        try:
            return await call
        except OutOfMemoryError as error:
            raise StoreFull(str(error)) from error
        except UNREACHABLE as error:
            raise StoreUnavailable(str(error)) from error


def _is_unknown(error: ResponseError) -> bool:
    """Whether the server did not know the script, and so did nothing."""
    return isinstance(error, NoScriptError) or str(error) == "Function not found"
