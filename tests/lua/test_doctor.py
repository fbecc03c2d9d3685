"""Each structure is damaged, the doctor says so, and its repair leaves a sound cell behind."""

import asyncio
from typing import Any

import pytest

from lua import scripts
from lua.client import Cells, StoreSettings
from lua.doctor import reading, repair
from lua.doctor.reading import Finding
from lua.errors import ScriptFailed
from lua.limits import Limits
from lua.records import LOAD
from lua.scripts import Need, mend_entry, mend_queue
from tests.lua.driven import DrivenCells, finished
from tests.lua.fleet import POOL
from tests.lua.scenes import _sick
from tests.lua.stage import Stage

SIG = Need((POOL,)).sig


@pytest.fixture
def busy(stage: Stage) -> Stage:
    """Nodes on and offline, one with an open breaker; jobs in every state."""
    _sick(stage, 3)
    stage.node("n3", capacity=1, has=["tts:zh"], pools=["own:x"])
    stage.running("runs", "n2")
    stage.send("reserved")
    stage.node("n4", capacity=0, pools=["own:full"])
    stage.send("waits", need=Need(("own:full",)))
    stage.send("waits too", need=Need(("own:full",)), request="t/c/1")
    stage.node("n5", pools=["own:y"])
    stage.send("lonely", need=Need(("own:y",)))
    stage.offline("n5")
    _lame(stage)
    return stage


def _lame(stage: Stage) -> None:
    """The speech of ``l1`` failed and is out, that of others is well."""
    pool = Need(("own:lame",), ("type:tts",))
    for name, capacity in (("l1", 1), ("l2", 9), ("l3", 0)):
        stage.node(name, pools=["own:lame"], has=["type:tts"], capacity=capacity)
    for number in range(3):
        job, session = f"l{number}-job", f"l-{number}"
        stage.open_session(session)
        stage.send(job, need=pool, preferred="l1", session=session)
        stage.take(job, "l1")
        stage.fail(job, "l1", "TTS_TIMEOUT", "tts-1")
        stage.take(job, "l2", attempt=2)
        stage.finish(job, "l2")
    assert stage.cell["lame"].set == {"l1"}


