"""Answers of a session that is over."""

from typing import Any, cast

from jobs.answers import Told
from jobs.delivery import Delivery
from jobs.failures import Failure
from jobs.line import Line, Wire
from jobs.results import Results
from jobs.settings import OrderSettings


class Starts:
    """A wire that counts the tasks that it is asked to run."""

    def __init__(self) -> None:
        self.tasks = 0

    def start(self, work: Any) -> None:
        self.tasks += 1
        work.close()


async def test_what_ends_after_its_session_starts_nothing() -> None:
    """There is no socket any more, and a task that waits for one would wait for ever."""
    wire = Starts()
    line = Line(cast(Wire, wire))
    delivery = Delivery(
        cast(Results, None),
        0,
        session="s-1",
        settings=OrderSettings(),
        line=line,
        on_gap=lambda index: None,
        keep_ms=0,
    )
    utterances = [Told("s-1", index, f"job-{index}", "t", "en", 0) for index in range(3)]
    for told in utterances:
        delivery.announce(told)
    delivery.put(utterances[2], Failure("JOB_TIMEOUT"))
    assert delivery.is_busy  # it is held back for the others

    delivery.stop()
    delivery.put(utterances[0], Failure("CANCELLED"))
    delivery.be_patient(utterances[1])

    assert not delivery.is_busy
    assert wire.tasks == 0
