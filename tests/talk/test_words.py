"""Both languages of the page say the same things, and nothing is left that nobody says."""

import re

from scheduler_site.supervisor.options import ROOT

FOLDER = ROOT / "scheduler_site" / "static" / "talk"
TEXT = (FOLDER / "words.js").read_text(encoding="utf-8")
# Made of parts: a step, a reason, a fault of the microphone.
FAMILIES = ("step_", "reason_", "mic_", "failed_")


def table(name: str) -> dict[str, str]:
    body = TEXT.split(f"const {name} = {{")[1].split("\n};")[0]
    return dict(re.findall(r'^  (\w+): "(.*)",$', body, re.MULTILINE))


def test_both_say_the_same_things() -> None:
    english, chinese = table("ENGLISH"), table("CHINESE")
    assert len(english) > 50
    assert list(english) == list(chinese)
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) >= set(re.findall(r"\{\w+\}", chinese[key])), key


def test_everything_is_said_somewhere() -> None:
    scripts = [path for path in FOLDER.glob("*.js") if path.name != "words.js"]
    page = ROOT / "templates" / "talk" / "index.html"
    said = "".join(path.read_text(encoding="utf-8") for path in (*scripts, page)) + TEXT
    for key in table("ENGLISH"):
        family = next((one for one in FAMILIES if key.startswith(one)), "")
        assert f'"{key}"' in said or (family and f"{family}${{" in said), key
