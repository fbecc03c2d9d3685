"""Pools as people know them, and what operators decide. Redis holds who is in them; nothing here is
read between two frames.
"""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from pools.checks import clean_pool, clean_settings
from pools.configuration import DEFAULT_PRIORITY
from pools.kinds import Kind, Mode, Policy, Scope, TenantRule


class PoolKind(models.TextChoices):
    """What made a pool that was seen."""

    AUTO = Kind.AUTO.value, "automatic"


class DefinedKind(models.TextChoices):
    """What an operator may define."""

    PAIR = Kind.PAIR.value, "one language into another"
    MIXED = Kind.MIXED.value, "any language into one"
    CUSTOM = Kind.CUSTOM.value, "custom"


class Pool(models.Model):
    """An automatic pool that has or recently had members, kept in step by a periodic task."""

    pool_id = models.CharField("pool", max_length=200, primary_key=True)
    kind = models.CharField(max_length=8, choices=PoolKind, default=PoolKind.AUTO)
    name = models.CharField(max_length=200)
    definition = models.JSONField(default=dict, help_text="Languages and pairs its members serve.")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField(help_text="When it last had a member.")

    class Meta:
        verbose_name = "automatic pool"
        ordering = ("pool_id",)

    def __str__(self) -> str:
        return self.pool_id


class DefinedPool(models.Model):
    """A pool that an operator has defined. Its id says what it is, and stays."""

    pool_id = models.CharField("pool", max_length=64, primary_key=True, editable=False)
    kind = models.CharField(max_length=8, choices=DefinedKind)
    name = models.CharField(
        max_length=40, blank=True, help_text="Of a custom pool: small letters, digits, hyphens."
    )
    languages = models.JSONField(
        default=list,
        help_text="Source and target of a pair; one target; or two or more.",
    )
    services = models.JSONField(
        default=list, blank=True, help_text="Service types that members have ready."
    )
    scope = models.CharField(
        max_length=16,
        choices=[(Scope.CORE_ONLY.value, "core types"), (Scope.ALL_REQUIRED.value, "all of them")],
        default=Scope.CORE_ONLY.value,
        help_text="Which of the services count.",
    )
    mode = models.CharField(
        max_length=16,
        choices=[(Mode.CONTAINS.value, "at least these"), (Mode.EXACT.value, "just these")],
        default=Mode.CONTAINS.value,
        help_text="Which languages a member has.",
    )
    tenants = models.JSONField(default=list, blank=True, help_text="Whose jobs it is meant for.")
    tenant_rule = models.CharField(
        max_length=8,
        choices=[(TenantRule.FIRST.value, "it first"), (TenantRule.STRICT.value, "nothing else")],
        default=TenantRule.FIRST.value,
        help_text="What those tenants use.",
    )
    priority = models.PositiveIntegerField(default=DEFAULT_PRIORITY, help_text="1 comes first.")
    sample_k = models.PositiveIntegerField(
        default=0, help_text="Members looked at for a job; 0: as many as usual."
    )
    enabled = models.BooleanField(default=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "pool"
        ordering = ("pool_id",)

    def __str__(self) -> str:
        return self.pool_id

    def clean(self) -> None:
        clean_pool(self)


class Configuration(models.Model):
    """The one row that says how pools are used, and counts changes of configuration: cells that
    know an older version are told. ``leader``: who did the periodic work last.
    """

    version = models.PositiveBigIntegerField(default=0, editable=False)
    auto_on = models.BooleanField(
        "automatic pools", default=True, help_text="One for each class of nodes."
    )
    auto_min_nodes = models.PositiveIntegerField(
        default=1, help_text="A class of fewer nodes has no pool of its own."
    )
    auto_max_pools = models.PositiveIntegerField(
        default=0, help_text="Only the largest classes have one; 0: no limit."
    )
    catch_all = models.BooleanField(
        default=True, help_text="Nodes of the other classes are in the pool other, or in none."
    )
    auto_classes = models.JSONField(default=None, null=True, editable=False)
    policy = models.CharField(
        max_length=16,
        choices=[
            (Policy.SPREAD.value, "spread: at random over all"),
            (Policy.SESSION.value, "session: where it has been before"),
            (Policy.AFFINITY.value, "affinity: by tenant or session"),
            (Policy.PRIORITY.value, "priority: by the pools' numbers"),
        ],
        default=Policy.SPREAD.value,
    )
    hash_seed = models.PositiveIntegerField(default=0, help_text="Changes where affinity leads.")
    fallback_scan = models.BooleanField(
        default=True, help_text="Look at the other pools when the preferred ones have nobody free."
    )
    leader = models.CharField(max_length=32, blank=True, editable=False)

    class Meta:
        verbose_name = "choosing"
        verbose_name_plural = "choosing"

    def __str__(self) -> str:
        return f"version {self.version}"

    def clean(self) -> None:
        clean_settings(self)


class Change(models.Model):
    """A decision: who changed what, with its values before and after (None: it was not there)."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    author = models.CharField(max_length=150)
    what = models.CharField(max_length=64, db_index=True)
    version = models.PositiveBigIntegerField(help_text="Of the configuration that it made.")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        verbose_name = "change of pools"
        verbose_name_plural = "changes of pools"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.what} by {self.author}"
