"""What the papers say about dependencies and settings is what the files hold."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, GROUPS = DECLARED["project"], DECLARED["dependency-groups"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~; ]", line, maxsplit=1)[0] for line in requirements}


def test_every_dependency_has_its_reason() -> None:
    extras = PROJECT["optional-dependencies"]
    further = [*extras["postgres"], *extras["dev"], *GROUPS["speech"]]
    wanted = names([*PROJECT["dependencies"], *further])
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z0-9-]+) \| (.+) \|$", text, re.MULTILINE)
    assert {name for name, _ in rows if name != "package"} == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("requirements.txt", PROJECT["dependencies"]),
        ("requirements-dev.txt", PROJECT["dependencies"]),
        ("requirements-speech.txt", GROUPS["speech"]),
    ],
)
def test_everything_is_pinned_with_hashes_and_no_address(name: str, wanted: list[str]) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9-]+)(?:\[.+\])?==\S+.*\\\n    --hash=sha256:", text, re.MULTILINE)
    assert names(wanted) <= set(pins)
    assert len(pins) == len(re.findall(r"^[a-z]", text, re.MULTILINE))
    assert "://" not in text
    assert "--index" not in text


def test_every_variable_that_is_read_is_told() -> None:
    read: set[str] = set()
    for path in (ROOT / "scheduler_site" / "settings").glob("*.py"):
        read |= set(re.findall(r'environment\.\w+\(\s*"(\w+)"', path.read_text(encoding="utf-8")))
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE))
    assert told == read
