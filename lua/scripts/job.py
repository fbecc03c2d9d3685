"""Calls of a job's life: dispatch → take → ack → finish, and release, cancel, restore."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from hashlib import sha1
from typing import Any

from lua.client import Cells
from lua.errors import StoreUnavailable
from lua.script import Arg, Script, Spec
from lua.states import JobState, Level


@dataclass(frozen=True)
class Need:
    """Compiled requirement: where a job may go. Equal needs wait in one queue.

    ``pools`` in order, at most 16 names. ``has``: values of ``has:`` sets that the node must be
    in, such as ``tts:zh``. ``pin``: the only node allowed, or empty; it may be private.
    ``passed``: pools that serve it and are left out, each ``POOL:REASON``, for the history.
    ``starts``: pools that begin a further group, tried when nobody is free in those before; pools
    of one group are ranked together. ``sample``: members looked at in pools that say so.
    ``wishes``: further values, of a node that is taken before others of its group.
    """

    pools: tuple[str, ...]
    has: tuple[str, ...] = ()
    pin: str = ""
    starts: frozenset[str] = frozenset()
    sample: tuple[tuple[str, int], ...] = ()
    wishes: tuple[str, ...] = ()
    passed: str = field(default="", compare=False)

    @cached_property
    def text(self) -> str:
        """Pools, has and pin, separated by tabs; lists by spaces. ``|`` begins a group, ``@4`` says
        how many members are looked at. Each wish is a word after the pools, with a ``~`` before it:
        whoever may have a slot is asked only for ``has``.
        """
        own = dict(self.sample)
        pools = (
            f"{'|' * (pool in self.starts)}{pool}{f'@{own[pool]}' if pool in own else ''}"
            for pool in self.pools
        )
        listed = " ".join([*pools, *(f"~{wish}" for wish in self.wishes)])
        return f"{listed}\t{' '.join(self.has)}\t{self.pin}"

    @cached_property
    def sig(self) -> str:
        """Name of its queue: 16 hex digits of its SHA-1."""
        return _sig(self.text)


NO_UTTERANCE = -1


@lru_cache(4096)
def _sig(text: str) -> str:
    return sha1(text.encode(), usedforsecurity=False).hexdigest()[:16]


class NewJob(Spec, frozen=True, kw_only=True):
    """What ``dispatch`` is told of a job.

    ``request``: idempotency key with its scope (``tenant/credential/KEY``), or empty; ``digest``
    of the body guards it. ``session`` is empty for a job without a live session; ``index``: which
    of its utterances it is, NO_UTTERANCE for none of them. ``preferred``: a node asked for, or
    empty. ``avoid``: nodes to pass over while others can be found.
    ``deadline_ms``: how long it may wait from now; 0 not at all, -1 the default. ``priority``: from
    1, the most urgent, to 5; each step moves its place among those that wait by 2 s. ``size``:
    bytes of the payload. ``retries``: further tries after a failure. ``turn``: of which it is part,
    in a stream, with a ``.`` behind it for the last part.
    """

    job: str
    session: str
    index: int
    request: str
    digest: str
    tenant: str
    src: str
    tgt: str
    need: str
    sig: str
    preferred: str
    avoid: list[str]
    deadline_ms: int
    priority: int
    size: int
    retries: int
    trace: str
    turn: str = ""


@dataclass(frozen=True)
class Reserved:
    """A slot is taken on ``node``; its process finds the job in its mailbox."""

    job: str
    node: str
    attempt: int
    pool: str


@dataclass(frozen=True)
class Dispatched:
    """A slot is taken on ``node``, connected to the asking process as ``conn``: write the frame.

    ``index`` is the node's own consecutive ``utterance_index`` of the session.
    """

    job: str
    node: str
    attempt: int
    pool: str
    conn: str
    index: int


@dataclass(frozen=True)
class Waiting:
    """Nobody is ready; the job waits. ``level``: how crowded its queue is."""

    job: str
    level: Level


@dataclass(frozen=True)
class Refused:
    """The job ended FAILED at once. ``breakdown`` counts the nodes looked at by reason; ``reason``
    is the most frequent, or the limit that is reached (:class:`lua.states.Overload`). ``retry_ms``:
    when a slot may be free, 0 if it never will be.
    """

    job: str
    code: str
    reason: str
    breakdown: dict[str, int]
    retry_ms: int


@dataclass(frozen=True)
class Repeat:
    """The request or job is known already: its present state. Nothing changed."""

    job: str
    state: str
    attempt: int
    node: str


@dataclass(frozen=True)
class Conflict:
    """The request id was used with another body, by ``job``. Nothing changed."""

    job: str


@dataclass(frozen=True)
class NoSession:
    """Redis does not know the session: open it again. Nothing changed."""


@dataclass(frozen=True)
class Missing:
    """The large value is not in the inbox (any more). Nothing changed; handled in here."""


DISPATCH = Script(
    "dispatch",
    (Dispatched, Reserved, Waiting, Refused, Repeat, Conflict, NoSession, Missing),
    NewJob,
)


async def dispatch(
    cells: Cells,
    *,
    cell: int,
    job: NewJob,
    payload: bytes,
    process: str = "",
    passed: str = "",
    spread: bool = False,
    asker: str = "",
) -> Dispatched | Reserved | Waiting | Refused | Repeat | Conflict | NoSession:
    """Choose a node and reserve a slot, or wait, or refuse: one atomic call.

    A job for a node of ``process``, which asks, is Dispatched at once. ``passed`` is that of its
    ``Need``. With ``spread`` the node that its session
    had last is avoided as well. ``asker``: the process that learns of a refusal by the reply;
    where another one has the session by now, that one is told.

    Raises StoreFull when Redis is out of memory; nothing has changed then.
    """
    args = (process, passed, int(spread), asker, job.packed())
    return await _with_value(
        cells, DISPATCH, cell, payload, *args, ttl_ms=cells.limits.payload_ttl_ms
    )


@dataclass(frozen=True)
class Taken:
    """The job is DISPATCHED: write its frame once.

    ``index`` is the node's own consecutive ``utterance_index`` of the session; ``payload`` is
    empty when ``big``: fetch it with :meth:`Cells.payload`.
    """

    index: int
    session: str
    src: str
    tgt: str
    trace: str
    big: bool
    payload: bytes


@dataclass(frozen=True)
class Gone:
    """The reservation is not (or no longer) of this attempt and node: do nothing."""


@dataclass(frozen=True)
class Lost:
    """The payload is missing: the job ended FAILED with STATE_LOST. ``more``: call ``offer``."""

    more: bool


TAKE = Script("take", (Taken, Gone, Lost))


async def take(
    cells: Cells, *, cell: int, job: str, attempt: int, node: str, conn: str
) -> Taken | Gone | Lost:
    """RESERVED → DISPATCHED. Repeated by the same connection it gives the same answer."""
    return await cells.run(TAKE, cell, job, attempt, node, conn)


class AckKind(StrEnum):
    """What a node said of its progress."""

    ACK = "ack"
    STARTED = "started"
    PARTIAL = "partial"


@dataclass(frozen=True)
class Acked:
    """The slot is committed (or was before).

    ``session`` is not empty when that is a session of the asking process: tell it.
    """

    session: str = ""


ACK = Script("ack", (Acked, Gone))


async def ack(
    cells: Cells,
    *,
    cell: int,
    job: str,
    node: str,
    conn: str,
    kind: AckKind,
    partial: bytes = b"",
    process: str = "",
) -> Acked | Gone:
    """DISPATCHED → ACKED. A ``partial`` (JSON) is carried to the session's process."""
    return await cells.run(ACK, cell, job, node, conn, process, kind, partial)


