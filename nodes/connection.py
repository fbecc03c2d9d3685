"""First phase of a node's connection: it waits for the registration. Next: :mod:`nodes.serving`."""

import asyncio
import re
from collections.abc import Callable

from jobs.principal import Principal
from lua import ids
from nodes.capabilities import Description
from nodes.registry import Registry
from nodes.serving import REFUSED, Serving, Socket
from nodes.standing import Peer
from parley.codes import ErrorCode
from parley.frames import Error, FrameError, NodeFrame, NodeRegister, encode

TOO_LATE = 4408
SCHEMA_VERSION = "2.0"
NODE_ID = re.compile(r"[A-Za-z0-9._@+-]{1,128}")


class Registering:
    """Waits for ``node_register``, not for ever. Everything else is answered once.

    ``serve`` is called with the next phase.
    """

    def __init__(
        self,
        socket: Socket,
        registry: Registry,
        principal: Principal,
        serve: Callable[[Serving], None],
    ) -> None:
        self._socket = socket
        self._registry = registry
        self._principal = principal
        self._serve = serve
        self._complained = False
        self._deadline = asyncio.get_running_loop().call_later(
            registry.settings.register_timeout_ms / 1000, socket.close, TOO_LATE
        )

    def frame(self, frame: NodeFrame, size: int) -> None:
        """A frame of the node."""
        if isinstance(frame, NodeRegister):
            self._register(frame)
        elif not self._complained:
            self._complained = True
            self._refuse(ErrorCode.NODE_UNAVAILABLE, "This node is not registered.")

    def misunderstood(self, answer: Error, size: int) -> None:
        """A frame of the node that can't be understood."""
        self._socket.send_frame(encode(answer))

    def closed(self) -> None:
        """The socket is gone."""
        self._deadline.cancel()

    def _register(self, frame: NodeRegister) -> None:
        if frame.capability_schema_version not in (None, SCHEMA_VERSION):
            message = f"Only version {SCHEMA_VERSION!r} is known."
            self._refuse(ErrorCode.INVALID_CAPABILITY_SCHEMA, message)
            self._socket.close(REFUSED)
        elif frame.node_id and not NODE_ID.fullmatch(frame.node_id):
            self._socket.send_frame(encode(BAD_NODE_ID.frame()))
        else:
            self._deadline.cancel()
            self._enter(frame)

    def _enter(self, frame: NodeRegister) -> None:
        peer = Peer(
            node=frame.node_id or ids.new_node(),
            process=self._registry.process.id,
            credential=self._principal.credential,
            address=self._principal.address,
        )
        serving = Serving(self._socket, self._registry, peer, Description.of(frame))
        self._serve(serving)
        serving.enter(frame)

    def _refuse(self, code: ErrorCode, message: str) -> None:
        self._socket.send_frame(encode(Error(code=code, message=message)))


BAD_NODE_ID = FrameError(
    "node_register: node_id has characters that no id may have, or too many.",
    field="node_id",
    expected="1 to 128 of the characters A-Z a-z 0-9 . _ @ + -",
    type="node_register",
)
