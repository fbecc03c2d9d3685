"""``/metrics`` for Prometheus: read when asked, the same whichever web process answers."""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from jobs.api import problems
from jobs.api.access import OPERATOR, principal_of
from lua import times, views
from pools.store import store
from scheduler_site import stats
from scheduler_site.credentials import SQL_AWAY


def metrics(request: HttpRequest) -> HttpResponse:
    """Operators only. ``parley_up`` is 0, and the rest of Redis' figures missing, without Redis;
    ``parley_history_up`` likewise without SQL.
    """
    principal = principal_of(request)
    if principal is None:
        return problems.unauthorized(shown="Authorization" in request.headers)
    if principal.kind != OPERATOR:
        return problems.response(403)
    registry = CollectorRegistry()
    registry.register(Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Figures(Collector):
    """Everything, once."""

    def collect(self) -> Iterator[Metric]:
        yield from _history()
        up = GaugeMetricFamily("parley_up", "Whether the live state can be read.")
        try:
            found = [*_fleet(), *_cells(), *_speech(), *_scripts(), *_script_times()]
            up.add_metric([], 1)
        except RedisError:
            found = []
            up.add_metric([], 0)
        yield up
        yield from found


def _history() -> Iterator[Metric]:
    up = GaugeMetricFamily("parley_history_up", "Whether the history in SQL can be read.")
    try:
        found = [*_jobs()]
        up.add_metric([], 1)
    except SQL_AWAY:
        found = []
        up.add_metric([], 0)
    yield up
    yield from found


def _jobs() -> Iterator[Metric]:
    count = CounterMetricFamily(
        "parley_jobs", "Jobs that entered a state; NEW: jobs made.", labels=["state", "code"]
    )
    seconds = CounterMetricFamily(
        "parley_job_seconds", "Time from dispatch to the end, summed up.", labels=["state", "code"]
    )
    for one in stats.job_sums():
        count.add_metric([one.state, one.code], one.count)
        seconds.add_metric([one.state, one.code], one.ms / 1000)
    yield from (count, seconds)


def _fleet() -> Iterator[Metric]:
    fleet = stats.fleet_sum()
    nodes = GaugeMetricFamily(
        "parley_nodes", "Nodes, by why they take no public job.", labels=["reason"]
    )
    for reason, number in fleet.by_reason.items():
        nodes.add_metric([reason], number)
    slots = GaugeMetricFamily("parley_slots", "Slots of connected nodes.", labels=["kind"])
    for kind in ("capacity", "used", "foreign"):
        slots.add_metric([kind], getattr(fleet, kind))
    yield from (nodes, slots)


_CELL_GAUGES = {
    "queues": "Requirements with waiting jobs.",
    "timers": "Timers that are set.",
    "live_bytes": "Bytes of the payloads of live jobs.",
    "stream_entries": "Events that are not in SQL yet.",
}


def _cells() -> Iterator[Metric]:
    cells, waiting = stats.cells(), stats.waiting_by_cell()
    for name, text in _CELL_GAUGES.items():
        gauge = GaugeMetricFamily(f"parley_{name}", text, labels=["cell"])
        for cell in cells:
            gauge.add_metric([str(cell.cell)], getattr(cell, name))
        yield gauge
    jobs = GaugeMetricFamily("parley_waiting_jobs", "Jobs that wait for a node.", labels=["cell"])
    lag = GaugeMetricFamily(
        "parley_stream_lag_seconds", "Age of the oldest event not in SQL.", labels=["cell"]
    )
    processes = GaugeMetricFamily("parley_processes", "Web processes.", labels=["cell"])
    for cell in cells:
        label = [str(cell.cell)]
        jobs.add_metric(label, waiting.get(cell.cell, 0))
        lag.add_metric(label, cell.stream_lag_ms / 1000)
        processes.add_metric(label, len(cell.processes))
    yield from (jobs, lag, processes)


def _speech() -> Iterator[Metric]:
    names = {
        "utterances": "Utterances of streams that are being spoken.",
        "bytes": "Their sound so far.",
    }
    held = times.read_held(store())
    for name, text in names.items():
        gauge = GaugeMetricFamily(f"parley_spoken_{name}", text, labels=["process"])
        for process, figures in held.items():
            gauge.add_metric([process], figures[name])
        yield gauge


def _scripts() -> Iterator[Metric]:
    calls, seconds = views.script_calls(store())
    yield CounterMetricFamily("parley_script_calls", "Script calls Redis has run.", value=calls)
    yield CounterMetricFamily(
        "parley_script_seconds", "Time Redis spent in script calls.", value=seconds
    )


def _script_times() -> Iterator[Metric]:
    # Labelled by process and not added up: a sum would fall when a process ends, which a counter
    # must not; `sum without (process) (rate(...))` is right whatever comes and goes.
    labels = ["process", "script"]
    calls = CounterMetricFamily(
        "parley_process_script_calls", "Script calls of a web process.", labels=labels
    )
    seconds = CounterMetricFamily(
        "parley_process_script_seconds", "Their time, from call to answer.", labels=labels
    )
    for process, by_script in times.read(store()).items():
        for script, (count, spent_s) in sorted(by_script.items()):
            calls.add_metric([process, script], count)
            seconds.add_metric([process, script], spent_s)
    yield from (calls, seconds)
