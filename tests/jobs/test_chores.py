"""Work that nobody waits for."""

import asyncio

import pytest
from structlog.testing import capture_logs

from jobs.chores import Chores


async def fail() -> None:
    raise ValueError("on purpose")


async def wait_for(event: asyncio.Event) -> None:
    await event.wait()


async def test_what_fails_is_told_and_ends_nothing_else() -> None:
    chores, go_on = Chores(), asyncio.Event()
    other = chores.start(wait_for(go_on))
    with capture_logs() as logs:
        await asyncio.wait((chores.start(fail()),))
    assert [str(entry["exc_info"]) for entry in logs] == ["on purpose"]
    go_on.set()
    await other


async def test_the_end_gives_up_what_still_runs() -> None:
    chores = Chores()
    for_ever = chores.start(wait_for(asyncio.Event()))
    await chores.stop()
    with pytest.raises(asyncio.CancelledError):
        await for_ever
