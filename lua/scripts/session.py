"""Calls of a session's life: it is opened, may be resumed, and is closed; some of its utterances
make no job.
"""

from dataclasses import dataclass

import msgspec

from lua import ids
from lua.client import Cells
from lua.script import Script, Spec
from lua.scripts.job import Known, NoSession


class NewSession(Spec, frozen=True, kw_only=True):
    """What ``open_session`` is told of a session.

    ``tenant`` and ``credential`` (a hash): whose it is. ``pin``: the node that it is paired
    with, or empty. ``proof``: SHA-256 (hex) of the token that resumes it, empty where its client
    can't; ``former``: those of earlier tokens that do so as well, because the acknowledgement of
    its last return may be lost. ``generation``: how often it was resumed. ``away``: its socket is
    gone; it ends by itself unless it is resumed. ``begins``: it has just been given its name.
    ``newest``: the highest index of its utterances, -1 before the first.
    ``known``: on a replay, its unfinished jobs: its other live jobs are cancelled. ``mark``: of
    this call, by which it is recognised where its reply was lost and it comes again: it must not
    cancel what was begun after it.
    """

    session: str
    process: str
    tenant: str
    credential: str = ""
    pin: str = ""
    proof: str = ""
    former: list[str] = []
    generation: int = 0
    away: bool = False
    begins: bool = False
    newest: int = -1
    known: list[str] | None = None
    mark: str = msgspec.field(default_factory=ids.new_token)


@dataclass(frozen=True)
class Opened:
    """The session is there and belongs to the process."""


@dataclass(frozen=True)
class Elsewhere:
    """Its client has resumed it since, maybe at another process. Nothing changed."""


@dataclass(frozen=True)
class NameTaken:
    """Another session has the name. Nothing changed."""


OPEN_SESSION = Script("open_session", (Opened, Elsewhere, NameTaken), NewSession)


async def open_session(
    cells: Cells, *, cell: int, session: NewSession
) -> Opened | Elsewhere | NameTaken:
    """Make a session, or make it known again."""
    return await cells.run(OPEN_SESSION, cell, session.packed())


class Return(Spec, frozen=True, kw_only=True):
    """A client that wants its session back at ``process``. ``proof`` of the token that it shows;
    ``next_proof``: that of its next one. A call repeated with the same is answered the same.
    """

    session: str
    process: str
    tenant: str
    credential: str
    proof: str
    next_proof: str


@dataclass(frozen=True)
class Resumed:
    """The session belongs to the process now, and has done so since the generation ``since``.
    ``former``: proofs that are good still, until the process says in ``open_session`` that they are
    not. ``pin``: the node that it is paired with, or empty.
    """

    generation: int
    since: int
    former: list[str]
    pin: str


@dataclass(frozen=True)
class Denied:
    """There is no such session, or the token is not good any more, or somebody else's."""


RESUME_SESSION = Script("resume_session", (Resumed, Denied), Return)


async def resume_session(cells: Cells, *, cell: int, back: Return) -> Resumed | Denied:
    """Take a session over for the client that shows its token."""
    return await cells.run(RESUME_SESSION, cell, back.packed())


@dataclass(frozen=True)
class Closed:
    """``cancelled`` live jobs of it were ended; ``more``: call again."""

    cancelled: int
    more: bool


CLOSE_SESSION = Script("close_session", (Closed,))


async def close_session(cells: Cells, *, cell: int, session: str, process: str) -> Closed:
    """End a session and its live jobs, unless another process has taken it over."""
    return await cells.run(CLOSE_SESSION, cell, session, process)


class RefusedJob(Spec, frozen=True, kw_only=True):
    """An utterance that ends without having been dispatched; a request by REST has no ``index``
    (``NO_UTTERANCE``) and maybe no ``session``. ``src`` and ``tgt``: tags as given. ``code``,
    ``message`` and ``reason``: why; ``counts`` (JSON, or empty): the nodes by it.
    ``field``: the part of the client's frame that is wrong, and what was ``expected`` there.
    """

    job: str
    session: str
    index: int
    tenant: str
    src: str
    tgt: str
    trace: str
    code: str
    message: str
    reason: str
    counts: str
    field: str
    expected: str


@dataclass(frozen=True)
class Recorded:
    """The utterance is in the history, and is answered wherever its client returns to."""


REFUSE_JOB = Script("refuse_job", (Recorded, Known, NoSession), RefusedJob)


async def refuse_job(
    cells: Cells, *, cell: int, job: RefusedJob, process: str
) -> Recorded | Known | NoSession:
    """End an utterance that its session's process makes no job of, or of whose ``dispatch`` it has
    heard nothing: then it is not to be made one any more.

    ``process`` asks; where another one has the session by now, that one is told.
    """
    return await cells.run(REFUSE_JOB, cell, process, job.packed())
