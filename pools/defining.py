"""What operators do to pools and to how they are chosen: kept in SQL with its author, then told to
every process.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms.models import model_to_dict
from redis.exceptions import RedisError

from lua import views
from pools.classes import choose, sizes
from pools.models import Change, Configuration, DefinedPool
from pools.publication import count_change
from pools.store import store

SETTINGS = "choosing"
FIELDS = (
    "kind", "name", "languages", "services", "scope", "mode", "tenants", "tenant_rule", "priority",
    "sample_k", "enabled", "note",
)  # fmt: skip
SETTING_FIELDS = (
    "auto_on", "auto_min_nodes", "auto_max_pools", "catch_all", "policy", "hash_seed",
    "fallback_scan",
)  # fmt: skip
LIMITS = frozenset({"auto_min_nodes", "auto_max_pools"})


def values_of(row: DefinedPool | Configuration) -> dict[str, Any]:
    """What of a row an operator decides."""
    fields = FIELDS if isinstance(row, DefinedPool) else SETTING_FIELDS
    return model_to_dict(row, fields=fields)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """A change that starts from what is there: until it is over all other changes wait."""
    with transaction.atomic():
        Configuration.objects.select_for_update().get_or_create(pk=1)
        yield


@transaction.atomic
def save_pool(pool: DefinedPool, *, author: str) -> DefinedPool:
    """Create or change a pool. Publish after it. Raises ValidationError, by field."""
    version = count_change()  # first: it makes concurrent changes wait for each other
    pool.full_clean()
    earlier = DefinedPool.objects.filter(pk=pool.pk).first()
    before = values_of(earlier) if earlier else None
    if before == values_of(pool):
        return pool
    pool.save()
    _record(author, pool.pool_id, version, before, values_of(pool))
    return pool


@transaction.atomic
def delete_pool(pool: DefinedPool, *, author: str) -> None:
    """Remove a pool; nobody's job is lost: its members stay in their other pools."""
    version = count_change()
    earlier = DefinedPool.objects.filter(pk=pool.pk).first()
    if earlier is not None:
        _record(author, earlier.pool_id, version, values_of(earlier), None)
        earlier.delete()


def save_settings(changes: dict[str, Any], *, author: str) -> Configuration:
    """Change how pools are used. Publish after it. Raises ValidationError, by field.

    Limits of automatic pools count at once, unless Redis is away: then from the next cleanup on.
    """
    found: Mapping[str, int] | None = None
    with suppress(RedisError):
        found = sizes(views.pools(store())) if LIMITS.intersection(changes) else None
    return _save_settings(changes, found, author=author)


@transaction.atomic
def _save_settings(
    changes: dict[str, Any], found: Mapping[str, int] | None, *, author: str
) -> Configuration:
    """``found``: nodes of each class."""
    version = count_change()
    row = Configuration.objects.get(pk=1)
    before = values_of(row)
    for field, value in changes.items():
        setattr(row, field, value)
    row.full_clean()
    if before == values_of(row):
        return row
    given = {"min_nodes": row.auto_min_nodes, "max_pools": row.auto_max_pools}
    if choose({}, None, **given) is None:
        row.auto_classes = None
    elif found is not None and any(before[name] != getattr(row, name) for name in LIMITS):
        row.auto_classes = choose(found, row.auto_classes, **given)
    row.save()
    _record(author, SETTINGS, version, before, values_of(row))
    return row


@transaction.atomic
def save_classes(classes: list[str] | None, *, leader: str) -> bool:
    """Which classes of nodes have pools, as the periodic work finds it. False: another leads."""
    version = count_change()
    row = Configuration.objects.get(pk=1)
    if row.leader != leader:
        transaction.set_rollback(True)
        return False
    before, row.auto_classes = row.auto_classes, classes
    row.save(update_fields=["auto_classes"])
    _record("cleanup", "classes", version, before, classes)
    return True


def _record(author: str, what: str, version: int, before: Any, after: Any) -> None:
    Change.objects.create(author=author, what=what, version=version, before=before, after=after)


def faults_of(error: ValidationError) -> dict[str, list[str]]:
    """By field; what concerns no field is under ``non_field_errors``."""
    if not hasattr(error, "error_dict"):
        return {"non_field_errors": list(error.messages)}
    faults = dict(error.message_dict)
    if general := faults.pop("__all__", None):
        faults["non_field_errors"] = general
    return faults