FULL = Need(("own:full",)).sig
DAMAGES: dict[str, tuple[tuple[Any, ...], ...]] = {
    "a job that the node does not have": (("SADD", "node:n2:jobs", "nobody's"),),
    "a job that is missing on its node": (("SREM", "node:n2:jobs", "runs"),),
    "a node's record": (("HDEL", "fleet", "n3"),),
    "a record of no node": (("HSET", "fleet", "n9", bytes(22)),),
    "a node missing in ready": (("SREM", f"ready:{POOL}", "n2"),),
    "a busy node among the idle": (("SADD", f"idle:{POOL}", "n1"),),
    "a node in ready that is out": (("SADD", f"ready:{POOL}", "n1"),),
    "a member that is none": (("SADD", "pool:own:x", "n2"), ("SADD", "ready:own:x", "n2")),
    "a member that is missing": (("SREM", "pool:own:x", "n3"),),
    "a member that is unknown": (("SADD", "has:tts:zh", "n9"),),
    "what a node has": (("SREM", "has:tts:zh", "n3"),),
    "a breaker that nobody knows": (("SREM", "broken", "n1"),),
    "a breaker that is closed": (("SADD", "broken", "n2"),),
    "a breaker without an end": (("ZREM", "timers", "node:n1:probe"),),
    "a service that is not out": (("SADD", "lame", "n9"),),
    "a node without its stale timer": (("ZREM", "timers", "node:n3:stale"),),
    "a process that does not know its node": (("SREM", "process:p1:nodes", "n3"),),
    "a job without a timer": (("ZREM", "timers", "job:runs"),),
    "a waiting job without a timer": (("ZREM", "timers", "job:waits"),),
    "a timer that fires too late": (("ZADD", "timers", 9e15, "job:reserved"),),
    "a timer of nobody": (("ZADD", "timers", 9e15, "job:nobody's"),),
    "a final job that stays for ever": (("PERSIST", "job:f0"),),
    "a queue that lost a job": (("ZREM", f"waiting:{FULL}", "waits"),),
    "a queue with a job of nobody": (("ZADD", f"waiting:{FULL}", 1, "nobody's"),),
    "a queue of nobody": (("ZADD", "waiting:01", 1, "nobody's"), ("HSET", "sigs", "01", "a\t\t")),
    "a wrong count of what a pool offers": (("HSET", "offers", f"{POOL} access:public", 9),),
    "wrong bytes of live jobs": (("SET", "live_bytes", 1),),
    "a wrong count of waiting jobs": (("HSET", "session:s-1", "waiting", 7),),
    "a line of what no pool offers": (("HSET", "offers", "own:z tts:zh", 1),),
    "a line with a slash": (("HSET", "offers", "own:z model:a/b", 1),),
    "a missing line": (("HDEL", "offers", f"{POOL} access:public"),),
    "a timer with a slash": (("ZADD", "timers", 9e15, "node:n9:service:a/b"),),
    "a queue that no pool knows": (("DEL", "heads:own:full"),),
    "a pool that knows a queue in vain": (("ZADD", "heads:own:x", 1, FULL),),
    "a queue without its requirement": (("HDEL", "sigs", FULL),),
    "a queue that is not swept": (("DEL", "queues"),),
    "no sweep": (("ZREM", "timers", "sweep"),),
    "a session that forgot a job": (("HDEL", "session:s-1", "job:runs"),),
    "a mailbox of no process": (("XADD", "mailbox:p9", "*", "kind", "hello"),),
    "a mailbox that is gone": (("DEL", "mailbox:p1"),),
    "a process with a node of nobody": (("SADD", "process:p1:nodes", "n9"),),
    "a process with a session of nobody": (("SADD", "process:p1:sessions", "s-9"),),
    "a process without an end": (("ZREM", "timers", "process:p1"),),
    "jobs of no node": (("SADD", "node:n9:jobs", "runs"),),
    "a record with wrong counts": (("HSET", "fleet", "n2", LOAD.pack(9, 0, 0, 0, 1) + bytes(7)),),
    "a record with another connection": (("HSET", "node:n2", "conn", "its-next"),),
    "a record without an ear": (("HSET", "node:n3", "process", "", "ear", "p1"),),
    "a record of a node that is out": (("HDEL", "fleet", "n1"),),
    "a record that does not know who leaves": (("HSET", "node:n3", "acking", "1", "leave", "1"),),
    "a record that cannot be read": (("HSET", "fleet", "n2", bytes(15)),),
    "a record of nobody that cannot be read": (("HSET", "fleet", "n9", bytes(15)),),
    "a warm-up of a ready node": (("ZADD", "timers", 9e15, "node:n3:warmup"),),
    "a grace of a node that is there": (("ZADD", "timers", 9e15, "node:n3:grace"),),
    "a stale timer of a node that is gone": (("ZADD", "timers", 9e15, "node:n5:stale"),),
    "a service that nobody knows to be out": (("SREM", "lame", "l1"),),
    "a well node among the lame": (("SADD", "lame", "n2"),),
    "a service that is back too soon": (("ZREM", "timers", "node:l1:service:tts-1"),),
    "a service timer of a well node": (("ZADD", "timers", 9e15, "node:n2:service:tts-1"),),
    "services that are out": (("HSET", "node:l1", "out", ""),),
    "a pool without a definition": (("HDEL", "pools", POOL),),
    "a pool with another definition": (("HSET", "pools", POOL, "[]"),),
    "a definition of no pool": (("HSET", "pools", "auto:zz", "{}"),),
    "a live job that would end": (("PEXPIRE", "job:runs", 600_000),),
    "a request that leads nowhere": (("DEL", "request:t/c/1"),),
    "a request that leads elsewhere": (("SET", "request:t/c/1", "runs"),),
    "a request that would end": (("PEXPIRE", "request:t/c/1", 600_000),),
    "a request of nobody": (("SET", "request:t/c/9", "nobody's"),),
    "a wrong rank": (("ZADD", f"waiting:{FULL}", 1, "waits"),),
    "a result of a live job": (("SET", "result:runs", "{}", "PX", 60_000),),
    "a payload of a final job": (("SET", "payload:f0", "{}", "PX", 60_000),),
    "a session with a job of nobody": (("HSET", "session:s-1", "job:nobody's", 1),),
    "a session with a job that has ended": (("HSET", "session:s-1", "job:f0", 1),),
    "a session that its process forgot": (("SREM", "process:p1:sessions", "s-1"),),
    "a session that would end": (("ZADD", "timers", 9e15, "session:s-1"),),
    "indexes of a session that is gone": (("HSET", "indexes:s-9", "node:n1", 1),),
    "a session that is gone": (("DEL", "session:s-1"), ("SREM", "process:p1:sessions", "s-1")),
    "a brake for ever": (("SET", "brake", "memory_full"),),
    "a key of another type": (("SET", "ready:own:q", "x"),),
    "a payload for ever": (("SET", "payload:nobody's", "x"),),
    "a key that is none of ours": (("SET", "strange", "x"),),
}  # fmt: skip


