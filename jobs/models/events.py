"""The event streams as rows. A row's key is its place: cell, epoch of Redis, stream id."""

from typing import ClassVar

from django.db import models


class Entry(models.Model):
    """Base of all events. ``entry`` is the id in the stream of ``cell`` in that life of Redis."""

    cell = models.PositiveSmallIntegerField()
    epoch = models.CharField(max_length=64)
    entry = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        abstract = True
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cell", "epoch", "entry"], name="%(class)s_place")
        ]


class JobEvent(Entry):
    """States a job passed in one script call."""

    job_id = models.CharField("job", max_length=64, db_index=True)
    moves = models.CharField(max_length=100)
    attempt = models.PositiveIntegerField(default=0)
    node = models.CharField(max_length=256, blank=True)
    left = models.CharField(max_length=256, blank=True, help_text="The node a retry left.")
    code = models.CharField(max_length=100, blank=True)
    pool = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=64, blank=True)
    ms = models.PositiveBigIntegerField(null=True, help_text="Milliseconds since its dispatch.")
    receipt = models.JSONField(null=True, help_text="How a node was looked for.")

    def __str__(self) -> str:
        return f"{self.job_id} {self.moves}"


class NodeEvent(Entry):
    """States a node passed, or a registration."""

    node = models.CharField(max_length=256, db_index=True)
    moves = models.CharField(max_length=100, blank=True)
    why = models.CharField(max_length=200, blank=True)
    process = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=100, blank=True)
    text = models.CharField(max_length=200, blank=True, help_text="Reason an operator gave.")

    def __str__(self) -> str:
        return f"{self.node} {self.moves}"


class PoolEvent(Entry):
    """Pools a node joined and left, separated by spaces."""

    node = models.CharField(max_length=256, db_index=True)
    joined = models.TextField(blank=True)
    left = models.TextField(blank=True)
    why = models.CharField(max_length=200, blank=True)
    reasons = models.TextField(blank=True, help_text="JSON: pool → why it was joined or left.")

    def __str__(self) -> str:
        return f"{self.node} +{self.joined} -{self.left}"


class Note(Entry):
    """Something recorded that changed nothing; an alert is meant for operators."""

    alert = models.BooleanField(default=False)
    what = models.CharField(max_length=64, db_index=True)
    job = models.CharField(max_length=64, blank=True)
    node = models.CharField(max_length=256, blank=True)
    text = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.what
