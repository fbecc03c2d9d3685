"""``manage.py doctor [--repair]``: is what Redis holds in itself, and with SQL, as it should be?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import RedisError

from lua.doctor import reading, repair
from lua.doctor.reading import Finding
from lua.errors import StateDiffers, StoreError
from pools.store import agree, call, store
from scheduler_site import doctor


class Command(BaseCommand):
    """Exit status 0: all is well (now), perhaps with warnings; 1: it is not, or Redis does not
    answer.
    """

    help = (
        "Compare the live state with itself and with SQL; --repair mends it while traffic runs. "
        "Exit status 0: all is well (now), warnings or not; 1: it is not, or Redis does not answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="mend what is found")
        parser.add_argument(
            "--pause-s",
            type=float,
            default=1.0,
            help="what is wrong twice, so long apart, is no passing difference",
        )

    def handle(self, *args: Any, repair: bool, pause_s: float, **options: Any) -> None:
        try:
            agree()
            found = _examine(pause_s)
            self._tell(found)
            if found and repair:
                self._repair(found)
                found = _examine(pause_s)
                self._tell(found)
            warnings = list(doctor.warnings())
        except StateDiffers as error:
            raise CommandError(str(error)) from error
        except (RedisError, StoreError) as error:
            raise CommandError(f"Redis does not answer: {error}") from error
        for text in warnings:
            self.stdout.write(f"warning: {text}")
        if found:
            raise CommandError(f"{len(found)} difference{'' if len(found) == 1 else 's'}")
        self.stdout.write("All is well.")

    def _repair(self, found: list[Finding]) -> None:
        changes = call(lambda cells: repair.mend(cells, found))
        doctor.mend()
        self.stdout.write(f"Mended {changes} entries; looking again.")

    def _tell(self, found: list[Finding]) -> None:
        for one in found:
            self.stdout.write(f"cell {one.cell}: {one.subject}: {one.text} ({one.rule})")


def _examine(pause_s: float) -> list[Finding]:
    return [*reading.examine(store(), pause_s=pause_s), *doctor.differences()]
