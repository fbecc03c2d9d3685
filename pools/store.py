"""The live state that Django's settings name, and how blocking code calls its scripts."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpRequest

from lua.client import Cells, StoreSettings

T = TypeVar("T")


def store() -> StoreSettings:
    """Where the live state is, as the settings are now."""
    return StoreSettings(
        url=settings.STATE_REDIS_URL,
        prefix=settings.PARLEY_PREFIX,
        cells=settings.PARLEY_CELLS,
        limits=settings.PARLEY_LIMITS,
    )


def process_of(request: HttpRequest | None) -> Any:
    """The web process that serves the request; None outside of one."""
    scope: dict[str, Any] = getattr(request, "scope", None) or {}
    return scope.get("parley")


def cells_of(request: HttpRequest | None) -> Cells | None:
    """The cells of that process."""
    process = process_of(request)
    cells: Cells | None = process.cells if process is not None else None
    return cells


def call(function: Callable[[Cells], Awaitable[T]], request: HttpRequest | None = None) -> T:
    """Run ``function(cells)`` from a thread: on the web process's own connections, or else on
    new ones that end with it. Raises what it raises: ``StoreError`` when Redis is away.
    """
    cells = cells_of(request)

    async def run() -> T:
        if cells is not None:
            return await function(cells)
        async with Cells(store()) as own:
            return await function(own)

    return async_to_sync(run)()


def agree() -> None:
    """Raises StateDiffers where the live state has another layout or cell count; StoreError."""
    call(lambda cells: cells.agree())
