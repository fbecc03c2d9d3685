"""Redis forgets its scripts, or everything: the next call works all the same."""

from typing import Any

import pytest

from lua import scripts
from lua.client import Cells
from lua.errors import ScriptFailed
from tests.harness.valkey import OwnValkey
from tests.lua.fleet import PAYLOAD, a_job, a_registration, a_session, an_outcome
from tests.peers.until import until


async def forget_scripts(cells: Cells) -> None:
    await cells.plain.execute_command("FUNCTION", "FLUSH")
    await cells.plain.script_flush()


async def test_scripts_that_were_flushed_are_sent_again(cells: Cells) -> None:
    await forget_scripts(cells)
    taken = await scripts.take(cells, cell=0, job="j1", attempt=1, node="n1", conn="n1-1")
    assert isinstance(taken, scripts.Taken)
    await forget_scripts(cells)
    outcome = an_outcome("j1", "n1", size=2)
    assert await scripts.finish(cells, cell=0, outcome=outcome, result=b"{}") == scripts.Done(
        more=False
    )
    assert await cells.result(0, "j1", size=2) == b"{}"


async def test_after_a_restart_a_job_is_where_it_was(valkey: OwnValkey, cells: Cells) -> None:
    back: list[int] = []
    cells.on_reconnect(back.append)
    await valkey.stop()
    await valkey.start()
    await until(lambda: back == [0], within_s=5)
    taken = await scripts.take(cells, cell=0, job="j1", attempt=1, node="n1", conn="n1-1")
    assert isinstance(taken, scripts.Taken)
    assert taken.payload == PAYLOAD


async def test_after_a_flush_calls_say_what_is_gone(valkey: OwnValkey, cells: Cells) -> None:
    before = await scripts.renew_lease(cells, cell=0, process="p1")
    valkey.flush()
    after = await scripts.renew_lease(cells, cell=0, process="p1")
    assert isinstance(before, scripts.Kept)
    assert isinstance(after, scripts.Lease)
    assert before.epoch != after.epoch
    assert await scripts.finish(cells, cell=0, outcome=an_outcome("j1", "n1")) == scripts.Unknown()
    job = a_job("j2", index=1)
    assert await scripts.dispatch(cells, cell=0, job=job, payload=PAYLOAD) == scripts.NoSession()


@pytest.mark.parametrize("first", ["node", "session"])
async def test_after_a_flush_a_job_is_made_again_in_either_order(
    valkey: OwnValkey, cells: Cells, first: str
) -> None:
    await scripts.take(cells, cell=0, job="j1", attempt=1, node="n1", conn="n1-1")
    valkey.flush()
    await scripts.renew_lease(cells, cell=0, process="p1")

    async def node_tells() -> object:
        told = a_registration("n1", held=[("j1", 1)])
        return await scripts.register_node(cells, cell=0, registration=told)

    async def session_tells() -> object:
        await scripts.open_session(cells, cell=0, session=a_session(known=["j1"]))
        return await scripts.restore_job(cells, cell=0, job=a_job("j1"), payload=PAYLOAD)

    if first == "node":
        await node_tells()
        assert await session_tells() == scripts.Claimed(node="n1")
    else:
        assert await session_tells() == scripts.Held()
        await node_tells()

    state, node, attempt = await cells.plain.hmget(
        f"{cells.prefixes[0]}job:j1", "state", "node", "attempt"
    )
    assert (state, node, attempt) == (b"DISPATCHED", b"n1", b"1")
    assert isinstance(
        await scripts.finish(cells, cell=0, outcome=an_outcome("j1", "n1")), scripts.Done
    )


async def test_a_script_that_fails_is_logged_but_not_each_time(
    cells: Cells, caplog: pytest.LogCaptureFixture
) -> None:
    key = f"{cells.prefixes[0]}fleet"
    kept: Any = await cells.plain.dump(key)
    await cells.plain.delete(key)
    await cells.plain.set(key, "damage")
    for _ in range(3):
        with pytest.raises(ScriptFailed):
            await scripts.offer(cells, cell=0, node="n1")
    assert caplog.text.count("the script offer failed") == 1
    await cells.plain.restore(key, 0, kept, replace=True)
