"""REST of jobs. Thin: what happens is in :mod:`jobs.services` and :mod:`jobs.api.create`."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import services
from jobs.api.access import IsOperator, MayUseJobs, principal_of, tenant_seen
from jobs.api.body import JobBody, JobParser, read_body
from jobs.api.create import KEY_HEADER, create
from jobs.api.filters import JobFilter
from jobs.api.serializers import (
    CancelledSerializer,
    CancelManySerializer,
    JobEventSerializer,
    JobSerializer,
    NewJobSerializer,
    PlacedSerializer,
    ProblemSerializer,
    SimulatedSerializer,
)
from jobs.api.simulate import WishParser, simulated
from jobs.models import Job, JobEvent
from jobs.principal import Principal
from pools.store import call

PROBLEM = OpenApiResponse(ProblemSerializer, "Problem document")


class JobPagination(CursorPagination):
    """Newest first; ``page_size`` at most 200."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = ("-created_at", "-job_id")


class JobViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Job]):
    """Jobs of the caller's tenant; an operator sees all."""

    queryset = Job.objects.all()
    serializer_class = JobSerializer
    permission_classes = [MayUseJobs]
    parser_classes = [JobParser]
    pagination_class = JobPagination
    filterset_class = JobFilter
    lookup_url_kwarg = "job_id"
    lookup_value_regex = r"[^/]+"

    def get_queryset(self) -> QuerySet[Job]:
        if getattr(self, "swagger_fake_view", False):
            return Job.objects.none()
        tenant = tenant_seen(self._principal)
        return Job.objects.all() if tenant is None else Job.objects.filter(tenant=tenant)

    @extend_schema(
        request=NewJobSerializer,
        parameters=[OpenApiParameter(KEY_HEADER, str, OpenApiParameter.HEADER)],
        responses={
            201: PlacedSerializer,
            200: OpenApiResponse(PlacedSerializer, "This key's job, as it is now"),
            202: OpenApiResponse(PlacedSerializer, "It waits for a node"),
            422: PROBLEM,
            503: PROBLEM,
        },
    )
    def create(self, request: Request) -> Response:
        # Without a body no parser is asked.
        body = request.data if isinstance(request.data, JobBody) else read_body(b"{}")
        return create(request._request, body, self._principal)

    @extend_schema(
        request=NewJobSerializer, responses={200: SimulatedSerializer, 422: PROBLEM}, filters=False
    )
    @action(
        detail=False,
        methods=["post"],
        parser_classes=[WishParser],
        permission_classes=[IsOperator],
        pagination_class=None,
    )
    def simulate(self, request: Request) -> Response:
        """Where a job would go now, and why not elsewhere; ``audio`` may be left out."""
        body = request.data if isinstance(request.data, JobBody) else read_body(b"{}")
        return Response(simulated(request._request, body, self._principal))

    @extend_schema(responses={200: JobSerializer, 404: PROBLEM})
    def retrieve(self, request: Request, job_id: str) -> Response:
        return Response(JobSerializer(self._job(job_id)).data)

    @extend_schema(request=None, responses={200: CancelledSerializer, 404: PROBLEM})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, job_id: str) -> Response:
        job = self._job(job_id)
        state: Any = job.state
        if job.finished_at is None:
            state = call(lambda cells: services.cancel(cells, job_id), request._request)
        return Response({"job_id": job_id, "state": state or job.state})

    @extend_schema(
        operation_id="jobs_cancel_many",
        request=CancelManySerializer,
        responses={200: CancelledSerializer(many=True)},
        filters=False,
    )
    @action(
        detail=False,
        methods=["post"],
        url_path="cancel",
        parser_classes=[JSONParser],
        permission_classes=[IsOperator],
        pagination_class=None,
    )
    def cancel_many(self, request: Request) -> Response:
        """Cancel live jobs; ``state`` is empty for what Redis does not know as a job."""
        body = CancelManySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data["job_ids"]
        states = call(lambda cells: services.cancel_all(cells, wanted), request._request)
        return Response([{"job_id": job, "state": state or ""} for job, state in states.items()])

    @extend_schema(responses={200: JobEventSerializer(many=True), 404: PROBLEM}, filters=False)
    @action(detail=True, pagination_class=None)
    def events(self, request: Request, job_id: str) -> Response:
        self._job(job_id)
        events = JobEvent.objects.filter(job_id=job_id).order_by("id")
        return Response(JobEventSerializer(events, many=True).data)

    @property
    def _principal(self) -> Principal:
        principal = principal_of(self.request)
        assert principal is not None  # the permission says so
        return principal

    def _job(self, job_id: str) -> Job:
        job = services.current_job(job_id)
        tenant = tenant_seen(self._principal)
        if job is None or tenant not in (None, job.tenant):
            raise NotFound(f"There is no job {job_id[:64]}.")
        return job
