"""``manage.py prepare``: what has to be done before the first process starts."""

import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand

from scheduler_site.models import ApiToken, TokenKind, create_token, revoke_token

ADMIN_NAME = "admin"
DEMO_LABEL = "demo nodes of make up"


class Command(BaseCommand):
    help = "Migrate the database; in development make an admin, in production collect static files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo-token", type=Path, help="file for a new token of demo nodes")

    def handle(self, *args: Any, demo_token: Path | None, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        if demo_token:
            self._replace_demo_token(demo_token)
        if settings.DEVELOPMENT:
            self._make_first_admin()
        else:
            call_command("collectstatic", interactive=False, verbosity=0)

    def _replace_demo_token(self, file: Path) -> None:
        for earlier in ApiToken.objects.filter(label=DEMO_LABEL, revoked_at=None):
            revoke_token(earlier)
        file.touch(mode=0o600)
        file.write_text(create_token(kind=TokenKind.NODE, label=DEMO_LABEL)[1])

    def _make_first_admin(self) -> None:
        users = get_user_model()._default_manager
        if users.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(12)
        users.create_superuser(username=ADMIN_NAME, password=password)
        self.stdout.write(f"Made the admin user: {ADMIN_NAME}, password {password} (shown once)")
