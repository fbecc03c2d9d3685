"""REST: the paths below ``/api/v1/``, and totals. Jobs, nodes and pools have their own modules."""

from dataclasses import asdict
from typing import Any

from django.urls import include, path, re_path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from redis.exceptions import RedisError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.problems import not_found
from lua.states import JobState
from scheduler_site import stats
from scheduler_site.serializers import ClusterSerializer, StatsSerializer
from scheduler_site.tasks import last_song_ms


class StatsView(APIView):
    """Totals: all jobs so far, nodes, slots, waiting jobs, and how far the history lags."""

    @extend_schema(responses=StatsSerializer)
    def get(self, request: Request) -> Response:
        cells, fleet = stats.cells(), stats.fleet_sum()
        return Response(
            {
                "jobs": _jobs(),
                "nodes": asdict(fleet),
                "waiting": sum(stats.waiting_by_cell().values()),
                "speech": stats.speech(),
                "history": {
                    "entries": sum(cell.stream_entries for cell in cells),
                    "lag_ms": max(cell.stream_lag_ms for cell in cells),
                },
            }
        )


class ClusterView(APIView):
    """Instances and cells: web processes, their streams, and when the worker was last seen."""

    @extend_schema(responses=ClusterSerializer)
    def get(self, request: Request) -> Response:
        cells, moved_ms = stats.cells(), stats.last_moves_ms()
        return Response(
            {
                "instances": sorted({process for cell in cells for process in cell.processes}),
                "nodes": stats.fleet_sum().nodes,
                "worker_seen_ms": _worker_seen_ms(),
                "cells": [
                    {**asdict(cell), "history_moved_ms": moved_ms.get(cell.cell)} for cell in cells
                ],
            }
        )


def _worker_seen_ms() -> int | None:
    try:
        return last_song_ms()
    except RedisError:  # the cache may be on another server, which is away
        return None


def _jobs() -> dict[str, Any]:
    sums = stats.job_sums()
    ended = {state: stats.count_of(sums, state) for state in _ENDS.values()}
    done_ms = sum(one.ms for one in sums if one.state == JobState.DONE)
    return {
        "made": stats.count_of(sums, JobState.NEW),
        **{name: ended[state] for name, state in _ENDS.items()},
        "retries": stats.count_of(sums, JobState.RETRYING),
        "failed_by_code": {one.code: one.count for one in sums if one.state == JobState.FAILED},
        "mean_done_ms": round(done_ms / ended[JobState.DONE]) if ended[JobState.DONE] else None,
    }


_ENDS = {"done": JobState.DONE, "failed": JobState.FAILED, "cancelled": JobState.CANCELLED}


urlpatterns = [
    path("", include("jobs.api.urls")),
    path("", include("nodes.api.urls")),
    path("", include("pools.api")),
    path("stats/", StatsView.as_view(), name="stats"),
    path("cluster/", ClusterView.as_view(), name="cluster"),
    path("schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="schema"),
    path(
        "docs/",
        SpectacularSwaggerView.as_view(url_name="schema", permission_classes=[AllowAny]),
        name="docs",
    ),
    re_path("", not_found),
]
