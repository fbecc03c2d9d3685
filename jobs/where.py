"""The admin's page "Where would it go?": a wish in a form, and what the scripts make of it."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from jobs.api.access import OPERATOR
from jobs.api.body import JobBody, Options
from jobs.api.problems import Problem
from jobs.api.simulate import heard_of_nothing, simulated
from jobs.principal import Principal
from lua.errors import StoreError

CANDIDATE = ("node", "verdict", "load", "foreign", "last heartbeat", "pools")


def _text(label: str, help_text: str = "", *, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        max_length=256,
        widget=UnfoldAdminTextInputWidget,
    )


class WishForm(forms.Form):
    """What matters of a job for where it goes."""

    src_lang = _text("From", "A language tag, or auto.", required=True)
    tgt_lang = _text("To", required=True)
    speech = forms.BooleanField(
        label="Spoken answer", required=False, initial=True, widget=UnfoldBooleanSwitchWidget
    )
    tenant_id = _text("Tenant")
    preferred_node_id = _text("Preferred node")
    strict = forms.BooleanField(
        label="There or nowhere", required=False, widget=UnfoldBooleanSwitchWidget
    )
    exclude_node_id = _text("Not on this node")
    deadline_ms = forms.IntegerField(
        label="May wait",
        help_text="Milliseconds; 0: not at all.",
        required=False,
        min_value=0,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("strict") and not cleaned.get("preferred_node_id"):
            self.add_error("preferred_node_id", "Name the node that it must go to.")
        return cleaned

    def body(self) -> JobBody:
        """As the body of a job without sound."""
        said = self.cleaned_data
        options = Options(
            preferred_node_id=said["preferred_node_id"] or None,
            strict=said["strict"],
            exclude_node_id=said["exclude_node_id"] or None,
            deadline_ms=said["deadline_ms"],
        )
        return heard_of_nothing(
            JobBody(
                src_lang=said["src_lang"],
                tgt_lang=said["tgt_lang"],
                tenant_id=said["tenant_id"] or None,
                pipeline={"use_tts": said["speech"]},
                options=options,
            )
        )


def where(request: HttpRequest) -> HttpResponse:
    """The page; with a wish in the query it says what would become of it."""
    form = WishForm(request.GET if "src_lang" in request.GET else None)
    context = {**admin.site.each_context(request), "title": "Where would it go?", "form": form}
    if form.is_bound and form.is_valid():
        context |= _answer(request, form)
    return render(request, "admin/where.html", context)


def _answer(request: HttpRequest, form: WishForm) -> dict[str, Any]:
    operator = Principal(OPERATOR, "", "", "")
    try:
        found = simulated(request, form.body(), operator)
    except Problem as problem:
        return {"fault": problem.detail}
    except StoreError:
        return {"fault": "Redis does not answer."}
    rows = [
        (
            one["node_id"],
            one["reason"],
            f"{one['used']} of {one['capacity']}",
            one["foreign"],
            f"{one['silent_ms'] / 1000:.1f} s ago",
            ", ".join(one["pools"]),
        )
        for one in found["candidates"]
    ]
    tables = [
        {"title": "Choice", "headers": ("what", "value"), "rows": found["choice"].items()},
        {"title": "Nodes looked at", "headers": CANDIDATE, "rows": rows},
    ]
    return {"found": found, "tables": tables, "verdict": _sentence(found)}


def _sentence(found: dict[str, Any]) -> str:
    if found["state"] == "RESERVED":
        return f"It would go to {found['node_id']} in the pool {found['pool'] or 'of no name'}."
    if found["state"] == "WAITING":
        wait_s = settings.PARLEY_LIMITS.wait_limit_ms / 1000
        ahead = f"behind {found['ahead']} others" if found["ahead"] else "first in line"
        return f"It would wait, {ahead}: nobody is free. By default it waits for {wait_s:g} s."
    why = found["message"] or f"{found['reason']}."
    return f"It would be refused with {found['code']}: {why}"
