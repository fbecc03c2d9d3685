"""The base of both sockets, over real connections."""

import asyncio
import gc
import json
import weakref
from dataclasses import replace

import pytest
from websockets.exceptions import InvalidStatus

from jobs.settings import JobSettings, SocketSettings
from jobs.socket import HotConsumer
from tests.jobs.sockets import serving
from tests.peers.raw import raw_peer
from tests.peers.until import until

SMALL = SocketSettings(max_frame_bytes=4_096, outgoing_bytes=2**20, outgoing_frames=100)
SETTINGS = JobSettings(socket=SMALL)
MEGABYTE = json.dumps({"type": "big", "data": "x" * 2**20}).encode()


class Echo(HotConsumer):
    """Does what it is told in the first word of a frame."""

    async def opened(self) -> None:
        self.was_closed = False
        self.release = asyncio.Event()
        self.frames_seen: list[str] = []
        await self.accept()

    def frame(self, data: str | bytes) -> "asyncio.Task[None] | None":
        assert isinstance(data, str)
        self.frames_seen.append(data)
        match data.split():
            case ["raise"]:
                raise ValueError("on purpose")
            case ["fail"]:
                self.start(self.fail())
            case ["wait"]:
                return self.start(self.wait())
            case ["pause"]:
                return self.start(asyncio.sleep(0.001))
            case ["close"]:
                self.send_frame(b'{"type": "last"}')
                self.close(4321, "as told")
                self.send_frame(b'{"type": "never"}')
            case ["flood"]:
                while self.send_frame(MEGABYTE[: 2**18]):
                    pass
            case ["fill"]:
                self.outbox.put(MEGABYTE)
            case [word, *_]:
                self.start(self.echo(word))
        return None

    async def closed(self) -> None:
        self.was_closed = True

    async def echo(self, word: str) -> None:
        self.send_frame(json.dumps({"type": word}).encode())

    async def fail(self) -> None:
        raise ValueError("on purpose")

    async def wait(self) -> None:
        await self.release.wait()
        self.send_frame(b'{"type": "waited"}')


async def test_frames_are_handled_in_their_order():
    async with serving(Echo, SETTINGS) as serves, raw_peer(serves.url) as peer:
        words = [f"w{number}" for number in range(200)]
        for word in words:
            await peer.send_text(word)
        await peer.expect("w199")
        assert [frame["type"] for frame in peer.frames] == words


async def test_frames_after_one_that_waits_wait_too():
    async with serving(Echo, SETTINGS) as serves, raw_peer(serves.url) as peer:
        await peer.send_text("wait")
        await peer.send_text("after")
        await until(lambda: serves.consumers[0].frames_seen == ["wait"])
        await peer.socket.ping()
        assert serves.consumers[0].frames_seen == ["wait"]
        serves.consumers[0].release.set()
        await peer.expect("after")
        assert [frame["type"] for frame in peer.frames] == ["waited", "after"]


async def test_frames_stay_in_their_order_however_many_come_together():
    """Alone or in a crowd, and with some in between that others wait for."""
    async with serving(Echo, SETTINGS) as serves, raw_peer(serves.url) as peer:
        words = [f"w{number}" for number in range(400)]
        for number, word in enumerate(words):
            await peer.send_text("pause" if number % 7 == 3 else word)
            if number % 5 == 0:
                await asyncio.sleep(0)
        wanted = ["pause" if number % 7 == 3 else word for number, word in enumerate(words)]
        await until(lambda: len(serves.consumers[0].frames_seen) == len(wanted))
        assert serves.consumers[0].frames_seen == wanted


@pytest.mark.parametrize("way", ["raise", "fail"])
async def test_a_handler_that_fails_is_told_and_the_socket_stays(way):
    async with serving(Echo, SETTINGS) as serves, raw_peer(serves.url) as peer:
        await peer.send_text(way)
        assert (await peer.expect("error"))["code"] == "INTERNAL_ERROR"
        await peer.send_text("on")
        await peer.expect("on")
        assert len(peer.of_type("error")) == 1


async def test_a_close_comes_after_all_frames_and_nothing_after_it():
    async with serving(Echo, SETTINGS) as serves, raw_peer(serves.url) as peer:
        await peer.send_text("close")
        assert await peer.closed() == 4321
        assert peer.frames == [{"type": "last"}]
        await serves.over.wait()
        assert serves.consumers[0].was_closed


async def test_a_frame_that_is_too_large_closes_with_1009():
    async with serving(Echo, SETTINGS) as serves, raw_peer(serves.url) as peer:
        await peer.send_text("x" * 4_097)
        assert await peer.closed() == 1009


async def test_the_end_of_a_connection_is_noticed_whoever_ends_it():
    async with serving(Echo, SETTINGS) as serves, raw_peer(serves.url) as peer:
        await peer.send_text("hello")
        await peer.expect("hello")
        peer.vanish()
        await serves.over.wait()
        assert serves.consumers[0].was_closed
        assert not serves.consumers[0].send_frame(b"{}")


async def test_a_connection_that_is_gone_is_no_garbage_that_must_be_searched_for():
    async with serving(Echo, SETTINGS) as serves:
        gc.collect()
        gc.disable()
        try:
            async with raw_peer(serves.url) as peer:
                await peer.send_text("hello")
                await peer.expect("hello")
                [connection] = [weakref.ref(one) for one in serves.connections if one.conn]
            await until(lambda: connection() is None)
        finally:
            gc.enable()
        assert serves.consumers[0].was_closed


class Refusing(HotConsumer):
    async def opened(self) -> None:
        await self.refuse(503)

    async def closed(self) -> None:
        self.was_closed = True


async def test_a_refused_handshake_is_an_http_answer():
    async with serving(Refusing, SETTINGS) as serves:
        with pytest.raises(InvalidStatus) as caught:
            async with raw_peer(serves.url):
                pass
        assert caught.value.response.status_code == 503
        await serves.over.wait()
        assert serves.consumers[0].was_closed


async def test_a_peer_that_does_not_read_is_dropped_when_too_much_waits_for_it():
    async with serving(Echo, SETTINGS) as serves, raw_peer(serves.url, reading=False) as peer:
        await peer.send_text("flood")
        async with asyncio.timeout(5):
            await serves.over.wait()
        assert serves.consumers[0].was_closed
        peer.vanish()


async def test_a_peer_that_takes_nothing_for_long_is_dropped_however_little_waits():
    settings = JobSettings(socket=replace(SMALL, outgoing_stall_ms=200, outgoing_bytes=2**28))
    async with serving(Echo, settings) as serves, raw_peer(serves.url, reading=False) as peer:
        for _ in range(48):
            await peer.send_text("fill")
        async with asyncio.timeout(5):
            await serves.over.wait()
        assert serves.consumers[0].was_closed
        peer.vanish()


async def test_a_peer_that_reads_slowly_is_not_dropped():
    settings = JobSettings(socket=replace(SMALL, outgoing_stall_ms=1_000, outgoing_bytes=2**28))
    async with serving(Echo, settings) as serves, raw_peer(serves.url, reading=False) as peer:
        for _ in range(24):
            await peer.send_text("fill")
        for _ in range(24):
            await asyncio.sleep(0.06)  # the slowness itself, not a wait for anything
            assert len(await peer.socket.recv()) == len(MEGABYTE)
        assert not serves.over.is_set()
