"""Periodic work on nodes. Each may run twice or be killed at any moment."""

from celery import shared_task
from django.utils import timezone

from lua import views
from lua.scripts import Command
from nodes import known
from pools import publication
from pools.store import call, store


@shared_task
def expire_nodes() -> None:
    """Remember the nodes there are; have Redis forget those that left long ago."""
    now, fleet = timezone.now(), views.fleet(store())
    known.remember(fleet, now=now)
    known.alert_if_many_are_lost(fleet, now=now)
    if old := known.to_forget(fleet, now=now):
        call(lambda cells: known.forget(cells, old))


@shared_task
def teach_cells() -> None:
    """Publish what operators decided to cells and nodes that do not have it."""
    if not publication.is_published():
        publication.publish_now()
    if nodes := known.not_told_to_drain():
        decided = known.decisions(nodes, now=timezone.now())
        call(lambda cells: known.tell_again(cells, decided, Command.DRAIN))
    if nodes := known.not_told_to_resume(views.fleet(store())):
        resumed = known.decisions(nodes, now=timezone.now())
        call(lambda cells: known.tell_again(cells, resumed, Command.RESUME))
