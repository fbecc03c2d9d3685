"""REST of pools: reading them, and defining some. Operators only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.core.exceptions import ValidationError
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from lua import views
from lua.errors import StoreError
from pools.author import author_of
from pools.defining import delete_pool, faults_of, one_at_a_time, save_pool, save_settings
from pools.membership import preview, summary
from pools.models import Change, Configuration, DefinedPool
from pools.modules_api import ModulesView
from pools.publication import own_pool, publish_now
from pools.serializers import (
    ChangeSerializer,
    ChoosingSerializer,
    DefinedPoolSerializer,
    MemberSerializer,
    PoolDetailSerializer,
    PoolPageSerializer,
    PoolSerializer,
    PreviewSerializer,
)
from pools.services import PoolNow, pools_now
from pools.store import store

log = structlog.get_logger(__name__)
CHANGES_SHOWN = 200


class PoolViewSet(viewsets.ViewSet):
    """Pools as they are now, and as operators define them."""

    lookup_url_kwarg = "pool_id"
    lookup_value_regex = r"[^/]+"

    @extend_schema(operation_id="pools_list", responses=PoolPageSerializer)
    def list(self, request: Request) -> Response:
        rows = PoolSerializer(pools_now().values(), many=True).data
        return Response({"next": None, "previous": None, "results": rows})

    @extend_schema(responses=PoolDetailSerializer)
    def retrieve(self, request: Request, pool_id: str) -> Response:
        found = {**vars(_pool(pool_id)), "summary": summary(pool_id)}
        return Response(PoolDetailSerializer(found).data)

    @extend_schema(request=DefinedPoolSerializer, responses={201: DefinedPoolSerializer})
    def create(self, request: Request) -> Response:
        return _save(request, DefinedPool, status=201)

    @extend_schema(request=DefinedPoolSerializer, responses=DefinedPoolSerializer)
    def update(self, request: Request, pool_id: str) -> Response:
        return _save(request, lambda: _fresh(_defined(pool_id)))

    @extend_schema(request=DefinedPoolSerializer(partial=True), responses=DefinedPoolSerializer)
    def partial_update(self, request: Request, pool_id: str) -> Response:
        return _save(request, lambda: _defined(pool_id), partial=True)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pool_id: str) -> Response:
        delete_pool(_defined(pool_id), author=author_of(request._request))
        _publish(request)
        return Response(status=204)

    @extend_schema(responses=MemberSerializer(many=True))
    @action(detail=True)
    def members(self, request: Request, pool_id: str) -> Response:
        _pool(pool_id)
        members = views.members(store(), pool_id)
        return Response(MemberSerializer(members, many=True).data)

    @extend_schema(responses=ChangeSerializer(many=True))
    @action(detail=True)
    def changes(self, request: Request, pool_id: str) -> Response:
        changes = Change.objects.filter(what=pool_id)[:CHANGES_SHOWN]
        return Response(ChangeSerializer(changes, many=True).data)

    @extend_schema(request=DefinedPoolSerializer, responses=PreviewSerializer)
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        pool = _filled(DefinedPool(), request, partial=False)
        with _by_field():
            pool.full_clean(validate_unique=False)
        return Response(PreviewSerializer(preview(own_pool(pool))).data)


class ChoosingView(APIView):
    """How pools are used: the automatic ones, and the policy of choosing."""

    @extend_schema(responses=ChoosingSerializer)
    def get(self, request: Request) -> Response:
        row = Configuration.objects.filter(pk=1).first() or Configuration()
        return Response(ChoosingSerializer(row).data)

    @extend_schema(request=ChoosingSerializer(partial=True), responses=ChoosingSerializer)
    def patch(self, request: Request) -> Response:
        asked = ChoosingSerializer(Configuration(), data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        with _by_field():
            save_settings(asked.validated_data, author=author_of(request._request))
        _publish(request)
        return self.get(request)


def _save(
    request: Request,
    find: Callable[[], DefinedPool],
    *,
    status: int = 200,
    partial: bool = False,
) -> Response:
    with _by_field(), one_at_a_time():
        pool = _filled(find(), request, partial=partial)
        saved = save_pool(pool, author=author_of(request._request))
    _publish(request)
    return Response(DefinedPoolSerializer(saved).data, status=status)


def _filled(pool: DefinedPool, request: Request, *, partial: bool) -> DefinedPool:
    """With the values that are asked for; the model looks at what they mean."""
    asked = DefinedPoolSerializer(pool, data=request.data, partial=partial)
    asked.is_valid(raise_exception=True)
    for field, value in asked.validated_data.items():
        setattr(pool, field, value)
    return pool


def _fresh(pool: DefinedPool) -> DefinedPool:
    """The pool with the usual values for all that is not said."""
    fresh = DefinedPool(pool_id=pool.pool_id, kind=pool.kind, name=pool.name)
    fresh._state.adding = False
    return fresh


def _publish(request: Request) -> None:
    """The decision is kept; when Redis is away, the periodic task tells it later."""
    try:
        publish_now(request._request)
    except StoreError as error:
        log.warning("configuration not published yet", why=str(error))


@contextmanager
def _by_field() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise serializers.ValidationError(faults_of(error)) from error


def _defined(pool_id: str) -> DefinedPool:
    pool = DefinedPool.objects.filter(pk=pool_id).first()
    if pool is None:
        raise _not_found(pool_id)
    return pool


def _pool(pool_id: str) -> PoolNow:
    pool = pools_now().get(pool_id)
    if pool is None:
        raise _not_found(pool_id)
    return pool


def _not_found(pool_id: str) -> NotFound:
    return NotFound(f"There is no pool {pool_id[:64]}.")


router = SimpleRouter()
router.register("pools", PoolViewSet, basename="pool")
urlpatterns = [
    path("modules/", ModulesView.as_view(), name="modules"),
    path("choosing/", ChoosingView.as_view(), name="choosing"),
    *router.urls,
]
