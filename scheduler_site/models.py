"""Tokens that peers and operators show. Only a digest is stored; the token is shown once."""

import hashlib
import secrets
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone


class TokenKind(models.TextChoices):
    """What a token opens."""

    NODE = "node", "node socket"
    SESSION = "session", "session socket and jobs of its tenant"
    OPERATOR = "operator", "everything under /api/ and /metrics"


def digest(token: str) -> str:
    """SHA-256 of a token, in hex: enough for 256 random bits, which nobody can guess."""
    return hashlib.sha256(token.encode()).hexdigest()


class ApiToken(models.Model):
    """A credential of one kind and tenant."""

    kind = models.CharField(max_length=8, choices=TokenKind)
    tenant = models.CharField(
        max_length=100, blank=True, help_text="Whose sessions and jobs; needed for sessions."
    )
    label = models.CharField(max_length=100, blank=True, help_text="Who or what uses it.")
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "token"
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.label or self.pk}"

    def clean(self) -> None:
        if self.kind == TokenKind.SESSION and not self.tenant:
            raise ValidationError({"tenant": "A session token needs a tenant."})


def create_token(*, kind: str, tenant: str = "", label: str = "") -> tuple[ApiToken, str]:
    """A new token and its text, which is nowhere kept. Raises ValidationError."""
    text = f"parley_{kind}_{secrets.token_urlsafe(32)}"
    token = ApiToken(kind=kind, tenant=tenant, label=label, sha256=digest(text))
    token.full_clean()
    token.save()
    return token, text


def revoke_token(token: ApiToken) -> None:
    """End a token; connections made with it stay until they close. Twice does no harm."""
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
