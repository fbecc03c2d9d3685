"""The multiplexed connection against a real server, with its faults made by a proxy."""

import asyncio
import logging
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from redis.asyncio import Redis
from redis.exceptions import DataError, NoScriptError, ResponseError

from lua.connection import Multiplexed, _backoff_s
from lua.errors import StoreBusy, StoreUnavailable
from tests.lua.proxy import Proxy

COUNT_AND_ECHO = "redis.call('INCR', KEYS[1]) redis.call('PEXPIRE', KEYS[1], 60000) return ARGV[1]"


@asynccontextmanager
async def connect(url: str, **options: Any) -> AsyncIterator[Multiplexed]:
    connection = Multiplexed(url, **options)
    await connection.start()
    try:
        async with asyncio.timeout(20):
            yield connection
    finally:
        await connection.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def echoes(connection: Multiplexed, count: int) -> tuple[list[asyncio.Future[Any]], list[bytes]]:
    """Calls that are each answered with a text of their own, and those texts."""
    texts = [b"echo %d" % number for number in range(count)]
    return [connection.call("ECHO", text) for text in texts], texts


@pytest.fixture
async def proxy(redis_url: str) -> AsyncIterator[Proxy]:
    async with Proxy(redis_url) as proxy:
        yield proxy


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url, protocol=2) as client:
        yield client


# --- calls and replies ---


async def test_replies_are_bytes_as_the_server_sent_them(redis_url: str) -> None:
    async with connect(redis_url) as connection:
        reply = await connection.call("EVAL", "return {ARGV[1], 7, false}", 0, b"\xff\x00")
    assert reply == [b"\xff\x00", 7, None]


async def test_calls_of_a_tick_run_in_the_order_they_were_issued(
    redis_url: str, prefix: str
) -> None:
    key = f"{prefix}list"

    async def push(number: int) -> None:
        first = connection.call("RPUSH", key, number)
        await connection.call("RPUSH", key, number + 0.5)
        await first

    async with connect(redis_url) as connection:
        await asyncio.gather(*(push(number) for number in range(100)))
        stored = await connection.call("LRANGE", key, 0, -1)
        await connection.call("DEL", key)
    assert stored == [text for number in range(100) for text in (b"%d" % number, b"%d.5" % number)]


async def test_calls_of_a_tick_leave_in_one_write(proxy: Proxy) -> None:
    async with connect(proxy.url) as connection:
        await connection.call("PING")
        writes = len(proxy.requests)
        futures, texts = echoes(connection, 100)
        assert await asyncio.gather(*futures) == texts
    assert len(proxy.requests) == writes + 1


async def test_5000_concurrent_calls_get_their_own_replies(redis_url: str) -> None:
    async with connect(redis_url) as connection:
        futures, texts = echoes(connection, 5000)
        assert await asyncio.gather(*futures) == texts


async def test_a_large_value_passes_both_ways(redis_url: str) -> None:
    value = random.Random(1).randbytes(8 * 2**20)
    async with connect(redis_url) as connection:
        assert await connection.call("ECHO", value) == value


async def test_a_refused_command_fails_alone(redis_url: str) -> None:
    async with connect(redis_url) as connection:
        first = connection.call("ECHO", "first")
        unknown_script = connection.call("EVALSHA", "0" * 40, 0)
        wrong = connection.call("GET")
        last = connection.call("ECHO", "last")
        with pytest.raises(NoScriptError):
            await unknown_script
        with pytest.raises(ResponseError, match="wrong number of arguments"):
            await wrong
        assert [await first, await last] == [b"first", b"last"]


async def test_an_argument_that_cannot_be_packed_is_refused_at_once(redis_url: str) -> None:
    async with connect(redis_url) as connection:
        before = connection.call("ECHO", "before")
        with pytest.raises(DataError):
            connection.call("ECHO", None)  # type: ignore[arg-type]
        assert await before == b"before"


# --- cancellation and timeouts ---


