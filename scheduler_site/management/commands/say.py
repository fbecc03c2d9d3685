"""``manage.py say FILE.wav --from en --to es``: speaks to a running Parley, as a client would.

Without an address: to the one that ``make up`` runs in this folder, whatever its port.
"""

import sys
from argparse import ArgumentParser, Namespace
from os import environ
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from parley import say
from scheduler_site.supervisor.address import sockets_of


class Command(BaseCommand):
    help = "Say WAV files; show partials and translations as they come, and save what was spoken."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        say.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        options["url"] = options["url"] or environ.get("PARLEY_URL") or sockets_of(settings.VAR_DIR)
        sys.exit(say.run(Namespace(**options)))
