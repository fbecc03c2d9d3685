"""All that one session is told of its utterances."""

from collections.abc import Callable, Collection, Iterable

from jobs.answers import Told
from jobs.delivery import Delivery
from jobs.failures import Failure
from jobs.line import Line
from jobs.pressure import Pressure
from jobs.results import Results
from jobs.settings import JobSettings
from jobs.wording import Found
from parley.codes import ErrorCode
from parley.frames import AsrPartial, NodeAsrPartial, encode

SHORTAGES = frozenset({ErrorCode.NO_AVAILABLE_NODE, ErrorCode.NODE_OVERLOADED})
KEPT_RESULTS = 32  # that may be played still


class Telling:
    """Events, partials and errors at once, answers in order. ``accepts``: what the client says that
    it understands; with ``errors`` it gets ``error`` frames for more than it did wrong itself and
    what nodes reported. ``may_return``: what is told may have to be told once more, over another
    socket.
    """

    def __init__(
        self,
        line: Line,
        results: Results,
        cell: int,
        *,
        session: str,
        accepts: Collection[str],
        settings: JobSettings,
        on_gap: Callable[[int], None],
        may_return: bool,
    ) -> None:
        self._line = line
        self._pause_ms = settings.pause_ms
        self._unexplained: list[tuple[Told, Failure]] = []
        self._results: dict[str, Told] = {}  # trace id → the last utterance that has it
        self._delivery = Delivery(
            results,
            cell,
            session=session,
            settings=settings.order,
            line=line,
            on_gap=on_gap,
            keep_ms=settings.resend_ms if may_return else 0,
        )
        self._agree(accepts)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is on its way, or held back for those before it."""
        return self._delivery.is_busy or self._line.is_writing

    def announce(self, told: Told) -> bool:
        """An utterance came; False when its index was used before."""
        return self._delivery.announce(told)

    def event(self, utterances: Iterable[Told], name: str, *, node: str = "") -> None:
        """A step that they have come to, for display: it may leave with what is told next.
        ``node``: on which; told as the hint to those who accept ``errors``, because others show
        every hint as advice.
        """
        hint = node if self._wants_errors else ""
        for told in utterances:
            self._line.send_frame(told.event(name, hint), urgent=False)

    def partial(self, utterances: Iterable[Told], heard: NodeAsrPartial) -> None:
        """What is recognised so far."""
        for told in utterances:
            frame = AsrPartial(
                told.job, told.session, told.index, heard.text, heard.is_final, told.trace
            )
            self._line.send_frame(encode(frame))

    def waiting(self, utterances: Iterable[Told]) -> None:
        """They wait for a node, or are tried again."""
        for told in utterances:
            self._delivery.be_patient(told)

    def result(self, utterances: Iterable[Told], found: Found) -> None:
        """Their result is there."""
        for told in utterances:
            self._remember(told)
            self._delivery.put(told, found)

    def playback(self, trace: str, name: str) -> None:
        """The client has begun, or ended, to play a result; one told long ago is forgotten."""
        if told := self._results.get(trace):
            self.event((told,), name)

    def failed(self, utterances: Iterable[Told], failure: Failure) -> None:
        """They end without a result. Why is told at once, or when there is a socket."""
        for told in utterances:
            if self._line.is_open:
                self._explain(told, failure)
            else:
                self._unexplained.append((told, failure))
            self._delivery.put(told, failure)
        if failure.code in SHORTAGES:
            self.pressure.pause()

    def resume(self, accepts: Collection[str], last: int | None) -> None:
        """There is another socket; its client has all answers up to ``last``, or does not say."""
        self._agree(accepts)
        unexplained, self._unexplained = self._unexplained, []
        for told, failure in unexplained:
            self._explain(told, failure)
        self._delivery.resume(last)

    def go_on(self, indexes: Collection[int], *, last: int | None, newest: int) -> None:
        """In place of another one: see :meth:`jobs.ordering.Ordering.go_on`."""
        self._delivery.go_on(indexes, last=last, newest=newest)

    def unsent(self) -> list[tuple[Told, Failure]]:
        """See :meth:`jobs.delivery.Delivery.unsent`."""
        return self._delivery.unsent()

    def stop(self) -> None:
        """The session is over."""
        self._delivery.stop()

    def _agree(self, accepts: Collection[str]) -> None:
        self._wants_errors = "errors" in accepts
        self.pressure = Pressure(
            self._line.send_frame, accepts="backpressure" in accepts, pause_ms=self._pause_ms
        )

    def _explain(self, told: Told, failure: Failure) -> None:
        if not failure.is_silence:
            self._line.send_frame(told.failed_event(failure))
            if failure.is_shown or self._wants_errors:
                self._line.send_error(told.error(failure))

    def _remember(self, told: Told) -> None:
        self._results.pop(told.trace, None)
        self._results[told.trace] = told
        if len(self._results) > KEPT_RESULTS:
            del self._results[next(iter(self._results))]
