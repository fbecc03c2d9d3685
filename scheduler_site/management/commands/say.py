"""``manage.py say FILE.wav --from en --to es``: speaks to a running Parley, as a client would."""

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from django.core.management.base import BaseCommand

from parley import say


class Command(BaseCommand):
    help = "Say WAV files; show partials and translations as they come, and save what was spoken."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        say.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(say.run(Namespace(**options)))
