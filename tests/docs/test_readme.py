"""README shows the examples as they are, and names only what exists."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command

from scheduler_site.models import TokenKind

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["node.py", "session.py"])
def test_an_example_is_shown_whole(name: str) -> None:
    source = (ROOT / "sdk" / "examples" / name).read_text(encoding="utf-8")
    code = source.split('"""\n\n', 1)[1].strip()
    assert f"```python\n{code}\n```" in TEXT


@pytest.mark.parametrize("name", ["node.py", "session.py"])
def test_ten_lines_are_ten(name: str) -> None:
    source = (ROOT / "sdk" / "examples" / name).read_text(encoding="utf-8")
    what, code = source.split('"""\n\n', 1)
    assert "in ten lines" in what
    assert len([line for line in code.splitlines() if line]) <= 10


@pytest.mark.django_db
def test_tokens_are_made_as_it_says() -> None:
    commands = re.findall(r"--kind (\w+)(?: --tenant (\w+))?`?", TEXT)
    assert {kind for kind, _ in commands} == set(TokenKind.values)
    for kind, tenant in commands:
        call_command("token", "create", kind=kind, tenant=tenant)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"tests/audio/[a-z-]+\.wav", TEXT))))
def test_the_speech_it_says_is_there(path: str) -> None:
    assert (ROOT / path).exists()
