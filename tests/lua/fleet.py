"""Short ways to make what the scripts are told."""

from typing import Any

from lua.scripts import (
    Beat,
    Finish,
    Need,
    NewJob,
    NewSession,
    Node,
    RefusedJob,
    Registration,
    Verdict,
)

POOL = "auto:en-zh"
NEED = Need((POOL,))
PAYLOAD = b'{"payload":1}'


def a_node(**differences: Any) -> Node:
    """A ready public node of two slots in one pool."""
    given: dict[str, Any] = {
        "capacity": 2,
        "arbitrates": False,
        "public": True,
        "enabled": True,
        "core": True,
        "gpu": True,
        "hot": False,
        "config": 0,
        "pools": [POOL],
        "has": [],
        "out": [],
        "definition": "{}",
        "reasons": "{}",
        "caps": "{}",
    }
    return Node(**given | differences)


def a_registration(node: str, **differences: Any) -> Registration:
    """Of a new node by its first connection, at process ``p1``."""
    given: dict[str, Any] = {
        "node": node,
        "conn": f"{node}-1",
        "process": "p1",
        "credential": "",
        "address": "192.0.2.1",
        "draining": False,
        "about": a_node(),
        "running": None,
        "held": None,
    }
    return Registration(**given | differences)


def a_session(**changes: Any) -> NewSession:
    """Session ``s-1`` of process ``p1``."""
    return NewSession(**{"session": "s-1", "process": "p1", "tenant": "t"} | changes)


def a_job(job: str, *, need: Need = NEED, **differences: Any) -> NewJob:
    """An utterance of session ``s-1`` that may wait."""
    given: dict[str, Any] = {
        "job": job,
        "session": "s-1",
        "index": 0,
        "request": "",
        "digest": "",
        "tenant": "t",
        "src": "en",
        "tgt": "zh",
        "need": need.text,
        "sig": need.sig,
        "preferred": "",
        "avoid": [],
        "deadline_ms": -1,
        "priority": 3,
        "size": len(PAYLOAD),
        "retries": 2,
        "trace": "",
    }
    return NewJob(**given | differences)


def a_refused_job(job: str, **differences: Any) -> RefusedJob:
    """An utterance of session ``s-1`` whose sound was damaged."""
    given: dict[str, Any] = {
        "job": job,
        "session": "s-1",
        "index": 0,
        "tenant": "t",
        "src": "en",
        "tgt": "zh",
        "trace": "",
        "code": "INVALID_MESSAGE",
        "message": "An Opus packet can't have 0 bytes.",
        "reason": "",
        "counts": "",
        "field": "",
        "expected": "",
    }
    return RefusedJob(**given | differences)


def a_beat(node: str, **differences: Any) -> Beat:
    """A heartbeat of its first connection without news."""
    given: dict[str, Any] = {
        "node": node,
        "conn": f"{node}-1",
        "running": 0,
        "queue": 0,
        "hot": False,
        "about": None,
        "metrics": "{}",
    }
    return Beat(**given | differences)


def an_outcome(job: str, node: str, **differences: Any) -> Finish:
    """A good result."""
    given: dict[str, Any] = {
        "job": job,
        "node": node,
        "verdict": Verdict.DONE,
        "blame": "",
        "code": "",
        "message": "",
        "size": 0,
        "brief": "{}",
        "token": f"{job}-{node}",
    }
    return Finish(**given | differences)
