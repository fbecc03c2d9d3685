"""A WebSocket connection of uvicorn, with a shorter way for what nearly every frame is.

The parser of websockets and the messages of ASGI cost more than all that is done with a small
frame. So whole text and binary messages on an open connection are read and written here; all else
(the handshake, fragments, pings, closes, faults) is left to uvicorn, one whole frame at a time.
"""

from collections.abc import Callable
from struct import pack
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from scheduler_site.corked import Corked

try:
    from websockets.speedups import apply_mask
except ImportError:  # its wheel for this platform is plain Python
    from websockets.utils import apply_mask

TEXT, BINARY = 0x81, 0x82  # first byte of a whole message
MASKED = 0x80
LONG, LONGEST = 126, 127  # in place of a length that follows in 2 or 8 bytes
HEAD_BYTES = 2  # at least
MOST_WAITING = 16  # messages that the application has not taken, before reading pauses
LARGE_BYTES = 65_536


class Connection(WebSocketsSansIOProtocol):
    """``hear``: takes a message that came alone, on a way shorter than ASGI's ``receive``; False
    where it can't now.

    ``_begun``: a frame that has not come whole; it has ``_wanted_bytes`` at least.
    ``_fragments``: of a message, after its first. ``_pong``: what the last pings are answered with
    once the peer reads.

    ``_is_astray``: uvicorn's parser may be inside a frame, so everything else is for it.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.hear: Callable[[str | bytes], bool] | None = None
        self._begun = bytearray()  # its pieces would take many times their size
        self._wanted_bytes = 0
        self._fragments = bytearray()
        self._pong = b""
        self._is_astray = False

    def connection_made(self, transport: Any) -> None:
        self._corked = Corked(transport, self.loop)
        super().connection_made(self._corked)  # type: ignore[arg-type]

    def eof_received(self) -> None:
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._corked.lost()

    def shutdown(self) -> None:
        """The process ends. uvicorn's raises while a peer that said goodbye has not read all."""
        if self.handshake_complete and not self.close_sent and self.conn.state is not State.OPEN:
            self.stop_keepalive()
            self.transport.close()
        else:
            super().shutdown()

    def write_message(self, data: bytes, *, is_text: bool, urgent: bool) -> bool:
        """Send a whole message now, after all that was sent before; one that is not ``urgent`` with
        the next one, or a little later. False where it must wait because the peer reads slowly, or
        can't be sent: ASGI's ``send`` knows.
        """
        if self.conn.state is not State.OPEN or self.disconnected or not self.writable.is_set():
            return False
        write = self._corked.write if urgent else self._corked.write_late
        write(_head(TEXT if is_text else BINARY, len(data)) + data)
        return True

    def data_received(self, data: bytes) -> None:
        """First the request, which uvicorn gives whole; then frames, which may end anywhere."""
        if self._begun:
            self._begun += data
            if len(self._begun) < self._wanted_bytes:
                return
            data = bytes(self._begun)
            self._begun.clear()
        at = self._read_frames(data)
        if at == len(data):
            return
        rest = data[at:] if at else data
        if self._is_ours:
            self._begun += rest
        else:
            self._is_astray = self._is_astray or self.handshake_initiated
            super().data_received(rest)

    def handle_cont(self, event: Frame) -> None:
        """A further fragment. They are put together as they come: a message may have any number of
        small or empty ones.
        """
        self._fragments += event.data
        if event.fin:
            self.frames.append(bytes(self._fragments))
            self._fragments.clear()
            self.send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Pings of a peer that does not read are answered when it does, all with the last pong."""
        pong = b"".join(self.conn.data_to_send())
        if self.writable.is_set() or self.conn.state is not State.OPEN:
            self.transport.write(pong)
        else:
            self._pong = pong or self._pong

    def resume_writing(self) -> None:
        super().resume_writing()
        pong, self._pong = self._pong, b""
        if pong and self.conn.state is State.OPEN:
            self.transport.write(pong)

    @property
    def _is_ours(self) -> bool:
        return self.conn.state is State.OPEN and not self._is_astray

    def _read_frames(self, data: bytes) -> int:
        """Handle the whole frames at the beginning; returns where they end."""
        at, end = 0, len(data)
        self._wanted_bytes = HEAD_BYTES
        while end - at >= HEAD_BYTES and self._is_ours:
            body, after = _bounds(data, at)
            if not data[at + 1] & MASKED or after - body > self.config.ws_max_size:
                self._is_astray = True
            elif after > end:
                self._wanted_bytes = after - at
                break
            else:
                if data[at] in (TEXT, BINARY) and self.conn.current_size is None:
                    message = apply_mask(data[body:after], data[body - 4 : body])
                    self._take(data[at], message, alone=not at and after == end)
                else:
                    super().data_received(data[at:after])
                at = after
        return at

    def _take(self, kind: int, data: bytes, *, alone: bool) -> None:
        """A message. Reading pauses while the application has many to take, or a large one."""
        try:
            message = data if kind == BINARY else data.decode()
        except UnicodeDecodeError:
            self.handle_text(Frame(Opcode.TEXT, data))  # closes the connection
            return
        if alone and self.hear is not None and self.queue.empty() and self.hear(message):
            return
        if isinstance(message, bytes):
            self.queue.put_nowait({"type": "websocket.receive", "bytes": message})
        else:
            self.queue.put_nowait({"type": "websocket.receive", "text": message})
        waits = len(data) > LARGE_BYTES or self.queue.qsize() > MOST_WAITING
        if waits and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()


def _bounds(data: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the masked frame that begins there begins and ends. That is beyond the
    data while the frame is not whole, but may be too early while its head is not.
    """
    size = data[at + 1] & 0x7F
    if size == LONG:
        return at + 8, at + 8 + int.from_bytes(data[at + 2 : at + 4])
    if size == LONGEST:
        return at + 14, at + 14 + int.from_bytes(data[at + 2 : at + 10])
    return at + 6, at + 6 + size


def _head(first: int, size: int) -> bytes:
    """Of a frame to a client: never masked."""
    if size < LONG:
        return pack("!BB", first, size)
    if size < 2**16:
        return pack("!BBH", first, LONG, size)
    return pack("!BBQ", first, LONGEST, size)
