"""Pools in the admin: who is in them now."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError
from unfold.decorators import display

from lua import views
from lua.views import PoolView
from pools.live import LiveAdmin, table
from pools.models import Pool
from pools.store import store


@admin.register(Pool)
class PoolAdmin(LiveAdmin):
    """Made and removed by the service itself."""

    list_display = ("pool_id", "kind", "languages", "members", "ready", "last_seen")
    list_filter = ("kind",)
    search_fields = ("pool_id",)
    ordering = ("pool_id",)
    fields = (
        "pool_id",
        "kind",
        "languages",
        "pairs",
        "members",
        "ready",
        "first_seen",
        "last_seen",
    )
    change_form_after_template = "admin/tables.html"

    def live_of(self, keys: Sequence[Any]) -> dict[str, PoolView]:
        return views.pools(store())

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            members = views.members(store(), unquote(object_id))
        except RedisError:
            members = []
            messages.warning(request, "Redis does not answer: members are not shown.")
        rows = [(member.node, "yes" if member.ready else "no") for member in members]
        tables = [table("Members", ("node", "can take a job now"), rows)]
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**(extra_context or {}), "tables": tables}
        )

    @display(description="languages")
    def languages(self, pool: Pool) -> str:
        return ", ".join(pool.definition.get("semantic") or [])

    @display(description="pairs")
    def pairs(self, pool: Pool) -> str:
        pairs = pool.definition.get("pairs")
        return "all" if pairs is None else ", ".join(f"{src}→{tgt}" for src, tgt in pairs)

    @display(description="members")
    def members(self, pool: Any) -> int:
        return pool.live.members if pool.live else 0

    @display(description="ready now")
    def ready(self, pool: Any) -> int:
        return pool.live.ready if pool.live else 0
