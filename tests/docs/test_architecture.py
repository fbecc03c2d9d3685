"""The names in ARCHITECTURE.md are those of the code."""

import re
from pathlib import Path

import pytest

from lua.keys import KEYSPACE
from lua.states import JobState, NodeState

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
QUOTED = set(re.findall(r"`([^`\n]+)`", TEXT))


def test_it_stays_short() -> None:
    assert len(TEXT.splitlines()) <= 150


def test_the_key_table_is_the_key_space() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| (\w+) \| (.+) \|$", TEXT, re.MULTILINE)
    assert rows == [(key.pattern, key.type, key.life.value, key.what) for key in KEYSPACE]


def test_every_script_is_in_the_table_and_no_other() -> None:
    section = TEXT.split("## Scripts")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", section))
    assert named == {path.stem for path in (ROOT / "lua").glob("*.lua")}


def test_every_state_is_explained() -> None:
    section = TEXT.split("## States of a job")[1].split("\n## ")[0]
    assert all(state.value in section for state in JobState)
    assert all(state.value in section for state in NodeState)


@pytest.mark.parametrize("path", sorted(name for name in QUOTED if "/" in name))
def test_named_paths_exist(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize(
    "module",
    sorted(set(re.findall(r"\b(?:jobs|nodes|pools|lua)\.[a-z_]+(?:\.[a-z_]+)?", TEXT))),
)
def test_named_modules_exist(module: str) -> None:
    if module.endswith(".lua"):
        return
    path = ROOT / module.replace(".", "/")
    parent, name = path.parent, path.name
    function = parent.with_suffix(".py").exists() or (parent / "__init__.py").exists()
    assert (
        path.with_suffix(".py").exists()
        or path.is_dir()
        or (function and name in (parent / "__init__.py").read_text(encoding="utf-8"))
    )
