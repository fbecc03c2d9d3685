"""What a corked transport hands on, and when."""

import asyncio

import pytest

from scheduler_site import corked as corked_module
from scheduler_site.corked import MOST_BYTES, Corked
from tests.peers.until import until


class Kernel:
    """The transport below."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.closed = self.aborted = self.reading = False

    def write(self, data: bytes) -> None:
        self.got.append(data)

    def get_write_buffer_size(self) -> int:
        return 7

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def resume_reading(self) -> None:
        self.reading = True


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
async def corked(kernel):
    return Corked(kernel, asyncio.get_running_loop())


async def test_small_writes_of_one_tick_leave_together_and_in_order(kernel, corked):
    corked.write(b"one ")
    corked.write(b"two")
    assert (kernel.got, corked.get_write_buffer_size()) == ([], 14)
    await asyncio.sleep(0)
    assert (kernel.got, corked.get_write_buffer_size()) == ([b"one two"], 7)
    corked.write(b"three")
    await asyncio.sleep(0)
    assert kernel.got == [b"one two", b"three"]


async def test_much_is_not_held_back(kernel, corked):
    corked.write(b"small")
    corked.write(b"x" * MOST_BYTES)
    assert kernel.got == [b"small" + b"x" * MOST_BYTES]
    await asyncio.sleep(0)
    assert len(kernel.got) == 1


async def test_what_may_wait_leaves_with_what_may_not(kernel, corked):
    corked.write_late(b"late ")
    await asyncio.sleep(0)
    assert (kernel.got, corked.get_write_buffer_size()) == ([], 12)
    corked.write(b"soon ")
    corked.write_late(b"later")
    await asyncio.sleep(0)
    assert kernel.got == [b"late soon later"]


async def test_what_may_wait_does_not_wait_for_ever(kernel, corked):
    corked.write_late(b"late ")
    corked.write_late(b"too")
    await until(lambda: kernel.got)
    assert kernel.got == [b"late too"]
    corked.write_late(b"again")
    await until(lambda: len(kernel.got) > 1)
    assert kernel.got == [b"late too", b"again"]


async def test_what_was_written_leaves_before_the_close(kernel, corked):
    corked.write(b"last words")
    corked.close()
    assert (kernel.got, kernel.closed) == ([b"last words"], True)


async def test_all_else_is_the_transports(kernel, corked):
    corked.resume_reading()
    assert kernel.reading


async def test_a_connection_that_ends_first_gets_nothing(kernel, corked):
    corked.write(b"too late")
    kernel.close()
    await asyncio.sleep(0)
    assert kernel.got == []


async def test_a_peer_that_reads_nothing_does_not_keep_a_closed_connection(kernel, monkeypatch):
    monkeypatch.setattr(corked_module, "LINGER_S", 0.01)
    for is_lost in (True, False):
        kernel.closed = kernel.aborted = False
        corked = Corked(kernel, asyncio.get_running_loop())
        corked.write(b"last words")
        corked.close()
        if is_lost:
            corked.lost()
            await asyncio.sleep(0.05)
            assert not kernel.aborted
        else:
            await until(lambda: kernel.aborted)
