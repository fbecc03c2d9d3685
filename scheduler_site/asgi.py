"""The ASGI application: Django for HTTP, consumers for the sockets, one ``Process`` around both.

``routing`` has the paths; ``web`` runs this application in a process.
"""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scheduler_site.settings")
# Loads the apps, which everything imported below needs.
django_application = get_asgi_application()

from jobs.process import Process  # noqa: E402
from scheduler_site.lifespan import Lifespan  # noqa: E402
from scheduler_site.routing import router  # noqa: E402

application = Lifespan(router(django_application), make_process=Process)
