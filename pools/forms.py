"""The admin's form of a pool: lists are written as words."""

import re
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from pools.defining import FIELDS
from pools.models import DefinedPool


class WordsField(forms.CharField):
    """A list of words, separated by spaces or commas."""

    widget = UnfoldAdminTextInputWidget

    def to_python(self, value: Any) -> Any:
        return [word for word in re.split(r"[\s,]+", value or "") if word]

    def prepare_value(self, value: Any) -> Any:
        return " ".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


_help = {field.name: field.help_text for field in DefinedPool._meta.fields}


class DefinedPoolForm(forms.ModelForm):  # type: ignore[type-arg]
    languages = WordsField(help_text=_help["languages"])
    services = WordsField(required=False, help_text=_help["services"])
    tenants = WordsField(required=False, help_text=_help["tenants"])

    class Meta:
        model = DefinedPool
        fields = FIELDS
