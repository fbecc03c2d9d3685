"""Reads for people and periodic tasks: the only place beside the scripts that knows these keys.

Those that block are for threads and workers, and raise redis-py's ``RedisError``. Nothing between
two frames waits for any of them.
"""

from lua.views.jobs import JobView, job, job_now, unknown_jobs
from lua.views.nodes import Load, NodeView, Registered, fleet, jobs_of, nodes, registered
from lua.views.pools import Member, PoolView, members, pools, ready_members, standing
from lua.views.sessions import LiveJob, SessionJobs, SessionView, session_jobs, session_now
from lua.views.totals import CellView, Queue, cells, queues, script_calls

__all__ = [
    "CellView",
    "JobView",
    "LiveJob",
    "Load",
    "Member",
    "NodeView",
    "PoolView",
    "Queue",
    "Registered",
    "SessionJobs",
    "SessionView",
    "cells",
    "fleet",
    "job",
    "job_now",
    "jobs_of",
    "members",
    "nodes",
    "pools",
    "queues",
    "ready_members",
    "registered",
    "script_calls",
    "session_jobs",
    "session_now",
    "standing",
    "unknown_jobs",
]
