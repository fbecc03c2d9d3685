"""Keys, processes and timers: each has an owner or an end."""

from collections.abc import Iterator

from lua.doctor.snapshot import Snapshot, kind_of, may_stay

STRANGE, ENDING = "is no key of ours", "is no key of ours, and ends by itself"


def _keys(cell: Snapshot) -> Iterator[str]:
    for key, content in cell.keys.items():
        kind = kind_of(key)
        if kind is None:
            yield f"{key}: {STRANGE if content.ttl_ms == -1 else ENDING}"
        elif content.type != kind.type:
            wrong = f"a {content.type} and no {kind.type}"
            yield f"{key}: {wrong if content.ttl_ms == -1 else ENDING}"
        elif not may_stay(kind, content.ttl_ms):
            yield f"{key}: TTL {content.ttl_ms}, though its life is {kind.life}"


def _processes(cell: Snapshot) -> Iterator[str]:
    """Whatever a process holds, or has told to it, ends with its lease."""
    processes = cell["processes"].set
    mailboxes = set(cell.named("mailbox"))
    for name in sorted(mailboxes ^ processes):
        yield f"mailbox:{name}: {'no process' if name in mailboxes else 'missing'}"
    for key in cell.named("process"):
        process, _, kind = key.rpartition(":")
        if f"process:{process}" not in cell.timers:
            yield f"process:{key}: without a lease"
        owned = cell.nodes if kind == "nodes" else cell.sessions
        for member in sorted(cell[f"process:{key}"].set):
            if owned.get(member, {}).get("process") != process:
                yield f"process:{key}/{member}: is not its own"
    for process in processes:
        if f"process:{process}" not in cell.timers:
            yield f"process:{process}: without an end to its lease"


def _timers(cell: Snapshot) -> Iterator[str]:
    for timer in cell.timers:
        kind, _, owner = timer.partition(":")
        owned = {
            "job": owner in cell.jobs,
            "node": owner.partition(":")[0] in cell.nodes,
            "session": owner in cell.sessions,
            "process": True,
            "sweep": True,
        }
        if not owned.get(kind, False):
            yield f"timers/{timer}: of nobody"


CHECKS = (_keys, _processes, _timers)
