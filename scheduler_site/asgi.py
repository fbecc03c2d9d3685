"""The ASGI application: Django for HTTP, consumers for the sockets, one ``Process`` around both.

``routing`` has the paths; ``web`` runs this application in a process.
"""

import os
from functools import partial

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scheduler_site.settings")
# Loads the apps, which everything imported below needs.
django_application = get_asgi_application()

from django.conf import settings  # noqa: E402

from jobs.process import Process  # noqa: E402
from nodes.registry import attach  # noqa: E402
from pools import publication  # noqa: E402
from pools.store import store  # noqa: E402
from scheduler_site.lifespan import Lifespan  # noqa: E402
from scheduler_site.routing import router  # noqa: E402


def make_process() -> Process:
    """The runtime of this web process, for sessions and for nodes."""
    process = Process(store(), settings.PARLEY_JOBS, settings.PARLEY_POOLS)
    attach(process, settings.PARLEY_NODES)
    process.starters.append(partial(publication.tell, process.snapshot, process.cells.count))
    return process


application = Lifespan(router(django_application), make_process=make_process)
