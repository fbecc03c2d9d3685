"""Server time of what a node with 100 languages costs, for :mod:`bench.dispatch`.

All its languages are ``has:`` values, for recognition, repair and speech.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from string import ascii_lowercase

from bench.commandstats import Usage, undisturbed
from bench.fleet import PROCESS, Fleet, limits
from bench.nodes import registration
from lua.script import Script
from lua.scripts import Beat, Node
from lua.scripts import node as node_calls
from nodes.capabilities import Description
from nodes.settings import NodeSettings
from parley.frames import Capability, Features, Gpu, Hardware, LangCapabilities
from pools.configuration import Configuration

AT_ONCE = 20
# Codes that are nobody's: qaa to qtz.
LANGUAGES = [f"q{a}{b}" for a, b in product(ascii_lowercase[:20], ascii_lowercase)][:100]
METRICS = '{"cpu_percent":12.5,"gpu_percent":40.0,"mem_percent":31.0}'


def about(languages: list[str]) -> Node:
    """A node of these languages, as the product describes it."""
    types = ("asr", "nmt", "tts", "semantic")
    description = Description(
        version="1.4.2",
        platform="linux",
        hardware=Hardware(cpu_cores=16, memory_gb=64, gpus=[Gpu("RTX 4090", 24)]),
        installed_models=[],
        installed_services=[],
        capability_by_type=[Capability(type, ready=True) for type in types],
        features_supported=Features(),
        accept_public_jobs=True,
        language_capabilities=LangCapabilities(languages, languages, languages),
        gpu_seen=True,
    )
    return description.node("", Configuration(), NodeSettings())


class Registrations:
    """Nodes that come, come again, lose a language and are forgotten, some at once."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._names = [f"wide-{number}" for number in range(AT_ONCE)]
        self._all, self._fewer = about(LANGUAGES), about(LANGUAGES[1:])

    def round(self) -> Iterator[tuple[str, float]]:
        """What is done, and the server's time of one call."""
        register = node_calls.REGISTER_NODE
        yield "registration", self._timed(register, [self._come(name, "a") for name in self._names])
        yield "the same again", self._timed(register, [self._come(n, "b") for n in self._names])
        beats = [self._beat(name) for name in self._names]
        yield "heartbeat with one fewer", self._timed(node_calls.HEARTBEAT, beats)
        for name in self._names:
            self._fleet.call(node_calls.NODE_OFFLINE, name, "b")
        yield "forgetting", self._timed(node_calls.FORGET_NODE, [(name, 0) for name in self._names])

    def _come(self, name: str, conn: str) -> tuple[bytes]:
        return (registration(name, self._all, conn=conn, process=PROCESS),)

    def _beat(self, name: str) -> tuple[bytes]:
        beat = Beat(
            node=name, conn="b", running=0, queue=0, hot=False, about=self._fewer, metrics=METRICS
        )
        return (beat.packed(),)

    def _timed(self, script: Script, calls: Sequence[tuple[bytes | str | int, ...]]) -> float:
        name = self._fleet.load(script.composed(limits()))
        before = Usage.of(self._fleet.client)
        replies = self._fleet.run(("FCALL", name, 1, self._fleet.cell, *given) for given in calls)
        assert {reply[0] for reply in replies} == {b"OK"}, replies
        return (Usage.of(self._fleet.client) - before).us_a_script


def registrations(fleet: Fleet, rounds: int) -> list[str]:
    """A line for each call."""
    wide, taken = Registrations(fleet), dict[str, list[float]]()
    for _ in range(max(rounds, 7)):
        for name, us in wide.round():
            taken.setdefault(name, []).append(us)
        fleet.tidy()
    many = f"of a node with {len(LANGUAGES)} languages"
    size = len(fleet.nodes)
    return [
        f"{size:>7,} {f'{name}, {many}':<57} {undisturbed(us):>8.1f} µs"
        for name, us in taken.items()
    ]
