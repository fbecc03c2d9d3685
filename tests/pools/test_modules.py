"""The table of modules: whole, without circles, and what each wish comes to."""

import pytest

from pools.modules import FEATURES, MODULES, STEPS, Module, closure, table_faults


def test_the_table_is_whole() -> None:
    assert list(table_faults(MODULES, STEPS | FEATURES)) == []


def table(*modules: Module) -> dict[str, Module]:
    return {module.name: module for module in modules}


@pytest.mark.parametrize(
    ("modules", "asked", "faults"),
    [
        (
            table(Module("a", needs=("b",)), Module("b", needs=("c",)), Module("c", needs=("a",))),
            {},
            ["Modules need each other in a circle: "],
        ),
        (table(Module("a", needs=("a",))), {}, ["Modules need each other in a circle: a → a."]),
        (table(Module("a", needs=("b",))), {}, ["The module a needs b, which is not declared."]),
        (table(Module("a")), {"x": ("b",)}, ["x asks for the module b, which is not declared."]),
    ],
)
def test_a_faulty_table_is_told(
    modules: dict[str, Module], asked: dict[str, tuple[str, ...]], faults: list[str]
) -> None:
    found = list(table_faults(modules, asked))
    assert len(found) == len(faults)
    for fault, start in zip(found, faults, strict=True):
        assert fault.startswith(start)


@pytest.mark.parametrize(
    ("wanted", "modules"),
    [
        (("asr",), "asr"),
        (("tone",), "asr nmt tts tone"),
        (("persona", "tone"), "asr semantic persona nmt tts tone"),
        (FEATURES["speech_rate_control"], "asr speech_rate nmt tts"),
        ((), ""),
    ],
)
def test_what_is_needed_comes_first(wanted: tuple[str, ...], modules: str) -> None:
    assert [module.name for module in closure(wanted)] == modules.split()
