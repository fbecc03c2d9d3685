"""Both ends of a Parley dispatcher: nodes that translate and sessions that speak."""

from parley.audio import AudioError
from parley.backoff import Backoff
from parley.codes import ErrorCode, advice
from parley.job import Job, JobFailed, Result
from parley.node import Node
from parley.outcome import Answer, Missing, Outcome, SessionError
from parley.profile import Profile
from parley.session import Session
from parley.streaming import live

__all__ = [
    "Answer",
    "AudioError",
    "Backoff",
    "ErrorCode",
    "Job",
    "JobFailed",
    "Missing",
    "Node",
    "Outcome",
    "Profile",
    "Result",
    "Session",
    "SessionError",
    "advice",
    "live",
]
