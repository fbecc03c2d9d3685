"""REST of the module table: what features and steps need of a node. Operators only."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pools.modules import CORE_TYPES, FEATURES, MODULES, STEPS, closure


class ModuleSerializer(serializers.Serializer[Any]):
    """A module. ``needs`` are others; ``type`` is empty for a model beside the service types."""

    name = serializers.CharField()
    type = serializers.CharField()
    needs = serializers.ListField(child=serializers.CharField())
    has = serializers.CharField(help_text="What its node is asked to offer; empty: any usable one.")
    model = serializers.CharField(help_text="A kind of model; nodes that report one come first.")


class AskSerializer(serializers.Serializer[Any]):
    """A feature or step of the pipeline, with all that it comes to."""

    name = serializers.CharField()
    modules = serializers.ListField(
        child=serializers.CharField(), help_text="What is needed comes first."
    )
    types = serializers.ListField(child=serializers.CharField())


class ModuleTableSerializer(serializers.Serializer[Any]):
    """The whole table. ``core_types``: every usable node has them."""

    core_types = serializers.ListField(child=serializers.CharField())
    steps = AskSerializer(many=True)
    features = AskSerializer(many=True)
    modules = ModuleSerializer(many=True)


class ModulesView(APIView):
    """What a job may ask for: features and steps, their modules, and the service types of those."""

    @extend_schema(responses=ModuleTableSerializer)
    def get(self, request: Request) -> Response:
        table = {
            "core_types": sorted(CORE_TYPES),
            "steps": [_asked(*step) for step in STEPS.items()],
            "features": [_asked(*feature) for feature in FEATURES.items()],
            "modules": MODULES.values(),
        }
        return Response(ModuleTableSerializer(table).data)


def _asked(name: str, modules: tuple[str, ...]) -> dict[str, Any]:
    needed = closure(modules)
    return {
        "name": name,
        "modules": [module.name for module in needed],
        "types": [module.type for module in needed if module.type],
    }