@dataclass(frozen=True)
class Released:
    """The slot is free again; ``state`` is what became of the job. ``more``: call ``offer``."""

    state: JobState
    more: bool


RELEASE = Script("release", (Released, Gone))


async def release(
    cells: Cells, *, cell: int, job: str, attempt: int, node: str, code: str
) -> Released | Gone:
    """Give back a slot without a result (its frame could not be written). Uses up no try."""
    return await cells.run(RELEASE, cell, job, attempt, node, code)


class Verdict(StrEnum):
    """What a node's result means for the job."""

    DONE = "done"
    RETRY = "retry"  # a failure that another node may not have
    FAIL = "fail"  # the input's fault: no other node would do better


class Finish(Spec, frozen=True, kw_only=True):
    """What ``finish`` is told. ``token`` is unique to this result, so a repeat is recognised.

    ``blame``: whose fault a failure may be, so that a breaker counts it: ``*`` the node's, or the
    id of one of its services; empty: nobody's.

    ``size``: bytes of the stored result, 0 without one. ``brief``: small JSON of numbers kept in
    the history (service timings).
    """

    job: str
    node: str
    verdict: Verdict
    blame: str
    code: str
    message: str
    size: int
    brief: str
    token: str


@dataclass(frozen=True)
class Done:
    """The job is DONE; its session's process is told. ``more``: call ``offer``.

    ``session`` is not empty when that is a session of the asking process: tell it.
    """

    more: bool
    session: str = ""


