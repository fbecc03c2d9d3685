"""Celery: the work that may wait. ``beat`` says when; the tasks themselves are thin.

Nothing is lost while it is stopped: history waits in the event stream, cleanup comes later.
"""

import os
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import structlog
from celery import Celery, Task
from celery.exceptions import Ignore
from celery.signals import beat_init, setup_logging
from django.conf import settings

from lua.errors import StateDiffers, StoreError
from pools.store import agree

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scheduler_site.settings")

log = structlog.get_logger(__name__)


def broker_url(url: str) -> str:
    """A Redis URL as kombu takes it, which has a scheme of its own for unix sockets, and reads who
    connects before the path only.
    """
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    asked = dict(parse_qsl(parts.query))
    name = unquote(parts.username or "") or asked.get("username", "")
    password = unquote(parts.password or "") or asked.get("password", "")
    who = f"{quote(name, safe='')}:{quote(password, safe='')}@" if name or password else ""
    return f"redis+socket://{who}{parts.path}?virtual_host={asked.get('db', '0')}"


def every(seconds: float, task: str) -> dict[str, Any]:
    """An entry of the schedule; a run that could not start in time is left out."""
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


class Checked(Task):  # type: ignore[misc]
    """Nothing is done to a live state of another layout, nor with another number of cells than it
    has: it would be done in some of them, or in none.
    """

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        try:
            agree()
        except StateDiffers as error:
            log.error("a task is left out", task=self.name, why=str(error))
            raise Ignore from error
        except StoreError:  # the task itself says what it lacks
            pass


app = Celery("parley", task_cls=Checked)
app.conf.update(
    broker_url=broker_url(settings.BROKER_REDIS_URL),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "global_keyprefix": f"{settings.PARLEY_PREFIX}celery:",
        "socket_timeout": 15,
        "health_check_interval": 10,
    },
    task_default_queue="parley",
    task_ignore_result=True,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    timezone="UTC",
    beat_scheduler="celery.beat:Scheduler",
    beat_max_loop_interval=1,
    beat_schedule={
        "audit": every(1, "jobs.tasks.drain_audit"),
        "expiry": every(5, "nodes.tasks.expire_nodes"),
        "configuration": every(5, "nodes.tasks.teach_cells"),
        "cleanup": every(30, "pools.tasks.clean_pools"),
        "lost": every(30, "jobs.tasks.close_lost"),
        "pruning": every(3600, "jobs.tasks.prune_history"),
        "functions": every(3600, "scheduler_site.tasks.forget_functions"),
        "canary": every(5, "scheduler_site.tasks.sing"),
    },
)
app.autodiscover_tasks()


@setup_logging.connect  # type: ignore[untyped-decorator]
def keep_our_logging(**_: object) -> None:
    """Having a receiver keeps Celery from replacing the handlers of ``settings.logs``."""


@beat_init.connect  # type: ignore[untyped-decorator]
def sing_at_once(**_: object) -> None:
    """So that the first sign of life comes with the start, not one interval later."""
    app.send_task("scheduler_site.tasks.sing")