async def test_a_cancelled_caller_shifts_nobodys_reply(proxy: Proxy) -> None:
    async with connect(proxy.url) as connection:
        await connection.call("PING")
        proxy.stall()
        futures, texts = echoes(connection, 100)
        unsent = connection.call("ECHO", "never sent")
        unsent.cancel()
        await asyncio.sleep(0)
        for future in futures[::3]:
            future.cancel()
        proxy.flow()
        replies = await asyncio.gather(*futures, return_exceptions=True)
    assert not any(b"never sent" in request for request in proxy.requests)
    for number, reply in enumerate(replies):
        if number % 3:
            assert reply == texts[number]
        else:
            assert isinstance(reply, asyncio.CancelledError)


async def test_a_call_without_an_answer_times_out(proxy: Proxy) -> None:
    async with connect(proxy.url, call_timeout_ms=200) as connection:
        await connection.call("PING")
        proxy.stall()
        began_s = time.monotonic()
        with pytest.raises(StoreUnavailable, match=r"no answer from Redis in 0\.2 s$"):
            await connection.call("PING")
    assert 0.2 <= time.monotonic() - began_s < 1


async def test_a_late_reply_is_not_given_to_the_next_caller(proxy: Proxy) -> None:
    async with connect(proxy.url, call_timeout_ms=300) as connection:
        await connection.call("PING")
        proxy.stall()
        with pytest.raises(StoreUnavailable):
            await connection.call("ECHO", "late")
        following = connection.call("ECHO", "following")
        proxy.flow()
        assert await following == b"following"
    assert proxy.accepted == 1


async def test_a_connection_that_gives_no_replies_is_made_again(proxy: Proxy) -> None:
    async with connect(proxy.url, call_timeout_ms=100) as connection:
        await connection.call("PING")
        proxy.stall()
        with pytest.raises(StoreUnavailable):
            await connection.call("PING")
        await until(lambda: proxy.accepted >= 2)
        proxy.flow()
        await until(lambda: connection.connected)
        assert await connection.call("ECHO", "back") == b"back"


async def test_an_answer_that_is_there_counts_though_the_loop_was_busy(
    redis_url: str, prefix: str
) -> None:
    async with connect(redis_url, call_timeout_ms=200) as connection:
        await connection.call("PING")
        answer = connection.call("BLPOP", f"{prefix}nothing", 0.1)
        await asyncio.sleep(0.01)
        time.sleep(0.5)  # noqa: ASYNC251 - the loop is blocked on purpose
        assert await answer is None


# --- lost connections ---


async def test_a_reply_cut_in_its_middle_is_asked_for_again(proxy: Proxy) -> None:
    async with connect(proxy.url) as connection:
        await connection.call("PING")
        proxy.cut_reply(after=1000)
        assert await connection.call("ECHO", b"x" * 10_000) == b"x" * 10_000
    assert proxy.accepted == 2


async def test_a_call_whose_reply_was_lost_runs_again_with_the_same_answer(
    proxy: Proxy, redis: Redis, prefix: str
) -> None:
    async with connect(proxy.url) as connection:
        await connection.call("PING")
        proxy.cut_reply()
        answer = await connection.call("EVAL", COUNT_AND_ECHO, 1, f"{prefix}runs", "same")
    assert answer == b"same"
    assert await redis.get(f"{prefix}runs") == b"2"


async def test_unanswered_calls_go_out_again_in_order_before_newer_ones(
    proxy: Proxy, redis: Redis, prefix: str
) -> None:
    async with connect(proxy.url) as connection:
        await connection.call("PING")
        proxy.stall()
        old = [connection.call("RPUSH", f"{prefix}order", name) for name in "abc"]
        await until(lambda: b"c" in proxy.requests[-1])
        await proxy.refuse()
        await until(lambda: not connection.connected)
        new = [connection.call("RPUSH", f"{prefix}order", name) for name in "de"]
        await redis.delete(f"{prefix}order")
        proxy.flow()
        await proxy.accept()
        assert await asyncio.gather(*old, *new) == [1, 2, 3, 4, 5]
    assert await redis.lrange(f"{prefix}order", 0, -1) == [b"a", b"b", b"c", b"d", b"e"]
    await redis.delete(f"{prefix}order")


