"""``manage.py token create|list|revoke``: credentials of nodes, sessions and operators."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from scheduler_site.models import ApiToken, TokenKind, create_token, revoke_token


class Command(BaseCommand):
    """A token is printed once, when it is made; only its digest is kept."""

    help = "Make, list and revoke tokens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a token and print it, once")
        create.add_argument("--kind", required=True, choices=TokenKind.values)
        create.add_argument("--tenant", default="", help="whose sessions and jobs")
        create.add_argument("--label", default="", help="who or what uses it")
        actions.add_parser("list", help="list all tokens")
        revoke = actions.add_parser("revoke", help="end a token")
        revoke.add_argument("id", type=int, help="its number in the list")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        getattr(self, f"_{action}")(**options)

    def _create(self, *, kind: str, tenant: str, label: str, **_: Any) -> None:
        try:
            text = create_token(kind=kind, tenant=tenant, label=label)[1]
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(text)

    def _list(self, **_: Any) -> None:
        for row in ApiToken.objects.order_by("pk"):
            state = "revoked" if row.revoked_at else "valid"
            used = f"used {row.used_at:%Y-%m-%d %H:%M}" if row.used_at else "never used"
            words = (row.kind, row.tenant or "-", row.label or "-", state, used)
            self.stdout.write(f"{row.pk:>4}  " + "  ".join(words))

    def _revoke(self, *, id: int, **_: Any) -> None:
        found = ApiToken.objects.filter(pk=id).first()
        if found is None:
            raise CommandError(f"There is no token {id}.")
        revoke_token(found)
        self.stdout.write(f"Token {id} is revoked: new connections are refused within 10 s.")
