"""Paths of jobs, below ``/api/v1/``; ``result/`` is beside Django, in the site's routing."""

from rest_framework.routers import SimpleRouter

from jobs.api import schema  # noqa: F401 - registers how tokens are described
from jobs.api.views import JobViewSet

router = SimpleRouter()
router.register("jobs", JobViewSet, basename="job")

urlpatterns = router.urls
