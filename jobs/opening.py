"""From a client's first message to its session: a new one, or the one that it comes back to.

The next stop of the client's frames is :class:`jobs.phases.Serving`.
"""

import random

from jobs.line import Wire
from jobs.pairing import Pairing, redeem
from jobs.principal import Principal
from jobs.process import Process
from jobs.resuming import Ticket
from jobs.session import LiveSession
from jobs.speech import odd_language, route_of
from lua import ids
from lua.errors import StoreUnavailable
from lua.views import ready_members
from parley.codes import ErrorCode
from parley.frames import SessionInit, SessionInitAck

TRY_AGAIN, REFUSED = 1013, 4400
PROTOCOL_VERSION = "1.0"


class Refused(Exception):
    """The client gets this error, then the socket closes with ``close``."""

    def __init__(self, code: ErrorCode, message: str = "", *, close: int = REFUSED) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.close = close


class Opening:
    """What one client asks for. ``wire`` is its socket."""

    def __init__(
        self, process: Process, principal: Principal, wire: Wire, init: SessionInit
    ) -> None:
        self._process = process
        self._principal = principal
        self._wire = wire
        self._init = init
        self._tenant = principal.tenant if principal.is_known else init.tenant_id or ""

    async def session(self) -> tuple[LiveSession, str]:
        """The session, and what its client is told of it. Raises Refused and StoreError."""
        if self._init.resume_token is not None:
            session = await self._earlier(Ticket(self._init.resume_token))
            return session, "The session goes on."
        pairing = await self._pairing()
        session = await self._new(pairing)
        if pairing.node:
            return session, f"The session is open and paired with the node {pairing.node}."
        if self._init.pairing_code:
            return session, f"{pairing.why} The session is open, but not paired."
        return session, f"The session is open.{self._warning()}"

    def _warning(self) -> str:
        """Of languages that can't be meant: each utterance may still name others."""
        odd = odd_language(self._init, route_of(self._init))
        return f" But {odd[0]}, {odd[1]!r}, is no language." if odd else ""

    async def _earlier(self, ticket: Ticket) -> LiveSession:
        if ticket.session is None:
            raise Refused(ErrorCode.INVALID_SESSION)
        await self._is_known(ids.cell_of(ticket.session, self._process.cells.count))
        session = await self._process.sessions.away.back(
            ticket,
            self._wire,
            self._init,
            tenant=self._tenant,
            credential=self._principal.credential,
        )
        if session is None:
            raise Refused(ErrorCode.INVALID_SESSION)
        return session

    async def _pairing(self) -> Pairing:
        init, address = self._init, self._principal.address
        if init.pairing_code:  # it is used up only where the session can then be opened
            for cell in range(self._process.cells.count):
                await self._is_known(cell)
        pairing = await redeem(self._process.cells, init.pairing_code, address=address)
        if init.pairing_required and not pairing.node:
            later = pairing.code == ErrorCode.RATE_LIMITED
            raise Refused(pairing.code, pairing.why, close=TRY_AGAIN if later else REFUSED)
        return pairing

    async def _new(self, pairing: Pairing) -> LiveSession:
        process = self._process
        cell = await self._cell(pairing)
        await self._is_known(cell)
        while True:  # one in four thousand million names is that of any other session
            session = LiveSession(
                process,
                self._wire,
                self._init,
                id=ids.new_session(cell, process.cells.count),
                cell=cell,
                tenant=self._tenant,
                credential=self._principal.credential,
                pin=pairing.node,
            )
            if await process.sessions.open(session):
                return session

    async def _cell(self, pairing: Pairing) -> int:
        """That of its node; else drawn from those in which somebody serves the languages, by how
        many of them could take a job now; else any.
        """
        cells, init = self._process.cells, self._init
        if cells.count == 1:
            return 0
        if pairing.node:
            return ids.cell_of_node(pairing.node, cells.count)
        serving = await self._process.snapshot.find_cells(cells, route_of(init))
        if len(serving) < 2:
            return next(iter(serving), random.randrange(cells.count))
        ready = await ready_members(cells, serving)
        return random.choices(list(serving), ready if any(ready) else None)[0]

    async def _is_known(self, cell: int) -> None:
        if not await self._process.ready(cell):
            raise StoreUnavailable("the cell does not know this process")


def acknowledgement(session: LiveSession, init: SessionInit, message: str) -> SessionInitAck:
    """Its audio fields have the values that deployed clients know."""
    return SessionInitAck(
        session_id=session.id,
        assigned_node_id=session.pin or None,
        message=message,
        trace_id=init.trace_id or ids.new_token(),
        protocol_version=PROTOCOL_VERSION,
        use_binary_frame="binary" in (init.accepts or ()),  # they are taken from everybody
        negotiated_codec="opus",
        negotiated_audio_format="opus",
        negotiated_sample_rate=16_000,
        negotiated_channel_count=1,
        resume_token=session.tickets.token,
    )
