"""Tokens: shown once, kept as a digest, made and ended by a command."""

from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from scheduler_site.models import ApiToken, create_token, digest

pytestmark = pytest.mark.django_db


def said(*arguments: Any, **options: Any) -> str:
    out = StringIO()
    call_command("token", *arguments, stdout=out, **options)
    return out.getvalue()


def test_only_a_digest_is_kept() -> None:
    row, token = create_token(kind="node", label="lab")

    assert ApiToken.objects.get(sha256=digest(token)) == row
    stored = ApiToken.objects.values().get()
    assert token not in str(stored)


def test_a_session_token_needs_a_tenant() -> None:
    with pytest.raises(ValidationError):
        create_token(kind="session")
    with pytest.raises(CommandError, match="tenant"):
        said("create", "--kind", "session")
    assert not ApiToken.objects.exists()


def test_the_command_prints_a_new_token_once() -> None:
    token = said("create", "--kind", "session", "--tenant", "acme", "--label", "web").strip()

    row = ApiToken.objects.get(sha256=digest(token))
    assert (row.kind, row.tenant, row.label) == ("session", "acme", "web")
    listed = said("list")
    assert "acme" in listed
    assert token not in listed


def test_a_token_is_revoked_by_its_number() -> None:
    row, _ = create_token(kind="operator")

    said("revoke", str(row.pk))

    row.refresh_from_db()
    assert row.revoked_at is not None
    assert "revoked" in said("list")
    with pytest.raises(CommandError):
        said("revoke", "999")
