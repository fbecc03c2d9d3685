"""Nodes as operators know them: what must survive a loss of Redis. The live state is in Redis."""

from typing import ClassVar

from django.db import models


class Node(models.Model):
    """A node that has been seen, with what an operator has decided about it."""

    node_id = models.CharField("node", max_length=256, primary_key=True)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    drain = models.BooleanField(default=False, help_text="Takes no new jobs until resumed.")
    drain_until = models.DateTimeField(
        null=True, blank=True, help_text="When what still runs on it is given to others."
    )
    enabled = models.BooleanField(default=True, help_text="Off: registered, but never used.")
    note = models.CharField(max_length=200, blank=True, help_text="Why it is drained or off.")

    class Meta:
        ordering: ClassVar = ["node_id"]

    def __str__(self) -> str:
        return self.node_id
