"""Paths of jobs, below ``/api/v1/``."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from jobs.api import schema  # noqa: F401 - registers how tokens are described
from jobs.api.result import result
from jobs.api.views import JobViewSet

router = SimpleRouter()
router.register("jobs", JobViewSet, basename="job")

urlpatterns = [path("jobs/<str:job_id>/result/", result, name="job-result"), *router.urls]
