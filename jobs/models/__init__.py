"""What SQL knows of jobs: written by :mod:`jobs.audit`, read by people. Never text or audio."""

from jobs.models.audit import AuditCursor, JobTotal
from jobs.models.events import JobEvent, NodeEvent, Note, PoolEvent
from jobs.models.job import Job

__all__ = ["AuditCursor", "Job", "JobEvent", "JobTotal", "NodeEvent", "Note", "PoolEvent"]