@dataclass(frozen=True)
class Retried:
    """The failed attempt is over; the job is RESERVED elsewhere or WAITING."""

    state: JobState
    more: bool


@dataclass(frozen=True)
class Failed:
    """The job is FAILED; its session's process is told, or ``session`` is to be, as in Done."""

    code: str
    more: bool
    session: str = ""


@dataclass(frozen=True)
class Dropped:
    """The job was cancelled before: its slot is free now, the result is not used."""

    more: bool


@dataclass(frozen=True)
class Late:
    """From a node that does not hold the job, or of a final job. Nothing changed."""

    state: str


@dataclass(frozen=True)
class Unknown:
    """Redis does not know it (yet)."""


FINISH = Script("finish", (Done, Retried, Failed, Dropped, Late, Unknown, Missing), Finish)


async def finish(
    cells: Cells, *, cell: int, outcome: Finish, result: bytes = b"", process: str = ""
) -> Done | Retried | Failed | Dropped | Late | Unknown:
    """End an attempt with the result of the node that holds the job now.

    Works when Redis is out of memory: a large result is then laid down by a script that may.
    """
    if not result:
        return await cells.run(FINISH, cell, "", "", process, outcome.packed())
    args, ttl_ms = (process, outcome.packed()), cells.limits.result_ttl_ms
    return await _with_value(cells, FINISH, cell, result, *args, ttl_ms=ttl_ms)


@dataclass(frozen=True)
class Cancelled:
    """The job is CANCELLED. ``more``: call ``offer``."""

    more: bool


@dataclass(frozen=True)
class Final:
    """The job had ended before, in ``state``."""

    state: JobState


@dataclass(frozen=True)
class Runs:
    """It does not wait, and only if it did it was to be cancelled. Nothing changed."""


CANCEL = Script("cancel", (Cancelled, Final, Runs, Unknown))


async def cancel(
    cells: Cells, *, cell: int, job: str, code: str, process: str = "", only_idle: bool = False
) -> Cancelled | Final | Runs | Unknown:
    """End a live job, or only one that waits. A node that works on it keeps the slot until its
    answer.

    ``process`` had no reply to its ``dispatch``, so it has sent nothing to a node of its own.
    """
    return await cells.run(CANCEL, cell, job, code, process, int(only_idle))


@dataclass(frozen=True)
class Held:
    """The job is made again and is placed in 1 s unless a node claims it before."""


@dataclass(frozen=True)
class Claimed:
    """A node said before that it holds the job; it stays there."""

    node: str


@dataclass(frozen=True)
class Known:
    """Redis never lost it."""

    state: str


RESTORE_JOB = Script("restore_job", (Held, Claimed, Known, NoSession, Missing), NewJob)


async def restore_job(
    cells: Cells, *, cell: int, job: NewJob, payload: bytes
) -> Held | Claimed | Known | NoSession:
    """Make an unfinished job of a live session again after a loss of Redis, under the same id."""
    return await _with_value(
        cells, RESTORE_JOB, cell, payload, job.packed(), ttl_ms=cells.limits.payload_ttl_ms
    )


@dataclass(frozen=True)
class Stashed:
    """The value is in the inbox."""


STASH = Script("stash", (Stashed,))


async def _with_value(
    cells: Cells,
    script: Script,
    cell: int,
    value: bytes,
    *args: Arg,
    ttl_ms: int,
) -> Any:
    """Run a script that is to keep a value: a small one is its argument, a large one it takes out
    of the inbox.

    A value that did not get there (Redis was out of memory, or restarted in between) is laid down
    by a script that may, once.
    """
    if len(value) <= cells.limits.argument_bytes:
        return await cells.run(script, cell, "", value, *args)
    token = await cells.put(cell, value, ttl_ms=ttl_ms)
    reply = await cells.run(script, cell, token, "", *args)
    if not isinstance(reply, Missing):
        return reply
    await cells.run(STASH, cell, token, value, ttl_ms)
    reply = await cells.run(script, cell, token, "", *args)
    if isinstance(reply, Missing):
        raise StoreUnavailable(f"{script.name}: its value was lost twice")
    return reply
