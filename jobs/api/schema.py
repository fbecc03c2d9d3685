"""What the OpenAPI document says of tokens, and of ``result/``, which is no view of DRF."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

_SCHEMA = {"$ref": "#/components/schemas/Problem"}
_PROBLEM = {"content": {"application/problem+json": {"schema": _SCHEMA}}}
_REFUSALS = {
    "401": "Without a valid token.",
    "403": "The token is not for this.",
    "404": "There is no such thing.",
    "422": "A field is wrong.",
    "503": "Redis or SQL is away.",
}
_METHODS = ("get", "post", "put", "patch", "delete")
_PARAMETERS = [
    {"in": "path", "name": "job_id", "schema": {"type": "string"}, "required": True},
    {
        "in": "query",
        "name": "wait",
        "schema": {"type": "number", "minimum": 0, "maximum": 60, "default": 0},
        "description": "Seconds to wait for the job's end.",
    },
]
_ANSWER = {
    "type": "object",
    "properties": {
        name: {"type": kind}
        for name, kind in {
            "job_id": "string",
            "state": "string",
            "node_id": "string",
            "attempt_id": "integer",
            "text_asr": "string",
            "text_translated": "string",
            "tts_audio": "string",
            "tts_format": "string",
            "code": "string",
            "message": "string",
        }.items()
    },
    "required": ["job_id", "state", "node_id", "attempt_id"],
}


class BearerToken(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """``Authorization: Bearer TOKEN``."""

    target_class = "jobs.api.access.PrincipalAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


def add_result(result: dict[str, Any], generator: Any, request: Any, public: bool) -> Any:
    """A postprocessing hook of drf-spectacular."""
    result["paths"]["/api/v1/jobs/{job_id}/result/"] = {
        "get": {
            "operationId": "jobs_result_retrieve",
            "description": "The answer of a job, as soon as it has ended.",
            "parameters": _PARAMETERS,
            "tags": ["jobs"],
            "security": [{"token": []}],
            "responses": {
                "200": {
                    "content": {"application/json": {"schema": _ANSWER}},
                    "description": "It has ended: with an answer, or with a code and a message.",
                },
                "404": {**_PROBLEM, "description": "Not yet, not any more, or no such job."},
            },
        }
    }
    return result


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> Any:
    """What every path can answer, as problem documents; the document itself is public."""
    for path, methods in result["paths"].items():
        for name in _METHODS if not path.endswith(("/schema/", "/docs/")) else ():
            if name in methods:
                responses = methods[name]["responses"]
                for status in _statuses(path, methods[name]):
                    known = responses.get(status, {}).get("description")
                    responses[status] = {**_PROBLEM, "description": known or _REFUSALS[status]}
    return result


def _statuses(path: str, operation: dict[str, Any]) -> list[str]:
    """Which refusals are possible: 404 of one thing, 422 of what takes any input."""
    takes_input = "requestBody" in operation or any(
        one["in"] == "query" for one in operation.get("parameters", ())
    )
    possible = {"404": "{" in path, "422": takes_input}
    return [status for status in _REFUSALS if possible.get(status, True)]
