"""What Redis has in its books: jobs and slots as they are now, and all that was recorded."""

from lua import events, views
from lua.client import StoreSettings
from lua.events import JobMoved, Noted
from lua.keys import cell_prefix
from lua.reader import client
from lua.views import JobView


def job_of(store: StoreSettings, job: str) -> JobView:
    """A job as it is now."""
    view = views.job(store, job)
    assert view is not None, f"{job} is not known"
    return view


def used_slots(store: StoreSettings, node: str) -> int:
    """Of a node, now."""
    return views.nodes(store, [node])[node].load.used


def all_events(store: StoreSettings) -> list[events.Event]:
    """Everything that the streams of all cells still hold, cell by cell, oldest first."""
    found: list[events.Event] = []
    for cell in range(store.cells):
        prefix = cell_prefix(store.prefix, cell)
        batch = events.read(client(store), prefix, epoch="", after=events.START, count=100_000)
        found += [entry.event for entry in batch.entries]
    return found


def life_of(store: StoreSettings, job: str) -> str:
    """The states that a job passed, in order; `/` stands between what two calls did."""
    moved = [one for one in all_events(store) if isinstance(one, JobMoved) and one.job == job]
    return " / ".join(" ".join(one.moves) for one in moved)


def notes(store: StoreSettings, what: str) -> list[Noted]:
    """What was recorded under this name and changed nothing."""
    return [one for one in all_events(store) if isinstance(one, Noted) and one.what == what]
