"""Reads for people and periodic tasks: the only place beside the scripts that knows these keys.

All but ``job_now`` block, for use in threads and workers; they raise redis-py's ``RedisError``.
Nothing between two frames waits for them.
"""

from lua.views.jobs import JobView, job, job_now, unknown_jobs
from lua.views.nodes import Load, NodeView, fleet, nodes
from lua.views.pools import Member, PoolView, members, pools
from lua.views.totals import CellView, Queue, cells, queues, script_calls

__all__ = [
    "CellView",
    "JobView",
    "Load",
    "Member",
    "NodeView",
    "PoolView",
    "Queue",
    "cells",
    "fleet",
    "job",
    "job_now",
    "members",
    "nodes",
    "pools",
    "queues",
    "script_calls",
    "unknown_jobs",
]
