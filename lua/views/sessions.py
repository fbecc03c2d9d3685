"""A session as it is now, and all that another process needs to go on with it."""

from dataclasses import dataclass
from typing import Any

import msgspec

from lua import ids
from lua.client import Cells
from lua.errors import UNREACHABLE, StoreUnavailable
from lua.scripts import NewJob
from lua.views.jobs import JobView, view_of


@dataclass(frozen=True)
class SessionView:
    """A live session: its tenant, and the node that it is paired with, or empty."""

    tenant: str
    pin: str


async def session_now(cells: Cells, session: str) -> SessionView | None:
    """A session as it is now; None: there is no such session. Raises StoreUnavailable."""
    try:
        key = f"{cells.prefixes[ids.cell_of(session, cells.count)]}session:{session}"
    except ValueError:
        return None
    try:
        values: Any = await cells.plain.hmget(key, "tenant", "pin")
    except UNREACHABLE as error:
        raise StoreUnavailable(str(error)) from error
    tenant, pin = values
    return None if tenant is None else SessionView(tenant.decode(), (pin or b"").decode())


@dataclass(frozen=True)
class LiveJob:
    """A job that has not ended. ``spec`` and ``payload``: what makes it anew after a loss; the
    payload is empty when Redis has it no more.
    """

    view: JobView
    spec: NewJob
    payload: bytes


@dataclass(frozen=True)
class SessionJobs:
    """``newest``: the highest index of its utterances, -1 before the first. ``live``: those without
    an end; ``ended``: the last with one, in the order in which they ended. ``now_ms`` is the time
    of Redis.
    """

    newest: int
    live: list[LiveJob]
    ended: list[JobView]
    now_ms: int


async def session_jobs(cells: Cells, session: str) -> SessionJobs:
    """What a session waits for, and what it may not have been told. Raises StoreUnavailable."""
    try:
        return await _read(cells, session)
    except UNREACHABLE as error:
        raise StoreUnavailable(str(error)) from error


async def _read(cells: Cells, session: str) -> SessionJobs:
    cell = ids.cell_of(session, cells.count)
    prefix = cells.prefixes[cell]
    async with cells.plain.pipeline(transaction=True) as pipe:
        pipe.hgetall(f"{prefix}session:{session}")
        pipe.lrange(f"{prefix}answers:{session}", 0, -1)
        pipe.time()
        fields, ended, (seconds, micros) = await pipe.execute()
    names = [name.decode()[4:] for name in fields if name.startswith(b"job:")]
    names += [name.decode() for name in ended]
    async with cells.plain.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.hgetall(f"{prefix}job:{name}")
        hashes = dict(zip(names, await pipe.execute(), strict=True))
    found = (view_of(name, fields) for name, fields in hashes.items())
    views = [view for view in found if view and view.is_utterance]
    return SessionJobs(
        newest=int(fields.get(b"newest", -1)),
        live=[
            LiveJob(view, _spec(hashes[view.job]), await cells.payload(cell, view.job) or b"")
            for view in views
            if not view.is_final
        ],
        ended=[view for view in views if view.is_final],
        now_ms=seconds * 1000 + micros // 1000,
    )


def _spec(fields: dict[bytes, bytes]) -> NewJob:
    avoid = fields[b"avoid"].decode().split()
    return msgspec.structs.replace(NewJob.read(fields[b"spec"]), avoid=avoid)