async def test_cancelled_and_expired_calls_are_not_sent_again(
    proxy: Proxy, redis: Redis, prefix: str
) -> None:
    async with connect(proxy.url, call_timeout_ms=400) as connection:
        await connection.call("PING")
        proxy.stall()
        expired = connection.call("EVAL", COUNT_AND_ECHO, 1, f"{prefix}expired", "")
        with pytest.raises(StoreUnavailable):
            await expired
        cancelled = connection.call("EVAL", COUNT_AND_ECHO, 1, f"{prefix}cancelled", "")
        kept = connection.call("EVAL", COUNT_AND_ECHO, 1, f"{prefix}kept", "answer")
        await until(lambda: b"kept" in proxy.requests[-1])
        cancelled.cancel()
        proxy.cut()
        proxy.flow()
        assert await kept == b"answer"
    runs = await redis.mget(*(f"{prefix}{name}" for name in ("expired", "cancelled", "kept")))
    assert runs == [b"1", b"1", b"2"]


async def test_calls_wait_while_connections_are_refused(
    proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="lua.connection")
    async with connect(proxy.url) as connection:
        await connection.call("PING")
        await proxy.refuse()
        waiting = connection.call("ECHO", "patience")
        await until(lambda: caplog.text.count("Error 111") >= 2)
        assert not connection.connected
        await proxy.accept()
        assert await waiting == b"patience"


async def test_calls_time_out_while_redis_is_away(proxy: Proxy) -> None:
    await proxy.refuse()
    async with connect(proxy.url, call_timeout_ms=200) as connection:
        with pytest.raises(StoreUnavailable):
            await connection.call("PING")
        await proxy.accept()
        await until(lambda: connection.connected)
        assert await connection.call("ECHO", "back") == b"back"


@pytest.mark.parametrize(
    "refusal",
    [
        b"-LOADING Valkey is loading the dataset in memory\r\n",
        b"-READONLY You can't write against a read only replica.\r\n",
        b"-MASTERDOWN Link with MASTER is down\r\n",
    ],
    ids=lambda refusal: refusal[1:].split()[0].decode(),
)
async def test_a_server_that_does_not_serve_is_left_and_tried_again(
    proxy: Proxy, refusal: bytes
) -> None:
    async with connect(proxy.url) as connection:
        await connection.call("PING")
        proxy.forge_reply(refusal)
        futures, texts = echoes(connection, 3)
        assert await asyncio.gather(*futures) == texts
    assert proxy.accepted == 2


async def test_a_reply_nobody_asked_for_ends_the_connection(proxy: Proxy) -> None:
    async with connect(proxy.url) as connection:
        proxy.forge_reply(b"+OK\r\n+OK\r\n+OK\r\n+OK\r\n")
        await until(lambda: proxy.accepted >= 2)
        futures, texts = echoes(connection, 3)
        assert await asyncio.gather(*futures) == texts


@pytest.mark.parametrize("seed", range(8))
async def test_replies_stay_with_their_calls_whatever_is_cut(proxy: Proxy, seed: int) -> None:
    chance = random.Random(seed)
    async with connect(proxy.url, call_timeout_ms=20_000) as connection:
        await connection.call("PING")
        for _ in range(4):
            proxy.cut_reply(after=chance.randrange(1000))
            futures, texts = echoes(connection, 100)
            doomed = set(chance.sample(range(100), 20))
            await asyncio.sleep(0)
            for number in doomed:
                futures[number].cancel()
            replies = await asyncio.gather(*futures, return_exceptions=True)
            for number, reply in enumerate(replies):
                assert number in doomed or reply == texts[number]
    assert proxy.accepted > 2


async def test_a_connection_that_fell_silent_while_idle_is_made_again(proxy: Proxy) -> None:
    async with connect(proxy.url, call_timeout_ms=100, idle_ms=50) as connection:
        await until(lambda: any(b"PING" in request for request in proxy.requests))
        assert proxy.accepted == 1
        proxy.stall()
        await until(lambda: proxy.accepted >= 2)
        proxy.flow()
        await until(lambda: connection.connected)
        assert await connection.call("ECHO", "back") == b"back"


