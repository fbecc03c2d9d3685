"""How a job has ended, for those whom the mailbox does not tell."""

import msgspec

from jobs.outcome import Ready
from lua.mailbox import Outcome
from lua.scripts import Done, Failed
from lua.states import JobState
from lua.views import JobView


def outcome_of(ready: Ready, reply: Done | Failed) -> Outcome:
    """What the mailbox would say of a job's end to a session of this process."""
    finished = ready.outcome
    state, code = JobState.DONE, ""
    if isinstance(reply, Failed):
        state, code = JobState.FAILED, reply.code
    return Outcome(
        job=finished.job,
        session=reply.session,
        state=state,
        code=code,
        message=finished.message,
        details="",
        node=finished.node,
        attempt=ready.attempt,
        size=finished.size,
        by_node=True,
    )


def outcome_in(view: JobView) -> Outcome:
    """How a job has ended, for whom the mailbox's word of it did not reach."""
    return Outcome(
        job=view.job,
        session=view.session,
        state=view.state,
        code=view.code,
        message=view.message,
        details=msgspec.json.encode(view.breakdown).decode(),
        node=view.node,
        attempt=view.attempt,
        size=view.size,
        by_node=bool(view.message and view.attempt),
    )
