"""Pools as people know them. Redis holds who is in them; nothing here decides a placement."""

from django.db import models


class PoolKind(models.TextChoices):
    """What made a pool."""

    AUTO = "auto", "automatic"


class Pool(models.Model):
    """A pool that has or recently had members, kept in step with the cells by a periodic task."""

    pool_id = models.CharField("pool", max_length=200, primary_key=True)
    kind = models.CharField(max_length=8, choices=PoolKind, default=PoolKind.AUTO)
    name = models.CharField(max_length=200)
    definition = models.JSONField(default=dict, help_text="Languages and pairs its members serve.")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField(help_text="When it last had a member.")

    class Meta:
        ordering = ("pool_id",)

    def __str__(self) -> str:
        return self.pool_id


class Configuration(models.Model):
    """The one row that counts changes of configuration. Cells that know an older one are told."""

    version = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"version {self.version}"
