"""``manage.py prepare``: what has to be done before the first process starts."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand

ADMIN_NAME = "admin"


class Command(BaseCommand):
    help = "Migrate the database; in development make an admin, in production collect static files."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        if settings.DEVELOPMENT:
            self._make_first_admin()
        else:
            call_command("collectstatic", interactive=False, verbosity=0)

    def _make_first_admin(self) -> None:
        users = get_user_model()._default_manager
        if users.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(12)
        users.create_superuser(username=ADMIN_NAME, password=password)
        self.stdout.write(f"Made the admin user: {ADMIN_NAME}, password {password} (shown once)")
