"""``manage.py demo_nodes N --languages en,zh``: simulated GPU nodes for a running Parley."""

from argparse import ArgumentParser, Namespace
from os import environ
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from parley import demo
from scheduler_site.supervisor.address import sockets_of


class Command(BaseCommand):
    help = "Run simulated nodes until SIGTERM or Ctrl-C. They translate nothing, and say so."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("count", type=int, metavar="N", help="how many")
        demo.add_arguments(parser)

    def handle(self, *args: Any, count: int, **options: Any) -> None:
        options["url"] = options["url"] or environ.get("PARLEY_URL") or sockets_of(settings.VAR_DIR)
        demo.serve(Namespace(**options), count=count)
