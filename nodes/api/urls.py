"""Paths of nodes, below ``/api/v1/``."""

from rest_framework.routers import SimpleRouter

from nodes.api.views import NodeViewSet

router = SimpleRouter()
router.register("nodes", NodeViewSet, basename="node")
urlpatterns = router.urls
