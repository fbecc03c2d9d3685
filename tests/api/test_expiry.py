"""Which nodes SQL remembers, and which Redis forgets."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from jobs.models import Note
from lua import views
from lua.client import StoreSettings
from lua.reader import client
from lua.states import Reason
from lua.views import Load
from nodes import known
from nodes.models import Node
from nodes.tasks import expire_nodes
from tests.api.fleet import FakeNode


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def load(now: datetime, *, silent_for: timedelta, reason: Reason = Reason.OFFLINE) -> Load:
    return Load(2, 0, 0, reason, int((now - silent_for).timestamp() * 1000))


@pytest.mark.django_db
def test_a_node_is_remembered_and_noted_once_a_minute(node: FakeNode, now: datetime) -> None:
    fleet = {"node-1": load(now, silent_for=timedelta(), reason=Reason.USABLE)}

    known.remember(fleet, now=now)
    known.remember(fleet, now=now + timedelta(seconds=30))
    assert (Node.objects.get().first_seen, Node.objects.get().last_seen) == (now, now)

    later = now + timedelta(minutes=2)
    known.remember(fleet, now=later)
    assert (Node.objects.get().first_seen, Node.objects.get().last_seen) == (now, later)

    fleet["node-1"] = load(now, silent_for=timedelta())
    known.remember(fleet, now=later + timedelta(minutes=9))
    assert Node.objects.get().last_seen == later


def test_those_that_left_an_hour_ago_are_forgotten_the_longest_first(now: datetime) -> None:
    fleet = {
        "back": load(now, silent_for=timedelta(hours=9), reason=Reason.USABLE),
        "here": load(now, silent_for=timedelta(), reason=Reason.CAPACITY_EXCEEDED),
        "also": load(now, silent_for=timedelta(), reason=Reason.USABLE),
        "old": load(now, silent_for=timedelta(hours=2)),
        "older": load(now, silent_for=timedelta(hours=3)),
        "young": load(now, silent_for=timedelta(minutes=59)),
    }
    assert known.to_forget(fleet, now=now) == ["older", "old"]


def test_when_most_are_gone_they_are_forgotten_slowly(now: datetime) -> None:
    fleet = {f"node-{n}": load(now, silent_for=timedelta(hours=2)) for n in range(50)}
    assert known.to_forget(fleet, now=now) == []
    fleet = {f"node-{n}": load(now, silent_for=timedelta(hours=25)) for n in range(50)}
    assert len(known.to_forget(fleet, now=now)) == known.AT_ONCE_WHEN_MOST_ARE_GONE


@pytest.mark.django_db
@pytest.mark.parametrize(("lost", "live", "alerts"), [(3, 2, 1), (2, 2, 0), (1, 0, 0), (2, 0, 1)])
def test_operators_are_told_once_when_most_are_lost_together(
    now: datetime, lost: int, live: int, alerts: int
) -> None:
    fleet = {f"lost-{n}": load(now, silent_for=timedelta(seconds=50)) for n in range(lost)}
    for number in range(live):
        fleet[f"live-{number}"] = load(now, silent_for=timedelta(), reason=Reason.USABLE)
    fleet |= {f"old-{n}": load(now, silent_for=timedelta(hours=2)) for n in range(9)}
    for second in range(3):
        known.alert_if_many_are_lost(fleet, now=now + timedelta(seconds=second))
    told = Note.objects.filter(alert=True, what="many_lost")
    assert [note.text for note in told] == [f"{lost} of {lost + live} nodes"] * alerts


@pytest.mark.django_db
def test_redis_forgets_all_of_a_node_and_sql_remembers_it(
    node: FakeNode, live_state: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays = FakeNode("node-2")
    stays.register()
    node.leave()
    expire_nodes()
    assert set(views.fleet(live_state)) == {"node-1", "node-2"}

    monkeypatch.setattr(known, "OFFLINE_MS", -1)
    expire_nodes()

    assert set(views.fleet(live_state)) == {"node-2"}
    assert not [key for key in client(live_state).keys(f"{live_state.prefix}*") if b"node-1" in key]
    assert set(Node.objects.values_list("node_id", flat=True)) == {"node-1", "node-2"}


@pytest.mark.django_db
def test_a_node_that_holds_a_job_is_not_forgotten(
    node: FakeNode, live_state: StoreSettings, acme: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.post_job()  # type: ignore[attr-defined]
    node.leave()
    monkeypatch.setattr(known, "OFFLINE_MS", -1)

    expire_nodes()

    assert set(views.fleet(live_state)) == {"node-1"}
