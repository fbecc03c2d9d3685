"""In every script all that a step reads and checks comes before the first write of that step.

So what goes wrong at a read, such as a damaged key, leaves only whole steps behind.
"""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from lua.client import StoreSettings
from lua.errors import ScriptFailed
from lua.limits import Limits
from tests.lua.promises import unchanged
from tests.lua.scenes import SCENES, Scene
from tests.lua.stage import Stage
from tests.lua.watched import STEP, Command, WatchedCells, marks, unannounced

every_scene = pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())


@pytest.fixture
def cells(redis_url: str, prefix: str) -> Iterator[WatchedCells]:
    cells = WatchedCells(StoreSettings(redis_url, prefix, limits=Limits(argument_bytes=0)))
    yield cells
    cells.end()


def log_of(cells: WatchedCells, scene: Scene) -> list[Command]:
    """What the call of a scene does."""
    cells.wipe()
    scene(Stage(cells))()
    return cells.log


@every_scene
def test_every_write_is_announced_and_no_read_follows_it_in_its_step(
    cells: WatchedCells, scene: Scene
) -> None:
    log = log_of(cells, scene)
    assert any(command.name == STEP for command in log)
    assert unannounced(cells) == []


def test_the_scenes_pass_every_mark(cells: WatchedCells) -> None:
    logs = [log_of(cells, scene) for scene in SCENES.values()]
    passed = {one.argument for log in logs for one in log if one.name == STEP}
    assert marks() - passed == set()


@every_scene
def test_an_error_at_any_read_leaves_whole_steps_behind(cells: WatchedCells, scene: Scene) -> None:
    log = log_of(cells, scene)
    commands = [command for command in log if command.name != STEP]
    first_write = next(at for at, one in enumerate(commands, 1) if cells.writes(one))
    for number, command in enumerate(commands, 1):
        if cells.writes(command):
            continue
        cells.wipe()
        stage = Stage(cells)
        act, before = scene(stage), stage.snapshots[0]
        cells.fail_at = number
        with pytest.raises(ScriptFailed, match="told to fail"):
            act()
        cells.fail_at = 0
        after = stage.look(0)
        assert number > first_write or unchanged(before, after)


@every_scene
def test_a_key_of_the_wrong_type_changes_nothing(cells: WatchedCells, scene: Scene) -> None:
    log = log_of(cells, scene)
    first_step = next(at for at, command in enumerate(log) if command.name == STEP)
    read = {one.argument for one in log[:first_step] if cells.prefixes[0] in one.argument}
    hurt = 0
    for key in sorted(read):
        cells.wipe()
        stage = Stage(cells)
        act, before = scene(stage), stage.snapshots[0]
        ttl, kept = cells.blocking.pttl(key), cells.blocking.dump(key)
        cells.blocking.delete(key)
        cells.blocking.rpush(key, "damage")
        stage.checks = False
        with suppress(ScriptFailed):
            act()
            continue  # it only asked whether the key exists, or said why it cannot go on
        hurt += 1
        cells.blocking.delete(key)
        if kept is not None:
            cells.blocking.restore(key, max(ttl, 0), kept)
        assert unchanged(before, stage.look(0)), key
    assert hurt or not read
