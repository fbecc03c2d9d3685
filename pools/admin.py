"""Pools in the admin: automatic ones, those that operators define, how they are chosen, and who
changed what.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from redis.exceptions import RedisError
from unfold.admin import ModelAdmin
from unfold.decorators import display

from lua import views
from lua.errors import StoreError
from lua.views import PoolView
from pools.author import author_of
from pools.defining import (
    SETTING_FIELDS,
    SETTINGS,
    delete_pool,
    save_pool,
    save_settings,
    values_of,
)
from pools.forms import DefinedPoolForm
from pools.live import LiveAdmin, LiveChangeList, ReadOnlyAdmin, TellingAdmin, shortened
from pools.membership import preview
from pools.models import Change, Configuration, DefinedPool, Pool
from pools.pool_tables import changes_table, difference, preview_tables, tables_or_none
from pools.publication import own_pool, publish_now
from pools.store import store

AWAY = "Redis does not answer: the live state is not shown."


class _Counted:
    """Columns of a pool with its live state."""

    @display(description="members")
    def members(self, pool: Any) -> int:
        return pool.live.members if pool.live else 0

    @display(description="ready now")
    def ready(self, pool: Any) -> int:
        return pool.live.ready if pool.live else 0

    def live_of(self, keys: Sequence[Any]) -> dict[str, PoolView]:
        return views.pools(store())


@admin.register(Pool)
class PoolAdmin(_Counted, LiveAdmin):
    """Made and removed by the service itself."""

    list_display = ("pool_id", "kind", "languages", "members", "ready", "last_seen")
    list_filter = ("kind",)
    search_fields = ("pool_id",)
    ordering = ("pool_id",)
    fields = (
        "pool_id", "kind", "languages", "pairs", "members", "ready", "first_seen", "last_seen",
    )  # fmt: skip
    change_form_after_template = "admin/tables.html"

    def more_of(self, request: HttpRequest, key: str) -> dict[str, Any]:
        return {"tables": _tables(request, key)}

    @display(description="languages")
    def languages(self, pool: Pool) -> str:
        return shortened(pool.definition.get("semantic") or [])

    @display(description="pairs")
    def pairs(self, pool: Pool) -> str:
        pairs = pool.definition.get("pairs")
        return "all" if pairs is None else shortened([f"{src}→{tgt}" for src, tgt in pairs])


@admin.register(DefinedPool)
class DefinedPoolAdmin(_Counted, ModelAdmin):
    """The form shows at once who would be a member; every change is kept with its author."""

    form = DefinedPoolForm
    list_display = ("pool_id", "members", "ready", "tenants", "priority", "enabled", "note")
    list_filter = ("kind", "enabled")
    search_fields = ("pool_id", "note")
    fields = (
        "kind", "name", "languages", "mode", "services", "scope", "tenants", "tenant_rule",
        "priority", "sample_k", "enabled", "note",
    )  # fmt: skip
    change_form_after_template = "admin/pool_preview.html"
    show_full_result_count = False
    attach_live = LiveAdmin.attach_live

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LiveChangeList]:
        return LiveChangeList

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return ("kind", "name") if obj else ()

    def get_urls(self) -> list[URLPattern]:
        look = self.admin_site.admin_view(self.preview_view)
        own: list[URLPattern] = [path("preview/", look, name="pools_definedpool_preview")]
        return own + super().get_urls()  # type: ignore[no-any-return]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """A piece of a page: who would be in the pool that the form describes."""
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        known = DefinedPool.objects.filter(pk=request.POST.get("pool_id", "")).first()
        data = request.POST.dict()
        if known:
            data |= {"kind": known.kind, "name": known.name}
        form = DefinedPoolForm(data, instance=known)
        if not form.is_valid():
            faults = [f"{field}: {text}" for field, texts in form.errors.items() for text in texts]
            return render(request, "admin/faults.html", {"faults": faults})
        try:
            tables = preview_tables(preview(own_pool(form.instance)))
        except RedisError:
            return render(request, "admin/faults.html", {"faults": [AWAY]})
        return render(request, "admin/tables.html", {"tables": tables})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        pool = unquote(object_id) if object_id else ""
        tables = _tables(request, pool) if pool else []
        context = {**(extra_context or {}), "tables": tables, "pool_id": pool}
        return super().changeform_view(  # type: ignore[no-any-return]
            request, object_id, form_url, context
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        save_pool(obj, author=author_of(request))
        _publish(request)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_pool(obj, author=author_of(request))
        _publish(request)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for pool in queryset:
            delete_pool(pool, author=author_of(request))
        _publish(request)


@admin.register(Configuration)
class ConfigurationAdmin(TellingAdmin):
    """The one row that says how pools are used."""

    fields = SETTING_FIELDS
    change_form_after_template = "admin/tables.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        Configuration.objects.get_or_create(pk=1)
        return HttpResponseRedirect(reverse("admin:pools_configuration_change", args=(1,)))

    def more_of(self, request: HttpRequest, key: str) -> dict[str, Any]:
        return {"tables": [changes_table(SETTINGS)]}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        save_settings(values_of(obj), author=author_of(request))
        _publish(request)


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    """Every decision about pools."""

    list_display = ("at", "author", "what", "version", "difference")
    list_filter = ("at",)
    search_fields = ("what", "author")

    @display(description="change")
    def difference(self, change: Change) -> str:
        return difference(change)


def _tables(request: HttpRequest, pool: str) -> list[dict[str, Any]]:
    tables = tables_or_none(pool)
    if tables is None:
        messages.warning(request, AWAY)
    return tables or []


def _publish(request: HttpRequest) -> None:
    try:
        publish_now(request)
    except StoreError:
        messages.warning(request, "Redis does not answer: the change is kept and told later.")
