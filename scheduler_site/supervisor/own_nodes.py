"""Whether the nodes that ``make up`` starts itself have registered, as their logs say."""

import re
from collections.abc import Sequence

from scheduler_site.supervisor.child import Child

# One that died so often before it registered is not waited for.
MOST_DEATHS = 3
# Until then "ready" waits for them; the speech node loads its recogniser first.
LIMIT_S = 30.0

# As the SDK's ``Node`` logs the answer to its registration.
_REGISTERED = re.compile(r"registered as \S+ \((\w+)\)")


def status_of(node: Child) -> str:
    """What it became when it last registered, as ``ready``; empty: it has not registered."""
    said = _REGISTERED.findall(node.log.read_text(errors="replace"))
    return str(said[-1]) if said else ""


def missing(nodes: Sequence[Child]) -> str:
    """Which are still to register, in words; empty: there is nothing to wait for."""
    names = [node.name for node in nodes if node.deaths < MOST_DEATHS and not status_of(node)]
    return f"{', '.join(names)} not registered" if names else ""


def complaints(nodes: Sequence[Child]) -> list[str]:
    """What to tell of each that gets no jobs."""
    states = [(node, status_of(node)) for node in nodes]
    return [
        f"{node.name} is {state}." if state else f"{node.name} has not registered; see {node.log}."
        for node, state in states
        if state != "ready"
    ]