async def test_a_connection_in_use_is_not_checked(proxy: Proxy) -> None:
    async with connect(proxy.url, idle_ms=1000) as connection:
        ends_s = time.monotonic() + 1.2
        while time.monotonic() < ends_s:
            await connection.call("ECHO", "busy")
            await asyncio.sleep(0.02)
    assert not any(b"PING" in request for request in proxy.requests)


# --- what happens around a connect ---


async def test_a_handshake_without_an_answer_is_given_up(proxy: Proxy) -> None:
    proxy.stall()
    async with connect(proxy.url, call_timeout_ms=100):
        began_s = time.monotonic()
        await until(lambda: proxy.accepted >= 3)
        assert time.monotonic() - began_s >= 0.2


async def test_attempts_to_connect_keep_their_distance(
    proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="lua.connection")
    await proxy.refuse()
    began_s = time.monotonic()
    async with connect(proxy.url):
        await until(lambda: len(caplog.records) >= 5)
    assert time.monotonic() - began_s >= 4 * 0.02


def test_back_off_doubles_up_to_a_second() -> None:
    for failures, longest_s in ((1, 0.04), (2, 0.08), (5, 0.64), (6, 1.0), (5000, 1.0)):
        delays_s = [_backoff_s(failures) for _ in range(1000)]
        assert min(delays_s) >= 0.02
        assert 0.9 * longest_s < max(delays_s) <= longest_s


async def test_on_connect_runs_before_waiting_calls_on_every_connection(
    proxy: Proxy, redis: Redis, prefix: str
) -> None:
    key = f"{prefix}order"

    async def greet(send: Callable[..., Awaitable[Any]]) -> None:
        assert await send("RPUSH", key, "greeting") > 0

    async with connect(proxy.url, on_connect=greet) as connection:
        await connection.call("RPUSH", key, "one")
        await proxy.refuse()
        waiting = connection.call("RPUSH", key, "two")
        await proxy.accept()
        await waiting
    assert await redis.lrange(key, 0, -1) == [b"greeting", b"one", b"greeting", b"two"]
    await redis.delete(key)