def examined(stage: Stage) -> list[Finding]:
    return reading.examine(stage.cells.settings, pause_s=0)


def mended(stage: Stage, found: list[Finding]) -> int:
    """By scripts whose time is the stage's."""
    return asyncio.run(repair.mend(stage.cells, found))


def test_a_sound_cell_is_found_sound(busy: Stage) -> None:
    assert examined(busy) == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_explained_and_mended(busy: Stage, damage: str) -> None:
    for command, key, *rest in DAMAGES[damage]:
        busy.cells.blocking.execute_command(command, f"{busy.cells.prefixes[0]}{key}", *rest)
    found = examined(busy)
    assert found
    assert all(one.subject and one.text and one.rule for one in found)
    assert mended(busy, found) > 0
    assert examined(busy) == []
    for key in ("strange", "ready:own:q"):  # they only end tomorrow
        busy.cells.blocking.delete(f"{busy.cells.prefixes[0]}{key}")
    busy.look(0)


def test_mending_twice_changes_nothing_more(busy: Stage) -> None:
    prefix = busy.cells.prefixes[0]
    busy.cells.blocking.delete(f"{prefix}ready:{POOL}", f"{prefix}waiting:{FULL}")
    found = examined(busy)
    assert mended(busy, found) > 0
    assert mended(busy, found) == 0


def test_repair_looks_anew_before_it_writes(busy: Stage) -> None:
    everything = [
        Finding(0, subject, "", "")
        for subject in ("n1", "runs", f"ready:{POOL}/n2", f"waiting:{FULL}/waits", "broken/n1",
                        "timers/job:runs", "mailbox:p1", "process:p1:nodes", f"sigs/{FULL}")
    ]  # fmt: skip
    assert mended(busy, everything) == 0
    busy.look(0)


def test_jobs_of_a_node_that_is_gone_go_elsewhere(busy: Stage) -> None:
    busy.checks = False
    busy.cells.blocking.delete(f"{busy.cells.prefixes[0]}node:n2")
    for _ in range(3):
        mended(busy, examined(busy))
        busy.reap()
    assert examined(busy) == []
    busy.look(0)
    assert busy.state("runs") in ("WAITING", "RESERVED", "FAILED")


async def test_what_moves_while_it_is_read_is_not_found(redis_url: str, prefix: str) -> None:
    """Only what is wrong at both looks counts."""
    settings = StoreSettings(url=redis_url, prefix=prefix)
    async with Cells(settings) as cells:
        key = f"{cells.prefixes[0]}broken"
        await cells.plain.sadd(key, "n1")
        looking = asyncio.create_task(asyncio.to_thread(reading.examine, settings, pause_s=0.3))
        await asyncio.sleep(0.1)
        await cells.plain.delete(key)
        await cells.plain.sadd(key, "n2")
        assert await looking == []
        await cells.plain.delete(key)


