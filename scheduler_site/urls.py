"""HTTP paths; the sockets are in ``routing``."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from scheduler_site import health
from scheduler_site.metrics import metrics
from scheduler_site.talk import views as talk

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("talk/", talk.page, name="talk"),
    path("talk/languages/", talk.languages, name="talk-languages"),
    path("talk/advice/", talk.advices, name="talk-advice"),
    path("favicon.ico", talk.icon),  # asked for by pages that name none, as the admin's
    path("admin/", admin.site.urls),
    path("api/v1/", include("scheduler_site.api")),
    path("metrics", metrics),
    path("health/live", health.live),
    path("health/ready", health.ready),
]
