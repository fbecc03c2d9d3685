"""Every number of the settings is explained where it stands, and papers name no other."""

import inspect
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from jobs.settings import JobSettings, OrderSettings, SocketSettings, StreamSettings
from lua.limits import Limits
from nodes.settings import NodeSettings
from pools.settings import PoolSettings

ROOT = Path(__file__).parents[2]
GROUPS = (
    JobSettings, OrderSettings, SocketSettings, StreamSettings, NodeSettings, PoolSettings, Limits,
)  # fmt: skip
NUMBERS = [
    (group, field.name) for group in GROUPS for field in fields(group) if type(field.default) is int
]
PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("sdk/*.md")])


def variables() -> set[str]:
    """All that any part of Parley reads."""
    found = {f"PARLEY_{name.upper()}" for _, name in NUMBERS}
    for folder in ("scheduler_site", "sdk/parley", "tests/conformance"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= set(re.findall(r'"(PARLEY_\w+)"', path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize(("group", "name"), NUMBERS)
def test_a_number_is_explained_where_it_stands(group: type[Any], name: str) -> None:
    source = inspect.getsource(group)
    commented = re.search(rf"^    {name}: int = [^#\n]+  # \w", source, re.MULTILINE)
    assert commented or f"``{name}``" in (group.__doc__ or "")


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.stem)
def test_a_paper_names_only_variables_that_are_read(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    exported = set(re.findall(r"^export (PARLEY_\w+)", text, re.MULTILINE))
    assert set(re.findall(r"\bPARLEY_[A-Z_]*[A-Z]\b", text)) <= variables() | exported
