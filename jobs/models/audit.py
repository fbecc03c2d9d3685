"""How far the history is: the cursor of each cell, and totals that rows need not be counted for."""

from typing import ClassVar

from django.db import models


class AuditCursor(models.Model):
    """Everything of ``epoch`` up to ``entry`` is in SQL. Moved only by compare and swap."""

    cell = models.PositiveSmallIntegerField(primary_key=True)
    epoch = models.CharField(max_length=64, blank=True)
    entry = models.CharField(max_length=40, default="0-0")
    moved_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"cell {self.cell} at {self.entry}"


class JobTotal(models.Model):
    """Jobs of a cell and day (UTC) that entered ``state`` with ``code``; NEW counts the jobs made.

    ``ms`` adds up the time from dispatch of those that ended. Written in the events' transaction.
    """

    cell = models.PositiveSmallIntegerField()
    day = models.DateField()
    state = models.CharField(max_length=12)
    code = models.CharField(max_length=100, blank=True)
    count = models.PositiveBigIntegerField(default=0)
    ms = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["day", "state", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cell", "day", "state", "code"], name="jobtotal_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.state} {self.code}: {self.count}"
