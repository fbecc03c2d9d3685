"""HTTP paths; the sockets are in ``routing``."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from scheduler_site import health
from scheduler_site.metrics import metrics

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("scheduler_site.api")),
    path("metrics", metrics),
    path("health/live", health.live),
    path("health/ready", health.ready),
]
