"""Admin pages that show SQL's rows with their live state: one look at Redis a page."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

SHOWN = 12


def table(title: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """One of the ``tables`` that ``admin/tables.html`` shows below a form."""
    return {"title": title, "headers": headers, "rows": list(rows)}


def shortened(names: Sequence[str]) -> str:
    """At most a dozen of them."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


class LiveChangeList(ChangeList):
    """Fetches a page's rows, then their live state."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Any] = list(self.result_list)
        self.model_admin.attach_live(request, self.result_list)


class TellingAdmin(ModelAdmin):
    """A row's page shows more than its fields: what ``more_of`` gives its templates, by its key."""

    def more_of(self, request: HttpRequest, key: str) -> dict[str, Any]:
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {**(extra_context or {}), **self.more_of(request, unquote(object_id))}
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, context
        )


class ReadOnlyAdmin(TellingAdmin):
    """Rows that nobody writes by hand."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class LiveAdmin(ReadOnlyAdmin):
    """``live_of`` gives the live state by primary key.

    Each row has it as ``live``; None: Redis does not know it, or is away (then it is said).
    """

    def live_of(self, keys: Sequence[Any]) -> dict[Any, Any]:
        raise NotImplementedError

    def attach_live(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        try:
            live = self.live_of([row.pk for row in rows]) if rows else {}
        except RedisError:
            live = {}
            messages.warning(request, "Redis does not answer: the live state is not shown.")
        for row in rows:
            row.live = live.get(row.pk)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LiveChangeList]:
        return LiveChangeList

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Model | None:
        row: Model | None = super().get_object(request, *args, **kwargs)
        if row is not None:
            self.attach_live(request, [row])
        return row
