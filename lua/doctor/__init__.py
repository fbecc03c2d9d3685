"""Compares what is derived in the live state with what it is derived from.

:mod:`lua.doctor.reading` reads a cell, the checks here say what is wrong, :mod:`lua.doctor.repair`
mends it. The tests hold every step of the scripts against the same checks.
"""

from collections.abc import Collection, Iterator

from lua.doctor import jobs, nodes, owners
from lua.doctor.snapshot import Snapshot

KEY_RULE = "no key is without an owner or an end"
ADVICE = {
    nodes.slots: "a node's counter is the number of jobs in its set",
    nodes.CHECKS[0]: "a node's record and timers follow from its hash",
    nodes.CHECKS[1]: "breakers follow from the nodes' hashes",
    nodes.CHECKS[2]: "services that are out follow from the nodes' hashes",
    nodes.CHECKS[3]: "pools, ready and has: sets follow from the nodes' hashes",
    jobs.CHECKS[0]: "whatever is not at its end has a timer",
    jobs.CHECKS[1]: "live_bytes is what the payloads of live jobs amount to",
    jobs.CHECKS[2]: "a request id leads to its job as long as that lives",
    jobs.CHECKS[3]: "queues and their heads follow from the jobs that wait",
    jobs.CHECKS[4]: "a session knows its live jobs, and how many of them wait",
    owners.CHECKS[0]: KEY_RULE,
    owners.CHECKS[1]: "what a process holds ends with its lease",
    owners.CHECKS[2]: "a timer has an owner",
}
CHECKS = (*nodes.CHECKS, *jobs.CHECKS, *owners.CHECKS)


def broken(cell: Snapshot, *, overfull: Collection[str] = ()) -> Iterator[str]:
    """What is wrong with a cell, in words. ``overfull``: nodes that may hold more than their slots,
    because those were lowered. A text begins with what it is about and a colon.
    """
    for text, _ in explained(cell, overfull=overfull):
        yield text


def explained(cell: Snapshot, *, overfull: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """The same with the rule that is broken."""
    for text in nodes.slots(cell, overfull):
        yield text, ADVICE[nodes.slots]
    for check in CHECKS:
        for text in check(cell):
            yield text, ADVICE[check]
