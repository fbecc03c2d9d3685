"""What the OpenAPI document says of nodes without sockets, whose paths are no views of DRF."""

from typing import Any, get_type_hints

import msgspec

from nodes.api.agents import PATHS
from parley.frames import JobAck, JobAssign, JobResult, NodeHeartbeat, NodeRegister, Pipeline

_REF = "#/components/schemas/{name}"
_ANSWERS = ("ACKED", "DONE", "RETRIED", "FAILED", "DROPPED", "LATE", "KEPT")
_STATUS = {"type": "string", "enum": ["registering", "ready", "degraded", "draining", "offline"]}
_TEXT = {"type": "string"}
_OWN = {
    "NodeStatus": {"node_id": _TEXT, "message": _TEXT, "status": _STATUS},
    "NodeWork": {
        "node_id": _TEXT,
        "status": _STATUS,
        "jobs": {"type": "array", "items": {"$ref": _REF.format(name="JobAssign")}},
        "cancelled": {
            "type": "array",
            "items": {"type": "object", "properties": {"job_id": _TEXT}},
        },
    },
    "NodeAnswer": {"job_id": _TEXT, "answer": {"type": "string", "enum": list(_ANSWERS)}},
}
_WAIT = {
    "in": "query",
    "name": "wait",
    "schema": {"type": "number", "minimum": 0, "maximum": 60, "default": 0},
    "description": "Seconds to wait for a job.",
}
_GONE = "It is not registered, or the job is not its own (any more)."
_WORDS: dict[str, tuple[type[msgspec.Struct] | None, str, str]] = {
    "nodes/register/": (
        NodeRegister,
        "NodeStatus",
        "A node registers. Without heartbeats or requests for jobs it is lost after 45 s. Told "
        "that it is not registered it registers again.",
    ),
    "nodes/{node_id}/heartbeat/": (
        NodeHeartbeat,
        "NodeStatus",
        "Every 15 s, and at once when something changes.",
    ),
    "nodes/{node_id}/jobs/": (
        None,
        "NodeWork",
        "The jobs of a node, as soon as there are some. A job is given again until it is "
        "acknowledged; `cancelled` are jobs that need no more work.",
    ),
    "jobs/{job_id}/ack/": (JobAck, "NodeAnswer", "The node has accepted the job."),
    "jobs/{job_id}/done/": (JobResult, "NodeAnswer", "The node's result."),
    "jobs/{job_id}/fail/": (JobResult, "NodeAnswer", "The node has failed; `error` says why."),
}
_FROM_THE_PATH = {"job_id", "success"}


def add_agents(result: dict[str, Any], generator: Any, request: Any, public: bool) -> Any:
    """A postprocessing hook of drf-spectacular. A body may leave out what its path says."""
    frames = [
        _plain(frame) for frame in (NodeRegister, NodeHeartbeat, JobAck, JobResult, JobAssign)
    ]
    _, shapes = msgspec.json.schema_components(frames, ref_template=_REF)
    for name, properties in _OWN.items():
        required = [field for field in properties if field != "message"]
        shapes[name] = {"type": "object", "properties": properties, "required": required}
    shapes = {name: _plainer(shape) for name, shape in shapes.items()}
    known = result["components"]["schemas"]
    assert not known.keys() & shapes.keys(), known.keys() & shapes.keys()
    known |= shapes
    for route, app in PATHS.items():
        path = route.replace("<str:", "{").replace(">", "}")
        result["paths"].setdefault(f"/api/v1/{path}", {})[app.method.lower()] = _operation(path)
    return result


def _plain(frame: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The frame as the body of a request or an answer: without its type, and nothing left encoded.

    What the path says may be left out of it.
    """
    hints = get_type_hints(frame, include_extras=True)
    fields: list[Any] = []
    for field in msgspec.structs.fields(frame):
        kind, needed = hints[field.name], field.required and field.name not in _FROM_THE_PATH
        if kind is msgspec.Raw:
            kind = str if field.name in ("audio", "tts_audio") else Any
        elif kind is Pipeline:  # the name is that of another shape
            kind = dict[str, bool]
        fields.append((field.name, kind) if needed else (field.name, kind | None, None))
    return msgspec.defstruct(frame.__name__, fields, kw_only=True)


def _plainer(shape: Any) -> Any:
    """In the words of OpenAPI 3.0, which knows no type null and no tuples."""
    if isinstance(shape, list):
        return [_plainer(one) for one in shape]
    if not isinstance(shape, dict):
        return shape
    plain = {name: _plainer(value) for name, value in shape.items()}
    if plain.get("required") == []:
        del plain["required"]
    if parts := plain.pop("prefixItems", None):
        plain["items"] = parts[0]  # a pair of languages
    choices = plain.pop("anyOf", None)
    if choices is None:
        return plain
    kept = [one for one in choices if one != {"type": "null"}]
    if len(kept) < len(choices):
        plain["nullable"] = True
        plain.pop("default", None)
    if len(kept) == 1 and "$ref" not in kept[0]:
        return {**kept[0], **plain}
    return {**plain, "allOf" if len(kept) == 1 else "anyOf": kept}


def _operation(path: str) -> dict[str, Any]:
    body, answer, description = _WORDS[path]
    taken = {"200": answer, "202": answer} if path.endswith(("done/", "fail/")) else {"200": answer}
    names = [word[1:-1] for word in path.split("/") if word.startswith("{")]
    operation: dict[str, Any] = {
        "operationId": "_".join(word for word in path.split("/") if word and word[0] != "{"),
        "description": description,
        "parameters": [_path_parameter(name) for name in names],
        "tags": ["agents"],
        "security": [{"token": []}],
        "responses": {
            **{status: _content(name, "Taken.") for status, name in taken.items()},
            "409": {**_content("Problem", _GONE)},
        },
    }
    if body is None:
        operation["parameters"].append(_WAIT)
    else:
        operation["requestBody"] = {**_content(body.__name__), "required": True}
    return operation


def _path_parameter(name: str) -> dict[str, Any]:
    return {"in": "path", "name": name, "schema": _TEXT, "required": True}


def _content(name: str, description: str = "") -> dict[str, Any]:
    kind = "application/problem+json" if name == "Problem" else "application/json"
    content = {"content": {kind: {"schema": {"$ref": _REF.format(name=name)}}}}
    return {**content, "description": description} if description else content
