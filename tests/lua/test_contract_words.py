"""States, reasons, messages, events and keys are the same words in Lua and in Python."""

import re
from dataclasses import fields
from itertools import pairwise

import pytest

from lua import events, loader, mailbox
from lua.keys import KEYSPACE
from lua.scripts import AckKind, Command, Verdict
from lua.states import JOB_MOVES, TERMINAL, TRANSIENT, JobState, NodeState, Reason
from tests.lua import luatext

ROOT = loader.HERE.parent
EVERY_FILE = (*luatext.scripts(), *luatext.includes())
TEXT = luatext.body(*EVERY_FILE)
STRINGS = luatext.strings(TEXT)
OF_THE_PROCESS = {Reason.SRC_AUTO_NO_CANDIDATE}  # found before a script is called
OF_PYTHON = {"lock:NAME", "times:PROCESS"}


def quoted(argument: str) -> str | None:
    """The text of an argument that is one quoted string."""
    match = re.fullmatch(r"'([^']*)'", argument.strip())
    return match[1] if match else None


def fields_of(call: list[str], first: int) -> dict[str, str]:
    """Field names and values of a call that ends with them in pairs; ``...`` is left out."""
    rest = [argument for argument in call[first:] if argument != "..."]
    named = dict(zip(rest[::2], rest[1::2], strict=True))
    return {quoted(name) or name: value for name, value in named.items()}


# --- states and reasons ---


def test_every_state_of_a_job_is_a_word_of_the_scripts() -> None:
    words = {word for text in STRINGS for word in text.split()}
    assert set(JobState) <= words


def test_moves_written_as_one_text_are_allowed() -> None:
    seen = 0
    for text in STRINGS:
        words = text.split()
        if len(words) > 1 and set(words) <= set(JobState):
            for before, after in pairwise(map(JobState, words)):
                assert after in JOB_MOVES[before], text
                seen += 1
    assert seen > 10


def test_no_job_is_left_in_a_state_that_exists_only_inside_a_call() -> None:
    states = re.findall(r"'state', '([A-Z]+)'", TEXT)
    assert states
    assert not set(states) & TRANSIENT


def test_final_states_are_those_the_scripts_take_for_final() -> None:
    finals = next(re.finditer(r"local function is_final\(.*?\nend", TEXT, re.DOTALL)).group()
    assert luatext.strings(finals) == TERMINAL


def test_states_of_a_node_are_words_of_the_scripts() -> None:
    assert set(NodeState) <= STRINGS
    for call in luatext.calls(TEXT, "emit"):
        given = fields_of(call, 0)
        if quoted(given["e"]) == "node":
            moves = {word for text in luatext.strings(given["moves"]) for word in text.split()}
            assert moves <= set(NodeState), call


def test_reasons_have_their_place_in_the_packed_record() -> None:
    table = next(re.finditer(r"local REASONS = \{(.*?)\}", TEXT, re.DOTALL))[1]
    full, *named = re.findall(r"'(\w+)'", table)
    assert named == list(Reason)[1 : len(named) + 1]
    assert full == Reason.CAPACITY_EXCEEDED
    judged = luatext.body(loader.read("include/judge"))
    assert {int(code) for code in re.findall(r"return (\d)", judged)} == set(range(len(named) + 1))


def test_every_reason_is_found_by_a_script_or_by_the_process() -> None:
    assert {reason for reason in Reason if reason in STRINGS} == set(Reason) - OF_THE_PROCESS


@pytest.mark.parametrize("word", [*Command, Verdict.DONE, Verdict.RETRY, AckKind.PARTIAL])
def test_words_of_the_caller_are_words_of_the_scripts(word: str) -> None:
    assert word in STRINGS


# --- messages and events ---


def test_every_message_to_a_process_has_the_fields_of_its_class() -> None:
    posted = set()
    for function, first in (("post", 1), ("post_all", 1)):
        for call in luatext.calls(TEXT, function):
            if quoted(call[first]) != "kind":
                continue  # the helper passing on its arguments
            given = fields_of(call, first)
            kind = quoted(given.pop("kind")) or ""
            assert set(given) == {field.name for field in fields(mailbox.KINDS[kind])}, call
            posted.add(kind)
    assert posted | {"hello"} == set(mailbox.KINDS)


def test_every_event_has_fields_of_its_class() -> None:
    kinds = {"job": events.JobMoved, "node": events.NodeMoved, "pool": events.PoolsChanged,
             "note": events.Noted, "alert": events.Noted}  # fmt: skip
    seen = 0
    for call in luatext.calls(TEXT, "emit"):
        given = fields_of(call, 0)
        kind = quoted(given.pop("e", "'note'")) or "note"
        assert set(given) - {"...", "spec"} <= {field.name for field in fields(kinds[kind])}, call
        seen += 1
    assert seen > 15


# --- keys ---


def test_every_key_of_a_script_is_in_the_key_space() -> None:
    patterns = [re.sub(r"\b[A-Z]+\b", "*", key.pattern) for key in KEYSPACE]
    for key in luatext.keys(TEXT):
        assert any(matches(key, pattern) for pattern in patterns), key


def test_every_key_of_the_key_space_is_used() -> None:
    used = luatext.keys(TEXT)
    for key in KEYSPACE:
        pattern = re.sub(r"\b[A-Z]+\b", "*", key.pattern)
        assert key.pattern in OF_PYTHON or any(matches(found, pattern) for found in used)


def matches(key: str, pattern: str) -> bool:
    """Whether two patterns mean the same key; a ``*`` stands for any rest of one part."""
    mine, theirs = key.split(":"), pattern.split(":")
    if mine[-1] == "*" and len(mine) < len(theirs):
        mine += ["*"] * (len(theirs) - len(mine))
    return len(mine) == len(theirs) and all(a == b for a, b in zip(mine, theirs, strict=True))


def test_nothing_outside_the_package_names_a_key() -> None:
    stems = {key.pattern.partition(":")[0] for key in KEYSPACE if ":" in key.pattern}
    single = {key.pattern for key in KEYSPACE if ":" not in key.pattern}
    named = re.compile(
        rf"""["'}}](?:{"|".join(sorted(stems))}):\{{|[}}](?:{"|".join(sorted(single))})["']|:\{{+c"""
    )
    for package in ("pools", "jobs", "nodes", "scheduler_site", "sdk"):
        for path in (ROOT / package).rglob("*.py"):
            assert not named.search(path.read_text()), path
