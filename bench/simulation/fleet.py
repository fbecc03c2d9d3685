"""Nodes of mixed languages and capacity, in the pools that the product's own rule puts them in.

All speak English into up to three languages. The automatic pools are those of the six classes of
nodes; two pools of an operator overlap them. So 3 or 4 pools serve each pair, of 10 to 65 % of the
nodes, and most nodes serve more than one pair.
"""

import random
from dataclasses import dataclass, field

from bench.simulation.traffic import Job
from pools.configuration import Configuration, OwnPool
from pools.definition import Capabilities
from pools.kinds import Kind
from pools.matching import Memberships, match

PAIRS = (("en", "zh"), ("en", "es"), ("en", "de"))
CLASSES = {
    ("en", "zh"): 25,
    ("en", "es"): 15,
    ("de", "en"): 10,
    ("en", "es", "zh"): 20,
    ("de", "en", "es"): 10,
    ("de", "en", "es", "zh"): 20,
}
"""Percent of the nodes by what they speak."""
CAPACITIES = {2: 40, 3: 25, 4: 25, 8: 10}
"""Percent of the nodes by their slots."""
CONFIGURATION = Configuration(
    version=1,
    pools=(
        OwnPool("own:hall", Kind.CUSTOM, ("en", "zh")),
        OwnPool("own:court", Kind.CUSTOM, ("de", "en")),
    ),
)


def speed(jobs: int, *, slowing: bool) -> float:
    """How fast each of the jobs of a node runs: alone at 1. Slots that are independent never slow
    down; one GPU that all share does.
    """
    return 1 / (1 + 0.5 * (jobs - 1)) if slowing else 1.0


@dataclass(frozen=True)
class NodeClass:
    """Nodes that are alike but for their slots. ``pairs``: indices of those of PAIRS they serve."""

    number: int
    pairs: tuple[int, ...]
    memberships: Memberships


@dataclass(eq=False, slots=True)
class Machine:
    """A node as it really is. ``running``: a heap of (progress at which it ends, number, job).

    All its jobs advance alike: ``progress`` is the work done for each since the beginning, in ms,
    as of ``at_ms``. ``turn`` rises whenever its next end changes.
    """

    number: int
    name: str
    capacity: int
    of: NodeClass
    used: int = 0
    progress: float = 0.0
    at_ms: float = 0.0
    turn: int = 0
    served_ms: float = 0.0
    running: list[tuple[float, int, Job]] = field(default_factory=list)


def _class_of(number: int, languages: tuple[str, ...]) -> NodeClass:
    offered = Capabilities(frozenset({"asr", "nmt", "semantic"}), frozenset(languages))
    pairs = (i for i, (src, tgt) in enumerate(PAIRS) if src in languages and tgt in languages)
    return NodeClass(number, tuple(pairs), match(offered, CONFIGURATION))


NODE_CLASSES = tuple(_class_of(i, languages) for i, languages in enumerate(CLASSES))


def _shares(percent: list[int], size: int) -> list[int]:
    """As many indices of each as its share of ``size`` says, as nearly as it can be."""
    ends = [round(sum(percent[: i + 1]) * size / 100) for i in range(len(percent))]
    return [next(i for i, end in enumerate(ends) if number < end) for number in range(size)]


def make_fleet(size: int) -> list[Machine]:
    """The same nodes for the same ``size``, none busy."""
    capacities = [tuple(CAPACITIES)[i] for i in _shares(list(CAPACITIES.values()), size)]
    random.Random(size).shuffle(capacities)
    classes = _shares(list(CLASSES.values()), size)
    return [
        Machine(number, f"node-{number:04d}", capacities[number], NODE_CLASSES[classes[number]])
        for number in range(size)
    ]


def throughputs(fleet: list[Machine], *, slowing: bool) -> list[float]:
    """How much of each pair the fleet can do, as work done per time, when all are full.

    Each node is counted in equal parts for the pairs it serves.
    """
    found = [0.0] * len(PAIRS)
    for machine in fleet:
        whole = machine.capacity * speed(machine.capacity, slowing=slowing)
        for pair in machine.of.pairs:
            found[pair] += whole / len(machine.of.pairs)
    return found
