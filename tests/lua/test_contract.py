"""Files, functions, structs, replies and tests belong together one to one."""

import inspect
import re
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

import pytest

from lua import loader, scripts
from lua.composer import Composed, compose
from lua.limits import Limits
from lua.script import Script, Spec, word_of
from lua.scripts import job, mend, node, pairing, process, session, simulation
from lua.scripts.job import Missing
from tests.lua import luatext

WITHOUT_FUNCTION = {"stash"}  # a second way for the values of others: see test_memory.py
REFUSED_WHEN_FULL = {"dispatch", "register_node", "change_pools"}
MOST_ARGUMENTS = 8
MOST_LINES = 80

Function = Callable[..., Any]
SOURCES = luatext.scripts()
EVERY_FILE = (*SOURCES, *luatext.includes())
SCRIPTS = {
    value.name: value
    for module in (job, mend, node, pairing, process, session, simulation)
    for value in vars(module).values()
    if isinstance(value, Script)
}


def each(sources: tuple[loader.Source, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("source", sources, ids=lambda source: source.name)


def functions() -> dict[str, Function]:
    return {
        name: value for name, value in vars(scripts).items() if inspect.iscoroutinefunction(value)
    }


@cache
def composed(name: str) -> Composed:
    return compose(loader.read(name))


def declared_as(hint: Any) -> str:
    """The header's word for a type of Python."""
    text = str(hint)
    if "list" in text or "Node" in text:
        return "list"
    return hint.__name__ if hint in (int, bool) else "str"


# --- files and functions ---


def test_every_file_is_a_script_and_every_script_a_file() -> None:
    assert set(SCRIPTS) == {source.name for source in SOURCES}


def test_every_script_has_one_function_of_its_name() -> None:
    assert set(functions()) == set(SCRIPTS) - WITHOUT_FUNCTION
    assert set(functions()) <= set(scripts.__all__)


@pytest.mark.parametrize("function", functions().values(), ids=lambda function: function.__name__)
def test_a_function_takes_keywords_and_returns_what_its_script_replies(function: Function) -> None:
    cells, *others = inspect.signature(function).parameters.values()
    assert cells.name == "cells"
    assert {parameter.kind for parameter in others} == {inspect.Parameter.KEYWORD_ONLY}
    hint = get_type_hints(function)["return"]
    replies = set(get_args(hint)) if isinstance(hint, UnionType) else {hint}
    assert replies == set(SCRIPTS[function.__name__].replies) - {Missing}


@pytest.mark.parametrize("name", sorted(set(SCRIPTS) - WITHOUT_FUNCTION))
def test_every_script_is_run_by_name_in_a_test(name: str) -> None:
    here = Path(__file__).parent
    called = re.compile(rf"\bscripts\.{name}\b|\bjob\.{name.upper()}\b")
    assert any(called.search(path.read_text()) for path in here.glob("*.py"))


# --- headers ---


@each(SOURCES)
def test_every_argument_is_used(source: loader.Source) -> None:
    used = luatext.names(luatext.whole(source))
    spec = set() if "spec" in used else {field.name for field in source.spec}  # or kept as it is
    assert {*source.keys, *(field.name for field in source.argv), *spec} <= used


@each(EVERY_FILE)
def test_a_file_names_exactly_the_limits_that_it_uses(source: loader.Source) -> None:
    limits = {field.name for field in fields(Limits)}
    assert set(source.consts) == luatext.names(luatext.body(source)) & limits


def test_every_limit_is_used() -> None:
    package = [path for path in loader.HERE.rglob("*.py") if path.name != "limits.py"]
    python = "\n".join(path.read_text() for path in package)
    for field in fields(Limits):
        lua = any(field.name in source.consts for source in EVERY_FILE)
        assert lua or f"limits.{field.name}" in python, field.name


@each(SOURCES)
def test_a_script_knows_every_name_it_uses(source: loader.Source) -> None:
    """A name that is not declared would be an error only when its line is reached."""
    text = composed(source.name).body
    assert luatext.names(text) - luatext.declared(text) <= luatext.GIVEN


@each(SOURCES)
def test_helpers_stand_above_what_calls_them(source: loader.Source) -> None:
    start, *functions = re.split(
        r"^local function ", composed(source.name).body, flags=re.MULTILINE
    )
    above, made = luatext.names(start), set()
    for function in functions:
        helper, _, _ = function.partition("(")
        assert helper in made or helper not in above, helper
        made.add(helper)
        above |= luatext.names(function)


def test_every_include_and_every_helper_is_used() -> None:
    included = {name for source in EVERY_FILE for name in source.includes}
    assert {f"include/{name}" for name in included} == {
        f"include/{source.name}" for source in luatext.includes()
    }
    everything = luatext.body(*EVERY_FILE)
    for source in luatext.includes():
        for helper in luatext.helpers(luatext.body(source)):
            assert len(re.findall(rf"\b{helper}\b", everything)) > 1, helper


@each(EVERY_FILE)
def test_a_file_includes_what_it_calls_itself_or_by_what_it_includes(source: loader.Source) -> None:
    own = luatext.body(source)
    known = luatext.helpers(luatext.whole(source))
    for include in luatext.includes():
        called = set(luatext.helpers(luatext.body(include))) & luatext.names(own)
        assert called <= set(known)


@each(EVERY_FILE)
def test_files_stay_small(source: loader.Source) -> None:
    assert len(source.text.splitlines()) <= MOST_LINES
    assert len(source.argv) + bool(source.spec) <= MOST_ARGUMENTS


@each(SOURCES)
def test_a_script_has_one_key_its_cell(source: loader.Source) -> None:
    assert source.keys == ("cell",)


@each(SOURCES)
def test_all_but_what_brings_new_work_runs_when_memory_is_short(source: loader.Source) -> None:
    assert ("allow-oom" in source.flags) == (source.name not in REFUSED_WHEN_FULL)
    whole = composed(source.name)
    assert whole.text.startswith("#!lua")
    assert whole.library.startswith("#!lua")


# --- structs and replies ---


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=lambda script: script.name)
def test_a_spec_has_the_fields_of_its_struct(script: Script) -> None:
    expected = []
    if script.spec is not None:
        hints = get_type_hints(script.spec)
        order = script.spec.__struct_fields__
        expected = [loader.Field(name, declared_as(hints[name])) for name in order]
    assert list(script.source.spec) == expected


@pytest.mark.parametrize(("file", "struct"), [("about", node.Node), ("job", job.NewJob)])
def test_a_packed_list_has_the_fields_of_its_struct(file: str, struct: type[Spec]) -> None:
    hints = get_type_hints(struct)
    expected = [loader.Field(name, declared_as(hints[name])) for name in struct.__struct_fields__]
    assert list(loader.read(f"include/{file}").fields) == expected


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=lambda script: script.name)
def test_replies_are_the_words_and_fields_of_the_header(script: Script) -> None:
    expected = {
        word_of(reply): tuple(field.name for field in fields(reply)) for reply in script.replies
    }
    assert script.source.returns == expected


@each(SOURCES)
def test_a_script_returns_the_words_it_declares_and_no_others(source: loader.Source) -> None:
    text = luatext.whole(source)
    assert set(source.returns) <= luatext.strings(text)
    own = re.findall(r"\breturn(?: \w+ and)? \{ '([A-Z_]+)'", luatext.body(source))
    assert set(own) <= set(source.returns)


@each(SOURCES)
def test_a_script_returns_as_many_fields_as_it_declares(source: loader.Source) -> None:
    for returned in luatext.calls(luatext.body(source).replace("{", "RETURNED("), "RETURNED"):
        word = returned[0].strip("'")
        if word in source.returns:
            assert len(returned) - 1 == len(source.returns[word]), returned
