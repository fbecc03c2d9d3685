"""What is wrong with the definition of a pool, by field, in sentences for people."""

import re
from typing import TYPE_CHECKING, Any

import langcodes
from django.core.exceptions import ValidationError

from pools.kinds import Kind, Mode, TenantRule
from pools.languages import primaries, primary
from pools.modules import CORE_TYPES, OPTIONAL_TYPES

if TYPE_CHECKING:
    from pools.models import Configuration, DefinedPool

MOST_DEFINED = 500
MOST_LANGUAGES, MOST_TENANTS = 30, 100
LARGEST_SAMPLE, LAST_PRIORITY = 200, 1000
SERVICES = CORE_TYPES | OPTIONAL_TYPES
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TENANT = re.compile(r"\S{1,100}")
_COUNT = {Kind.PAIR: "a source and a target", Kind.MIXED: "one target"}


def clean_pool(pool: "DefinedPool") -> None:
    """Put its fields into their usual form and its id together. Raises ValidationError."""
    faults: dict[str, str] = {}
    for check in (_languages, _name, _services, _tenants, _numbers):
        faults |= check(pool)
    if faults:
        raise ValidationError(faults)
    pool.pool_id = pool.pool_id or id_of(pool)
    if pool.pool_id != id_of(pool):
        field = "name" if pool.kind == Kind.CUSTOM else "languages"
        text = f"This would make another pool of {pool.pool_id}: define a new one instead."
        raise ValidationError({field: text})
    if pool._state.adding:
        _check_new(pool)


def id_of(pool: "DefinedPool") -> str:
    """``pair:en-zh``, ``mix:*-zh``, ``own:NAME``."""
    match pool.kind:
        case Kind.PAIR:
            return f"pair:{pool.languages[0]}-{pool.languages[1]}"
        case Kind.MIXED:
            return f"mix:*-{pool.languages[0]}"
    return f"own:{pool.name}"


def clean_settings(settings: "Configuration") -> None:
    """Raises ValidationError."""
    if settings.auto_min_nodes < 1:
        raise ValidationError({"auto_min_nodes": "A class has at least one node: use 1 or more."})


def _check_new(pool: "DefinedPool") -> None:
    known = type(pool)._default_manager
    if known.filter(pk=pool.pool_id).exists():
        field = "name" if pool.kind == Kind.CUSTOM else "languages"
        raise ValidationError({field: f"There is a pool {pool.pool_id} already."})
    if known.count() >= MOST_DEFINED:
        raise ValidationError(f"There are {MOST_DEFINED} pools already, which is the limit.")


def _languages(pool: "DefinedPool") -> dict[str, str]:
    tags = pool.languages
    if not _is_list(tags):
        return {"languages": "Give a list of language tags."}
    for tag in tags:
        if not _is_language(tag):
            return {"languages": f"There is no language {tag[:40]!r}."}
    pool.languages = languages = [primary(tag) for tag in tags]
    if pool.kind == Kind.PAIR and len(languages) == 2 and languages[0] == languages[1]:
        return {"languages": "Source and target are the same language."}
    if len(set(languages)) < len(languages):
        return {"languages": "A language is named twice."}
    wanted = {Kind.PAIR.value: 2, Kind.MIXED.value: 1}.get(pool.kind)
    if wanted is not None and len(languages) != wanted:
        return {"languages": f"This kind of pool needs {_COUNT[Kind(pool.kind)]}."}
    if wanted is None and not 2 <= len(languages) <= MOST_LANGUAGES:
        return {"languages": f"Name 2 to {MOST_LANGUAGES} languages."}
    if pool.mode == Mode.EXACT and pool.kind != Kind.CUSTOM:
        return {"mode": "Only a custom pool can ask for just its languages."}
    return {}


def _name(pool: "DefinedPool") -> dict[str, str]:
    if pool.kind != Kind.CUSTOM:
        return {"name": "Only a custom pool has a name of its own."} if pool.name else {}
    if not _NAME.fullmatch(pool.name):
        return {"name": "Use 1 to 40 small letters, digits and hyphens, not a hyphen first."}
    return {}


def _services(pool: "DefinedPool") -> dict[str, str]:
    if not _is_list(pool.services):
        return {"services": "Give a list of service types."}
    for service in pool.services:
        if service not in SERVICES:
            known = ", ".join(sorted(SERVICES))
            return {"services": f"There is no service {service[:40]!r}; there are {known}."}
    pool.services = sorted(set(pool.services))
    return {}


def _tenants(pool: "DefinedPool") -> dict[str, str]:
    if not _is_list(pool.tenants):
        return {"tenants": "Give a list of tenants."}
    for tenant in pool.tenants:
        if not _TENANT.fullmatch(tenant):
            return {"tenants": f"{tenant[:40]!r} is no tenant: 1 to 100 characters, no spaces."}
    pool.tenants = sorted(set(pool.tenants))
    if len(pool.tenants) > MOST_TENANTS:
        return {"tenants": f"Name at most {MOST_TENANTS} tenants."}
    if pool.tenant_rule == TenantRule.STRICT and not pool.tenants:
        return {"tenants": "Say which tenants use nothing else."}
    return {}


def _numbers(pool: "DefinedPool") -> dict[str, str]:
    faults = {}
    if not 1 <= pool.priority <= LAST_PRIORITY:
        faults["priority"] = f"Use 1 to {LAST_PRIORITY}."
    if pool.sample_k > LARGEST_SAMPLE:
        faults["sample_k"] = f"Use at most {LARGEST_SAMPLE}."
    return faults


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_language(tag: str) -> bool:
    try:
        return bool(primaries([tag])) and langcodes.Language.get(primary(tag)).is_valid()
    except ValueError:
        return False
