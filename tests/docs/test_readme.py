"""README shows the examples as they are, and names only what exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["node.py", "session.py"])
def test_an_example_is_shown_whole(name: str) -> None:
    source = (ROOT / "sdk" / "examples" / name).read_text(encoding="utf-8")
    code = source.split('"""\n\n', 1)[1].strip()
    assert f"```python\n{code}\n```" in TEXT


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"tests/audio/[a-z-]+\.wav", TEXT))))
def test_the_speech_it_says_is_there(path: str) -> None:
    assert (ROOT / path).exists()