async def test_a_failed_on_connect_is_repeated_on_a_new_connection(
    proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [RuntimeError("a defect"), ResponseError("a refusal")]

    async def fail_twice(_: Callable[..., Awaitable[Any]]) -> None:
        if failures:
            raise failures.pop(0)

    async with connect(proxy.url, on_connect=fail_twice) as connection:
        assert await connection.call("ECHO", "third") == b"third"
    assert proxy.accepted == 3
    assert "RuntimeError: a defect" in caplog.text


async def test_reconnected_is_told_of_each_reconnect_but_not_of_the_first(proxy: Proxy) -> None:
    told: list[str] = []
    async with connect(proxy.url) as connection:
        connection.reconnected.append(lambda: told.append("told"))
        await connection.call("PING")
        assert told == []
        for count in (1, 2):
            proxy.cut()
            await until(lambda count=count: len(told) == count)  # type: ignore[misc]
            assert await connection.call("ECHO", "back") == b"back"
    assert told == ["told", "told"]


async def test_a_defect_in_a_reconnected_hook_harms_nobody(proxy: Proxy) -> None:
    errors: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    async with connect(proxy.url) as connection:
        connection.reconnected.append(lambda: 1 // 0)  # type: ignore[arg-type]
        await connection.call("PING")
        proxy.cut()
        await until(lambda: bool(errors))
        assert await connection.call("ECHO", "back") == b"back"
    assert proxy.accepted == 2


# --- bounds and the end ---


async def test_too_many_pending_calls_are_refused_at_once(proxy: Proxy) -> None:
    async with connect(proxy.url, max_pending=3) as connection:
        await connection.call("PING")
        proxy.stall()
        futures, texts = echoes(connection, 3)
        with pytest.raises(StoreBusy):
            connection.call("PING")
        proxy.flow()
        assert await asyncio.gather(*futures) == texts
        assert await connection.call("ECHO", "room") == b"room"


async def test_too_many_pending_bytes_are_refused_at_once(proxy: Proxy) -> None:
    async with connect(proxy.url, max_pending_bytes=3000) as connection:
        await connection.call("PING")
        proxy.stall()
        futures = [connection.call("ECHO", letter * 1400) for letter in "ab"]
        with pytest.raises(StoreBusy):
            connection.call("ECHO", "c" * 1400)
        assert not futures[0].cancel() or futures[1]
        proxy.cut()
        proxy.flow()
        assert await futures[1] == b"b" * 1400
        assert await connection.call("ECHO", "d" * 2900) == b"d" * 2900


async def test_close_ends_pending_calls(proxy: Proxy) -> None:
    async with connect(proxy.url) as connection:
        await connection.call("PING")
        proxy.stall()
        sent = connection.call("ECHO", "sent")
        await until(lambda: b"sent" in proxy.requests[-1])
        unsent = connection.call("ECHO", "unsent")
    for future in (sent, unsent):
        with pytest.raises(StoreUnavailable, match="closed"):
            await future
    with pytest.raises(StoreUnavailable, match="closed"):
        connection.call("PING")


async def test_close_works_while_redis_is_away(proxy: Proxy) -> None:
    await proxy.refuse()
    async with connect(proxy.url) as connection:
        waiting = connection.call("PING")
    with pytest.raises(StoreUnavailable, match="closed"):
        await waiting


async def test_close_ends_at_whatever_step_the_connection_is_made(proxy: Proxy) -> None:
    for steps in range(100):
        connection = Multiplexed(f"redis://nobody:wrong@{proxy.address}/1")
        await connection.start()
        for _ in range(steps):
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await connection.close()


# --- ways to a server ---


@pytest.fixture
async def account(redis: Redis, prefix: str) -> AsyncIterator[str]:
    """``NAME:PASSWORD`` of a user of the server."""
    name, password = prefix.strip(":"), "p%40ss"
    await redis.execute_command("ACL", "SETUSER", name, "on", ">p@ss", "~*", "+@all")
    yield f"{name}:{password}"
    await redis.execute_command("ACL", "DELUSER", name)


async def test_it_authenticates_over_tcp_and_selects_the_database(
    proxy: Proxy, account: str
) -> None:
    async with connect(f"redis://{account}@{proxy.address}/3") as connection:
        assert (await connection.call("ACL", "WHOAMI")).decode() == account.split(":")[0]
        assert b" db=3 " in await connection.call("CLIENT", "INFO")


async def test_a_wrong_password_is_named_as_the_reason(
    proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(
        f"redis://nobody:wrong@{proxy.address}/0", call_timeout_ms=500
    ) as connection:
        await until(lambda: "invalid username-password pair" in caplog.text)
        with pytest.raises(StoreUnavailable, match="invalid username-password pair"):
            await connection.call("PING")


async def test_a_unix_socket_with_a_database(redis_url: str) -> None:
    assert redis_url.startswith("unix://")
    async with connect(f"{redis_url}?db=2") as connection:
        assert b" db=2 " in await connection.call("CLIENT", "INFO")


@pytest.fixture
async def tls_proxy(redis_url: str, tmp_path: Path) -> AsyncIterator[tuple[Proxy, Path]]:
    """A proxy that speaks TLS, and the certificate of the authority it can be checked with."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with Proxy(redis_url, tls=_server_context(authority)) as proxy:
        yield proxy, tmp_path / "ca.pem"


def _server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_tls_with_a_known_certificate(tls_proxy: tuple[Proxy, Path]) -> None:
    proxy, authority = tls_proxy
    async with connect(f"{proxy.url}?ssl_ca_certs={authority}") as connection:
        futures, texts = echoes(connection, 100)
        assert await asyncio.gather(*futures) == texts
        proxy.cut_reply(after=10)
        assert await connection.call("ECHO", b"x" * 1000) == b"x" * 1000


async def test_tls_with_an_unknown_certificate_is_refused(
    tls_proxy: tuple[Proxy, Path], caplog: pytest.LogCaptureFixture
) -> None:
    proxy, _ = tls_proxy
    async with connect(proxy.url) as connection:
        await until(lambda: "certificate verify failed" in caplog.text)
        assert not connection.connected
    assert proxy.requests == []
