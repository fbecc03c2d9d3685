"""The history in the admin: jobs with their timeline, and what was noted. All of it read-only."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.decorators import action, display

from jobs import services
from jobs.models import Job, JobEvent, Note
from jobs.where import where
from lua.errors import StoreError
from lua.states import JobState
from pools.live import ReadOnlyAdmin, table
from pools.store import call

STATE_COLOURS = {
    JobState.DONE: "success",
    JobState.FAILED: "danger",
    JobState.CANCELLED: "warning",
    JobState.WAITING: "warning",
    JobState.RESERVED: "info",
    JobState.DISPATCHED: "info",
    JobState.ACKED: "info",
}


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Found by job, session, trace or node; their event history is below."""

    list_display = (
        "job_id", "state_label", "tenant", "languages", "node", "attempt", "code", "duration",
        "created_at",
    )  # fmt: skip
    list_filter = (
        "state",
        "created_at",
        ("tenant", FieldTextFilter),
        ("node", FieldTextFilter),
        ("code", FieldTextFilter),
    )
    list_filter_submit = True
    search_fields = ("=job_id", "=session", "=trace", "=node")
    search_help_text = "A whole job, session, trace or node id"
    change_form_before_template = "admin/tables.html"
    actions_list = ("where_to",)
    actions = ("cancel_jobs",)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Who could change jobs, if anybody could."""
        return request.user.has_perm("jobs.change_job")

    @admin.action(description="Cancel those that have not ended", permissions=["cancel"])
    def cancel_jobs(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        names = list(jobs.filter(finished_at=None).values_list("pk", flat=True))
        try:
            states = call(lambda cells: services.cancel_all(cells, names), request)
        except StoreError as error:
            self.message_user(request, f"Not all are cancelled: {error}.", messages.ERROR)
            return
        count = list(states.values()).count(JobState.CANCELLED)
        self.message_user(request, f"{count} of {len(jobs)} cancelled; the others had ended.")

    @action(description="Where would it go?", url_path="where", permissions=["view"])
    def where_to(self, request: HttpRequest) -> HttpResponse:
        return where(request)

    def more_of(self, request: HttpRequest, key: str) -> dict[str, Any]:
        return {"tables": _history(key)}

    @display(description="state", label=STATE_COLOURS, ordering="state")
    def state_label(self, job: Job) -> str:
        return job.state

    @display(description="languages")
    def languages(self, job: Job) -> str:
        return f"{job.src} → {job.tgt}"

    @display(description="duration")
    def duration(self, job: Job) -> str:
        return "" if job.duration_ms is None else f"{job.duration_ms} ms"


@admin.register(Note)
class NoteAdmin(ReadOnlyAdmin):
    """Late results, fights over a node's id, and what else an operator should know."""

    list_display = ("at", "kind", "what", "node", "job", "text")
    list_filter = ("alert", "at", ("what", FieldTextFilter), ("node", FieldTextFilter))
    list_filter_submit = True
    search_fields = ("=job", "=node", "what")
    ordering = ("-id",)

    @display(description="kind", label={"alert": "danger", "note": "info"})
    def kind(self, note: Note) -> str:
        return "alert" if note.alert else "note"


TIMELINE = ("at", "ms", "passed", "attempt", "node", "left", "pool", "code", "reason", "choice")


def _history(job: str) -> list[dict[str, Any]]:
    """What happened to it, in order, and what was noted of it."""
    events = [
        (
            _clock(event.at),
            "" if event.ms is None else event.ms,
            event.moves.replace(" ", " → "),
            event.attempt,
            event.node,
            event.left,
            event.pool,
            event.code,
            event.reason,
            ", ".join(f"{name} {value}" for name, value in (event.receipt or {}).items()),
        )
        for event in JobEvent.objects.filter(job_id=job).order_by("id")
    ]
    notes = Note.objects.filter(job=job).order_by("id")
    noted = [(_clock(note.at), note.what, note.node, note.text) for note in notes]
    tables = [table("Timeline", TIMELINE, events)]
    return [*tables, table("Notes", ("at", "what", "node", "text"), noted)] if noted else tables


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"
