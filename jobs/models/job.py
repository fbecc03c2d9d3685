"""One row a job: its last known state and what became of it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from lua.states import TERMINAL, JobState

STATES = [(state.value, state.value) for state in JobState]
FINAL = sorted(state.value for state in TERMINAL)


class Job(models.Model):
    """A job as its events tell it. Its text and audio are never kept here."""

    job_id = models.CharField("job", max_length=64, primary_key=True)
    state = models.CharField(max_length=12, choices=STATES)
    session = models.CharField(max_length=64, blank=True)
    index = models.BigIntegerField("utterance", default=0, help_text="Its index in the session.")
    tenant = models.CharField(max_length=100, blank=True)
    src = models.CharField("from", max_length=35, blank=True)
    tgt = models.CharField("to", max_length=35, blank=True)
    request = models.CharField(max_length=400, blank=True, help_text="Scope and request id.")
    trace = models.CharField(max_length=256, blank=True)
    node = models.CharField(max_length=256, blank=True)
    pool = models.CharField(max_length=200, blank=True)
    attempt = models.PositiveIntegerField(default=0, help_text="Placements so far.")
    tries = models.PositiveIntegerField(default=0, help_text="Used-up tries.")
    code = models.CharField(max_length=100, blank=True, help_text="Cause of a failure or retry.")
    reason = models.CharField(max_length=64, blank=True, help_text="Main reason of a refusal.")
    breakdown = models.JSONField(null=True, help_text="Nodes looked at, counted by reason.")
    size = models.PositiveIntegerField(default=0, help_text="Bytes of its payload.")
    timings = models.JSONField(null=True, help_text="Milliseconds that the node's services took.")
    duration_ms = models.PositiveBigIntegerField(null=True, help_text="From dispatch to its end.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    cell = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-created_at", "-job_id"]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-job_id"], name="job_newest"),
            models.Index(fields=["session"], name="job_session"),
            models.Index(fields=["updated_at"], name="job_live", condition=~Q(state__in=FINAL)),
        ]

    def __str__(self) -> str:
        return self.job_id
