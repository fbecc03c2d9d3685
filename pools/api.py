"""REST of pools: reading them. Operators only."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from lua import views
from pools.modules_api import ModulesView
from pools.services import PoolNow, pools_now
from pools.store import store


class PoolSerializer(serializers.Serializer[Any]):
    """A pool; one without members was left by its last node a while ago."""

    pool_id = serializers.CharField()
    kind = serializers.CharField()
    name = serializers.CharField()
    definition = serializers.JSONField()
    members = serializers.IntegerField()
    ready = serializers.IntegerField(help_text="Members that can take a job now.")


@extend_schema_serializer(many=False)
class PoolPageSerializer(serializers.Serializer[Any]):
    """All pools: there are few, so there is only one page."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = PoolSerializer(many=True)


class MemberSerializer(serializers.Serializer[Any]):
    """A node of a pool."""

    node_id = serializers.CharField(source="node")
    ready = serializers.BooleanField(help_text="Can take a job now.")


class PoolViewSet(viewsets.ViewSet):
    """Pools as they are now."""

    lookup_url_kwarg = "pool_id"
    lookup_value_regex = r"[^/]+"

    @extend_schema(operation_id="pools_list", responses=PoolPageSerializer)
    def list(self, request: Request) -> Response:
        rows = PoolSerializer(pools_now().values(), many=True).data
        return Response({"next": None, "previous": None, "results": rows})

    @extend_schema(responses=PoolSerializer)
    def retrieve(self, request: Request, pool_id: str) -> Response:
        return Response(PoolSerializer(_pool(pool_id)).data)

    @extend_schema(responses=MemberSerializer(many=True))
    @action(detail=True)
    def members(self, request: Request, pool_id: str) -> Response:
        _pool(pool_id)
        members = views.members(store(), pool_id)
        return Response(MemberSerializer(members, many=True).data)


def _pool(pool_id: str) -> PoolNow:
    pool = pools_now().get(pool_id)
    if pool is None:
        raise NotFound(f"There is no pool {pool_id[:64]}.")
    return pool


router = SimpleRouter()
router.register("pools", PoolViewSet, basename="pool")
urlpatterns = [path("modules/", ModulesView.as_view(), name="modules"), *router.urls]
