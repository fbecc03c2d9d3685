"""The job that the benches send, each with differences of its own."""

from typing import Any

import msgspec

from lua.scripts import Need, NewJob

_USUAL = NewJob(
    job="",
    session="",
    index=0,
    request="",
    digest="0123456789abcdef",
    tenant="acme",
    src="en",
    tgt="zh",
    need="",
    sig="",
    preferred="",
    avoid=[],
    deadline_ms=-1,
    priority=3,
    size=300,
    retries=2,
    trace="0123456789abcdef",
)


def a_job(job: str, need: Need, **differences: Any) -> NewJob:
    """One from English to Chinese that may wait; ``differences`` are fields of ``NewJob``."""
    told = {"job": job, "need": need.text, "sig": need.sig} | differences
    return msgspec.structs.replace(_USUAL, **told)