def test_an_idle_node_that_is_missing_is_found_and_mended(stage: Stage) -> None:
    stage.node("n1")
    stage.cells.blocking.delete(f"{stage.cells.prefixes[0]}idle:{POOL}")
    found = examined(stage)
    assert [one.subject for one in found] == [f"idle:{POOL}/n1"]
    assert mended(stage, found) == 1
    assert examined(stage) == []


def test_a_count_that_moved_while_it_was_made_is_left_alone(busy: Stage) -> None:
    key, line = f"{busy.cells.prefixes[0]}offers", f"{POOL} access:public"
    said, right = reading.count_offering(busy.cells.settings, 0, line)
    assert said == right == 2
    for was, changes in ((3, 0), (2, 1)):
        reply = finished(
            mend_entry(busy.cells, cell=0, key="offers", member=f"{was} {right + 5} {line}")
        )
        assert reply.changes == changes
    assert busy.cells.blocking.hget(key, line) == b"7"
    busy.cells.blocking.hset(key, line, right)


def test_a_long_queue_is_mended_some_at_a_time(busy: Stage) -> None:
    prefix = busy.cells.prefixes[0]
    for number in range(100):
        busy.cells.blocking.zadd(f"{prefix}waiting:{FULL}", {f"nobody-{number:03}": number})
    reply = finished(mend_queue(busy.cells, cell=0, sig=FULL))
    assert reply.changes == 64
    assert busy.cells.blocking.hexists(f"{prefix}sigs", FULL)  # there are jobs behind them
    assert mended(busy, examined(busy)) > 0
    assert examined(busy) == []


def test_the_step_of_a_priority_is_the_one_that_is_set(redis_url: str, prefix: str) -> None:
    limits = Limits(priority_step_ms=500)
    stage = Stage(DrivenCells(StoreSettings(url=redis_url, prefix=prefix, limits=limits)))
    stage.checks = False  # by the usual limits
    stage.node("n1", capacity=1)
    stage.send("runs")
    assert isinstance(stage.send("waits", priority=5), scripts.Waiting)
    assert examined(stage) == []
    stage.cells.end()


@pytest.mark.parametrize(
    "damage",
    [
        ("ZADD", "timers", 1, "node:n9:stale"),
        ("ZADD", "timers", 1, "node:n1:service:gone"),
        ("ZADD", "timers", 1, "session:s-9"),
        ("ZADD", "timers", 1, "riddle:x"),
        ("ZADD", f"waiting:{FULL}", 1, "nobody's"),
        ("SADD", "process:p2:nodes", "n9"),
    ],
)
def test_time_goes_on_for_all_the_others(busy: Stage, damage: tuple[Any, ...]) -> None:
    """Nobody waits for an operator."""
    busy.processes.append("p2")
    busy.renew("p2")
    command, key, *rest = damage
    busy.cells.blocking.execute_command(command, f"{busy.cells.prefixes[0]}{key}", *rest)
    busy.checks = False
    busy.processes = ["p1"]
    busy.pass_ms(11_000)
    busy.look(0)
    assert "waits" in busy.cell.jobs
    assert busy.state("waits") == "FAILED"


def test_a_timer_that_fails_says_so_and_stops_no_other(busy: Stage) -> None:
    prefix = busy.cells.prefixes[0]
    busy.cells.blocking.hset(f"{prefix}job:runs", "due", "soon")
    busy.cells.blocking.hset(f"{prefix}job:waits", "due", 1)
    busy.cells.blocking.zadd(f"{prefix}timers", {"job:runs": 1, "job:waits": 2})
    busy.checks = False
    with pytest.raises(ScriptFailed, match="attempt to compare"):
        busy.reap()
    assert busy.cells.blocking.hget(f"{prefix}job:waits", "state") == b"FAILED"
