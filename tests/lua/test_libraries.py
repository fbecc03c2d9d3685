"""The scripts are functions of the server, and scripts by their digest where it takes none."""

from dataclasses import replace

import pytest

from lua import libraries, scripts
from lua.client import Cells
from lua.limits import Limits
from lua.script import Script
from lua.scripts.job import FINISH, TAKE
from tests.harness.valkey import OwnValkey
from tests.lua.fleet import an_outcome

OTHER_LIMITS = Limits(inline_bytes=100_000, final_ttl_ms=500_000)


async def functions(cells: Cells) -> set[str]:
    """Names of the scripts that the server keeps as functions."""
    kept = await cells.plain.execute_command("FUNCTION", "LIST", "LIBRARYNAME", "parley_*")
    return {about[about.index(b"library_name") + 1].decode() for about in kept}


async def calls(cells: Cells, command: str) -> int:
    """How often the server has run a command without an error."""
    stats = (await cells.plain.info("commandstats")).get(f"cmdstat_{command}", {})
    return int(stats.get("calls", 0)) - int(stats.get("failed_calls", 0))


async def finish(cells: Cells) -> object:
    outcome = an_outcome("j1", "n1", size=2)
    return await scripts.finish(cells, cell=0, outcome=outcome, result=b"{}")


async def take(cells: Cells) -> object:
    return await scripts.take(cells, cell=0, job="j1", attempt=1, node="n1", conn="n1-1")


async def test_a_script_is_a_function_once_it_was_called(cells: Cells) -> None:
    name = TAKE.composed(cells.limits).name
    assert name not in await functions(cells)
    assert isinstance(await take(cells), scripts.Taken)
    assert name in await functions(cells)
    before = await calls(cells, "fcall")
    assert isinstance(await take(cells), scripts.Taken)
    assert await calls(cells, "fcall") == before + 1


async def test_known_scripts_are_functions_from_the_start(cells: Cells) -> None:
    other = Cells(replace(cells.settings, limits=OTHER_LIMITS))
    await other.start([TAKE])
    assert isinstance(await take(other), scripts.Taken)
    assert TAKE.composed(OTHER_LIMITS).name in await functions(cells)
    await other.close()


async def test_a_user_who_may_load_none_runs_the_same_scripts(
    valkey: OwnValkey, cells: Cells
) -> None:
    await cells.plain.execute_command(
        "ACL", "SETUSER", "runner", "on", "nopass", "~*", "&*", "+@all", "-function"
    )
    url = f"unix://runner:none@{valkey.url.removeprefix('unix://')}"
    runner = Cells(replace(cells.settings, url=url))
    await runner.start([TAKE])
    assert isinstance(await take(runner), scripts.Taken)
    before = await calls(cells, "evalsha")
    assert isinstance(await take(runner), scripts.Taken)
    assert await calls(cells, "evalsha") == before + 1
    await cells.plain.script_flush()
    assert isinstance(await take(runner), scripts.Taken)
    assert await finish(runner) == scripts.Done(more=False)  # one that was not known at the start
    refused = {script.composed(cells.limits).name for script in (TAKE, FINISH)}
    assert not refused & await functions(cells)
    assert libraries.forget_unused(runner.settings) == 0
    await runner.close()


@pytest.mark.parametrize("known", [[], [FINISH]], ids=["called", "known"])
async def test_who_comes_when_memory_is_short_ends_jobs_all_the_same(
    cells: Cells, known: list[Script]
) -> None:
    await take(cells)
    await cells.plain.config_set("maxmemory-policy", "noeviction")
    await cells.plain.config_set("maxmemory", 1)
    late = Cells(replace(cells.settings, limits=OTHER_LIMITS))
    await late.start(known)
    assert await finish(late) == scripts.Done(more=False)
    assert FINISH.composed(OTHER_LIMITS).name not in await functions(cells)
    assert await finish(late) == scripts.Done(more=False)
    await late.close()


async def test_what_other_versions_left_is_removed_and_loaded_again_when_used(
    cells: Cells,
) -> None:
    await take(cells)
    other = Cells(replace(cells.settings, limits=OTHER_LIMITS))
    async with other:
        await take(other)
        assert libraries.forget_unused(cells.settings) == 1
        ours = {whole.composed(cells.limits).name for whole in (TAKE, FINISH)}
        assert TAKE.composed(OTHER_LIMITS).name not in await functions(cells)
        assert ours & await functions(cells) == {TAKE.composed(cells.limits).name}
        assert isinstance(await take(other), scripts.Taken)
        assert TAKE.composed(OTHER_LIMITS).name in await functions(cells)
    assert libraries.forget_unused(cells.settings) == 1
    assert libraries.forget_unused(cells.settings) == 0
