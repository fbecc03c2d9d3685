"""Times in REST are integer milliseconds since 1970, as everywhere on the wire."""

from datetime import datetime
from typing import Any

from rest_framework import serializers


def ms(at: datetime | None) -> int | None:
    """Milliseconds since 1970; None for None."""
    return None if at is None else round(at.timestamp() * 1000)


class MsField(serializers.IntegerField):
    """A ``DateTimeField`` of a model as Unix ms."""

    def to_representation(self, value: Any) -> int:
        return int(ms(value) or 0)
