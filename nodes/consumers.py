"""The node socket, ``/ws/node``. A frame's next stop is the phase that the connection is in."""

import asyncio

from jobs.socket import HotConsumer
from nodes.connection import Registering
from nodes.registry import registry_of
from nodes.serving import Serving
from parley.frames import FrameError, decode_node_frame


class NodeConsumer(HotConsumer):
    """One connection of a node: accepted, then :class:`Registering`, then :class:`Serving`."""

    phase: Registering | Serving | None = None

    async def opened(self) -> None:
        """Credentials have been looked at before; everything else is told on the open socket."""
        await self.accept()
        registry = registry_of(self.process)
        self.phase = Registering(self, registry, self.scope["principal"], self._serve)

    def frame(self, data: str | bytes) -> "asyncio.Task[None] | None":
        """A frame that can't be understood is answered, and nothing more."""
        assert self.phase is not None
        try:
            frame = decode_node_frame(data)
        except FrameError as error:
            return self.phase.misunderstood(error.frame(), len(data))
        return self.phase.frame(frame, len(data))

    async def closed(self) -> None:
        """The connection is gone."""
        if self.phase is not None:
            self.phase.closed()

    def _serve(self, serving: Serving) -> None:
        self.phase = serving
