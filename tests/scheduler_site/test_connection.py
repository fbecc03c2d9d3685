"""What our WebSocket connection understands and writes, whichever way a frame goes."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.frames import Close, Frame, Opcode

from scheduler_site import corked
from scheduler_site.connection import LARGE_BYTES, MOST_WAITING, Connection
from tests.peers.until import until

LARGEST = 100_000
REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Kernel:
    """The transport below."""

    def __init__(self) -> None:
        self.sent = b""
        self.closed = self.aborted = False
        self.reads = True

    def write(self, data: bytes) -> None:
        self.sent += data

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str) -> Any:
        return None


class Stage:
    """A connection, the kernel below it, and an application that keeps what comes: ``came``.

    It accepts when ``accepts`` is set, and takes nothing while ``takes`` is not.
    """

    def __init__(self) -> None:
        self.came: list[str | bytes | int] = []
        self.accepts, self.takes = asyncio.Event(), asyncio.Event()
        self.takes.set()
        self.kernel = Kernel()
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            ws_max_size=LARGEST,
            ws_per_message_deflate=False,
            log_config=None,
        )
        config.load()
        self.connection = Connection(config, ServerState(), {})
        self.connection.connection_made(self.kernel)
        self.connection.data_received(REQUEST)

    async def open(self) -> None:
        self.accepts.set()
        await until(lambda: self.kernel.sent.endswith(b"\r\n\r\n"))
        self.kernel.sent = b""

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await self.accepts.wait()
        await send({"type": "websocket.accept"})
        while True:
            await self.takes.wait()
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self.came.append(message["code"])
                return
            text, data = message.get("text"), message.get("bytes")
            self.came.append(data if text is None else text)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    yield made
    made.accepts.set()
    made.takes.set()
    made.connection.connection_lost(None)
    await asyncio.gather(*made.connection.tasks)


def client(kind: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    """A frame as a client sends it."""
    return Frame(kind, data, fin).serialize(mask=True)


def server(kind: Opcode, data: bytes) -> bytes:
    """A frame as websockets would write it."""
    return Frame(kind, data).serialize(mask=False)


TALK = (
    client(Opcode.TEXT, b"first")
    + client(Opcode.PING, b"here?")
    + client(Opcode.TEXT, "ü".encode() * 100)
    + client(Opcode.TEXT, b"in ", fin=False)
    + client(Opcode.PING, b"still?")
    + client(Opcode.CONT, b"two ", fin=False)
    + client(Opcode.CONT, b"or three")
    + client(Opcode.BINARY, b"")
    + client(Opcode.PONG, b"nobody asked")
    + client(Opcode.BINARY, b"\xff\x00" * 35_000)
    + client(Opcode.TEXT, b"last")
)
HEARD = ["first", "ü" * 100, "in two or three", b"", b"\xff\x00" * 35_000, "last"]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 1_000, len(TALK)])
async def test_frames_come_whole_and_in_order_wherever_they_are_cut(stage, piece):
    await stage.open()
    for at in range(0, len(TALK), piece):
        stage.connection.data_received(TALK[at : at + piece])
    await until(lambda: len(stage.came) == len(HEARD))
    assert stage.came == HEARD
    await until(lambda: stage.kernel.sent)
    assert stage.kernel.sent == server(Opcode.PONG, b"here?") + server(Opcode.PONG, b"still?")


@pytest.mark.parametrize("piece", [1, 5, len(TALK)])
async def test_frames_that_come_before_the_handshake_is_answered_are_not_lost(stage, piece):
    talk = client(Opcode.TEXT, b"early") + client(Opcode.TEXT, b"bird")
    half = len(talk) // 2
    for at in range(0, half, piece):
        stage.connection.data_received(talk[at : min(at + piece, half)])
    await stage.open()
    stage.connection.data_received(talk[half:])
    await until(lambda: len(stage.came) == 2)
    assert stage.came == ["early", "bird"]


FAULTS = {
    "not masked": (1002, server(Opcode.TEXT, b"x")),
    "a reserved bit": (1002, bytes([0xC1]) + client(Opcode.TEXT, b"x")[1:]),
    "a kind that is none": (1002, bytes([0x83]) + client(Opcode.TEXT, b"x")[1:]),
    "a message inside another": (
        1002,
        client(Opcode.TEXT, b"a", fin=False) + client(Opcode.TEXT, b"b"),
    ),
    "not UTF-8": (1007, client(Opcode.TEXT, b"\xff")),
    "too large": (1009, client(Opcode.BINARY, bytes(LARGEST + 1))),
    "too large together": (
        1009,
        client(Opcode.BINARY, bytes(LARGEST), fin=False) + client(Opcode.CONT, b"x"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("piece", [1, 100_000_000])
async def test_a_fault_closes_the_connection_as_it_always_has(stage, fault, piece):
    code, talk = FAULTS[fault]
    await stage.open()
    talk = client(Opcode.TEXT, b"before") + talk + client(Opcode.TEXT, b"behind")
    for at in range(0, min(len(talk), 200_000), piece):
        stage.connection.data_received(talk[at : at + piece])
        if stage.kernel.closed:
            break
    await until(lambda: stage.kernel.closed)
    assert Close.parse(stage.kernel.sent[2:]).code == code
    await until(lambda: code in stage.came)
    assert stage.came == ["before", code]


async def test_a_close_ends_it_and_nothing_is_heard_after_it(stage):
    await stage.open()
    close = client(Opcode.CLOSE, Close(1000, "done").serialize())
    stage.connection.data_received(client(Opcode.TEXT, b"bye") + close)
    await until(lambda: stage.kernel.closed)
    assert Close.parse(stage.kernel.sent[2:]) == Close(1000, "done")
    stage.connection.data_received(client(Opcode.TEXT, b"wait"))
    await until(lambda: 1000 in stage.came)
    assert stage.came == ["bye", 1000]


async def test_the_process_may_end_while_a_peer_that_closed_has_not_read_all(stage):
    await stage.open()
    stage.connection.data_received(client(Opcode.CLOSE, Close(1000, "done").serialize()))
    stage.connection.shutdown()
    assert Close.parse(stage.kernel.sent[2:]) == Close(1000, "done")
    await until(lambda: 1000 in stage.came)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
async def test_messages_are_written_as_websockets_writes_them(stage, size):
    await stage.open()
    assert stage.connection.write_message(b"x" * size, is_text=True, urgent=True)
    assert stage.connection.write_message(b"y" * size, is_text=False, urgent=False)
    wanted = server(Opcode.TEXT, b"x" * size) + server(Opcode.BINARY, b"y" * size)
    await until(lambda: len(stage.kernel.sent) == len(wanted))
    assert stage.kernel.sent == wanted


async def test_a_message_is_not_written_before_the_connection_is_open_or_after_its_end(stage):
    assert not stage.connection.write_message(b"x", is_text=True, urgent=True)
    await stage.open()
    stage.connection.pause_writing()
    assert not stage.connection.write_message(b"x", is_text=True, urgent=True)
    stage.connection.resume_writing()
    assert stage.connection.write_message(b"x", is_text=True, urgent=True)
    stage.connection.shutdown()
    assert not stage.connection.write_message(b"x", is_text=True, urgent=True)
    assert stage.kernel.sent.startswith(server(Opcode.TEXT, b"x"))


async def test_a_message_is_not_written_to_a_connection_that_broke(stage):
    stage.takes.clear()  # the application has not heard of it yet
    await stage.open()
    stage.connection.connection_lost(ConnectionResetError())
    assert not stage.connection.write_message(b"x", is_text=True, urgent=True)
    stage.connection.connections.add(stage.connection)  # it is lost again at the end


class Ear:
    """Keeps what it is given as ``heard``, and says whether it takes it."""

    def __init__(self, connection: Connection, *, takes: bool = True) -> None:
        self.heard: list[str | bytes] = []
        self._takes = takes
        connection.hear = self

    def __call__(self, message: str | bytes) -> bool:
        self.heard.append(message)
        return self._takes


async def test_a_message_that_comes_alone_is_heard_at_once(stage):
    await stage.open()
    ear = Ear(stage.connection)
    for kind, data in ((Opcode.TEXT, "ü".encode()), (Opcode.BINARY, b"\xff")):
        stage.connection.data_received(client(kind, data))
    assert ear.heard == ["ü", b"\xff"]
    begun = client(Opcode.TEXT, b"in two pieces")
    stage.connection.data_received(begun[:9])
    stage.connection.data_received(begun[9:])
    assert ear.heard[2:] == ["in two pieces"]
    assert not stage.came


@pytest.mark.parametrize("alone", [True, False])
async def test_messages_that_are_not_heard_are_received_in_their_order(stage, alone):
    await stage.open()
    ear = Ear(stage.connection, takes=False)
    frames = [client(Opcode.TEXT, data) for data in (b"first", b"second", b"third")]
    for data in frames if alone else (b"".join(frames),):
        stage.connection.data_received(data)
    await until(lambda: len(stage.came) == 3)
    assert stage.came == ["first", "second", "third"]
    assert ear.heard == (["first"] if alone else [])


async def test_nothing_that_is_heard_overtakes_what_is_to_be_received(stage):
    await stage.open()
    stage.takes.clear()
    await asyncio.sleep(0)
    stage.connection.data_received(client(Opcode.TEXT, b"a") + client(Opcode.TEXT, b"b"))
    ear = Ear(stage.connection)
    stage.connection.data_received(client(Opcode.TEXT, b"c"))
    assert ear.heard == []
    stage.takes.set()
    await until(lambda: len(stage.came) == 3)
    assert stage.came == ["a", "b", "c"]
    stage.connection.data_received(client(Opcode.TEXT, b"d"))
    assert ear.heard == ["d"]


async def test_a_text_that_is_none_is_not_heard(stage):
    await stage.open()
    ear = Ear(stage.connection)
    stage.connection.data_received(client(Opcode.TEXT, b"\xff"))
    assert ear.heard == []
    assert stage.kernel.sent.startswith(b"\x88")  # a close


@pytest.mark.parametrize(
    ("messages", "size"), [(MOST_WAITING + 1, 1), (1, LARGE_BYTES + 1)], ids=["many", "large"]
)
async def test_reading_pauses_while_the_application_has_much_to_take(stage, messages, size):
    stage.takes.clear()
    await stage.open()
    for _ in range(messages):
        assert stage.kernel.reads
        stage.connection.data_received(client(Opcode.TEXT, b"x" * size))
    assert not stage.kernel.reads
    stage.takes.set()
    await until(lambda: stage.kernel.reads)
    await until(lambda: len(stage.came) == messages)


PIECES = {
    "a frame in pieces": [b"\x82\xff" + LARGEST.to_bytes(8) + bytes(4), *[b"xx"] * 10_000],
    "fragments": [
        client(Opcode.TEXT, b"x", fin=False),
        *[client(Opcode.CONT, b"x", fin=False)] * 25_000,
    ],
    "empty fragments": [
        client(Opcode.TEXT, b"", fin=False),
        *[client(Opcode.CONT, b"", fin=False)] * 25_000,
    ],
}


@pytest.mark.parametrize("pieces", PIECES)
async def test_what_comes_in_many_pieces_takes_no_more_room_than_it_has_bytes(stage, pieces):
    await stage.open()
    tracemalloc.start()
    try:
        for piece in PIECES[pieces]:
            stage.connection.data_received(bytes(bytearray(piece)))  # a new one
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 1.8 * LARGEST


async def test_a_peer_that_pings_and_does_not_read_gets_one_pong_when_it_does(stage):
    await stage.open()
    stage.connection.pause_writing()
    for number in range(1_000):
        stage.connection.data_received(client(Opcode.PING, b"%d" % number))
    await asyncio.sleep(0)
    assert stage.kernel.sent == b""
    stage.connection.resume_writing()
    await until(lambda: stage.kernel.sent)
    assert stage.kernel.sent == server(Opcode.PONG, b"999")
    stage.connection.resume_writing()
    stage.connection.data_received(client(Opcode.PING, b"more"))
    await until(lambda: stage.kernel.sent.endswith(b"more"))
    assert stage.kernel.sent == server(Opcode.PONG, b"999") + server(Opcode.PONG, b"more")


async def test_a_peer_that_reads_nothing_does_not_keep_a_closed_connection(stage, monkeypatch):
    monkeypatch.setattr(corked, "LINGER_S", 0.01)
    await stage.open()
    assert stage.connection.write_message(b"x", is_text=True, urgent=True)
    stage.connection.eof_received()  # it has closed its side, and a transport writes on
    assert stage.kernel.closed
    assert stage.kernel.sent == server(Opcode.TEXT, b"x")
    await until(lambda: stage.kernel.aborted)
