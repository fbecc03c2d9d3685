"""The queue of calls without a reply, by itself."""

import asyncio

import pytest
from redis.exceptions import ResponseError

from lua.errors import StoreBusy, StoreUnavailable
from lua.pending import Pending

Future = asyncio.Future[bytes]


@pytest.fixture
def pending() -> Pending:
    return Pending(max_calls=4, max_bytes=400)


def add(pending: Pending, *commands: bytes, deadline_s: float = 1.0) -> list[Future]:
    futures: list[Future] = [asyncio.get_running_loop().create_future() for _ in commands]
    for command, future in zip(commands, futures, strict=True):
        pending.add(command, deadline_s, future)
    return futures


async def test_calls_sent_again_stay_before_those_never_sent(pending: Pending) -> None:
    add(pending, b"one", b"two")
    assert pending.send() == [b"one", b"two"]
    add(pending, b"three")
    pending.unsend()
    assert pending.send() == [b"one", b"two", b"three"]


async def test_a_call_is_sent_once(pending: Pending) -> None:
    add(pending, b"one")
    assert pending.send() == [b"one"]
    assert pending.send() == []


async def test_ended_calls_are_not_sent_again(pending: Pending) -> None:
    _, cancelled = add(pending, b"expired", b"cancelled", deadline_s=1.0)
    add(pending, b"kept", deadline_s=2.0)
    pending.send()
    pending.expire(1.5, "late")
    cancelled.cancel()
    pending.unsend()
    assert pending.send() == [b"kept"]


async def test_a_place_outlives_its_caller(pending: Pending) -> None:
    cancelled, expired, refused, answered = add(pending, b"1", b"2", b"3", b"4")
    pending.send()
    cancelled.cancel()
    expired.set_exception(StoreUnavailable("late"))
    for reply in (b"one", b"two", ResponseError("three"), b"four"):
        pending.answer(reply)
    with pytest.raises(StoreUnavailable, match="late"):
        await expired
    with pytest.raises(ResponseError, match="three"):
        await refused
    assert await answered == b"four"
    with pytest.raises(IndexError):
        pending.answer(b"five")


async def test_sent_and_unsent_calls_expire_at_their_deadline(pending: Pending) -> None:
    (sent,) = add(pending, b"sent", deadline_s=1.0)
    pending.send()
    unsent, later = [*add(pending, b"unsent", deadline_s=2.0), *add(pending, b"l", deadline_s=3.0)]
    pending.expire(0.9, "too early")
    assert not sent.done()
    pending.expire(2.0, "late")
    for future in (sent, unsent):
        with pytest.raises(StoreUnavailable, match="late"):
            await future
    assert not later.done()
    assert pending.next_deadline_s == 1.0
    assert pending.send() == [b"l"]


@pytest.mark.parametrize("end", ["answer", "expire", "cancel", "fail"])
@pytest.mark.parametrize("sent", [True, False], ids=["sent", "unsent"])
async def test_room_is_given_back_however_a_call_ends(
    pending: Pending, *, end: str, sent: bool
) -> None:
    for _ in range(3):
        futures = add(pending, b"x" * 200, b"y" * 200)
        with pytest.raises(StoreBusy):
            add(pending, b"z")
        if sent or end == "answer":
            pending.send()
        match end:
            case "answer":
                for _ in futures:
                    pending.answer(b"ok")
            case "expire":
                pending.expire(1.0, "late")
            case "cancel":
                for future in futures:
                    future.cancel()
            case "fail":
                pending.fail("closed")
        pending.unsend()
        pending.send()
        assert len(pending) == 0
        await asyncio.gather(*futures, return_exceptions=True)


async def test_the_number_of_calls_is_bounded(pending: Pending) -> None:
    add(pending, b"1", b"2")
    pending.send()
    add(pending, b"3", b"4")
    with pytest.raises(StoreBusy):
        add(pending, b"5")
    pending.answer(b"ok")
    add(pending, b"5")
    assert pending.send() == [b"3", b"4", b"5"]


async def test_a_call_that_nobody_waits_for_has_its_place(pending: Pending) -> None:
    pending.add(b"1", 1.0)
    [wanted] = add(pending, b"2")
    assert pending.send() == [b"1", b"2"]
    pending.answer(ResponseError("no room"))
    pending.answer(b"ok")
    assert await wanted == b"ok"
    pending.add(b"3", 1.0)
    pending.expire(2.0, "too late")
    assert len(pending) == 0
