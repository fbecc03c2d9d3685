"""REST of nodes. Thin: what happens is in :mod:`nodes.services`."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from lua import views
from lua.scripts import Command
from lua.states import NodeState
from nodes import pairing, services
from nodes.api.page import page
from nodes.api.serializers import (
    DrainSerializer,
    NodeDetailSerializer,
    NodePageSerializer,
    NodeSerializer,
    PairingCodeSerializer,
    QuerySerializer,
    ReasonSerializer,
    StateSerializer,
)
from pools.store import store

DECIDED = {
    200: StateSerializer,
    202: OpenApiResponse(StateSerializer, "Redis is away: it is kept, and done when it is back"),
}


class NodeViewSet(viewsets.ViewSet):
    """Nodes as they are now."""

    lookup_url_kwarg = "node_id"
    lookup_value_regex = r"[^/]+"

    @extend_schema(
        operation_id="nodes_list", parameters=[QuerySerializer], responses=NodePageSerializer
    )
    def list(self, request: Request) -> Response:
        query = QuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        found = page(
            cursor=asked["cursor"],
            size=asked["page_size"],
            state=asked["state"],
            pool=asked["pool"],
        )
        rows = NodeSerializer(found.nodes, many=True).data
        return Response({"next": _link(request, found.next), "previous": None, "results": rows})

    @extend_schema(responses=NodeDetailSerializer)
    def retrieve(self, request: Request, node_id: str) -> Response:
        node = views.nodes(store(), [node_id]).get(node_id)
        if node is None:
            raise _not_found(node_id)
        context = {"jobs": views.jobs_of(store(), node_id)}
        return Response(NodeDetailSerializer(node, context=context).data)

    @extend_schema(request=DrainSerializer, responses=DECIDED)
    @action(detail=True, methods=["post"])
    def drain(self, request: Request, node_id: str) -> Response:
        """No new jobs until it is resumed."""
        body = DrainSerializer(data=request.data or {})
        body.is_valid(raise_exception=True)
        return _told(node_id, services.drain, request, **body.validated_data)

    @extend_schema(request=ReasonSerializer, responses=DECIDED)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, node_id: str) -> Response:
        """Never use it, also when it registers anew, until it is resumed."""
        return _told(node_id, services.disable, request, reason=_reason(request))

    @extend_schema(request=None, responses=DECIDED)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, node_id: str) -> Response:
        """Ends a drain, a shutdown that is under way, and a disable."""
        return _told(node_id, services.resume, request)

    @extend_schema(request=ReasonSerializer, responses=StateSerializer)
    @action(detail=True, methods=["post"])
    def kick(self, request: Request, node_id: str) -> Response:
        """Close its connection now; what it works on goes to others unless it comes back soon."""
        told = _control(node_id, Command.KICK, request)
        if told.data["state"] not in (
            None,
            NodeState.OFFLINE,
        ):  # the process that has the connection is told
            told.data |= {"state": None, "pending": True}
        return told

    @extend_schema(request=ReasonSerializer, responses=StateSerializer)
    @action(detail=True, methods=["post"])
    def shutdown(self, request: Request, node_id: str) -> Response:
        """No new jobs; when those that run have ended its agent ends, or is disconnected."""
        return _control(node_id, Command.SHUTDOWN, request)

    @extend_schema(request=ReasonSerializer, responses=StateSerializer)
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, node_id: str) -> Response:
        """Ask its agent for a heartbeat now; old agents do not listen."""
        return _control(node_id, Command.REFRESH, request)

    @extend_schema(request=None, responses={201: PairingCodeSerializer})
    @action(detail=True, methods=["post"], url_path="pairing-code")
    def pairing_code(self, request: Request, node_id: str) -> Response:
        """A code by which one session is bound to the node; it has to be shown soon."""
        try:
            code = pairing.issue(node_id, request=request._request)
        except services.UnknownNode as error:
            raise _not_found(node_id) from error
        body = {"node_id": node_id, "code": code.digits, "expires_at_ms": code.until_ms}
        return Response(body, status=201)

    @extend_schema(request=ReasonSerializer, responses=StateSerializer)
    @action(detail=True, methods=["post"])
    def clear(self, request: Request, node_id: str) -> Response:
        """Close its breaker, and take in again the services that are out."""
        return _control(node_id, Command.CLEAR, request)


def _control(node_id: str, command: Command, request: Request) -> Response:
    return _told(node_id, services.control, request, command=command, reason=_reason(request))


def _told(node_id: str, act: Any, request: Request, **options: Any) -> Response:
    try:
        told: services.Told = act([node_id], request=request._request, **options)
    except services.UnknownNode as error:
        raise _not_found(node_id) from error
    body = {"node_id": node_id, "state": told.states[node_id], "pending": told.pending}
    return Response(body, status=202 if told.pending else 200)


def _reason(request: Request) -> str:
    body = ReasonSerializer(data=request.data or {})
    body.is_valid(raise_exception=True)
    return str(body.validated_data["reason"])


def _not_found(node_id: str) -> NotFound:
    return NotFound(f"There is no node {node_id[:64]}.")


def _link(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = request.query_params.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"?{query.urlencode()}")
