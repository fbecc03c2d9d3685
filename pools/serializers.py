"""What REST says and takes of pools."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from pools.defining import FIELDS, SETTING_FIELDS
from pools.models import Change, Configuration, DefinedPool

Texts = serializers.ListField(child=serializers.CharField(max_length=256), max_length=1000)


class PoolSerializer(serializers.Serializer[Any]):
    """A pool; an automatic one without members was left by its last node a while ago."""

    pool_id = serializers.CharField()
    kind = serializers.CharField(help_text="auto, other, pair, mix or own.")
    name = serializers.CharField()
    definition = serializers.JSONField(
        help_text="What an automatic pool serves, or what an operator said of another."
    )
    members = serializers.IntegerField()
    ready = serializers.IntegerField(help_text="Members that can take a job now.")
    offers = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many members offer what."
    )


@extend_schema_serializer(many=False)
class PoolPageSerializer(serializers.Serializer[Any]):
    """All pools: there are few, so there is only one page."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = PoolSerializer(many=True)


class SummarySerializer(serializers.Serializer[Any]):
    """What the live members amount to: how many have each type, model and language."""

    live = serializers.IntegerField()
    free_slots = serializers.IntegerField()
    types = serializers.DictField(child=serializers.IntegerField())
    models = serializers.DictField(child=serializers.IntegerField())
    languages = serializers.DictField(child=serializers.IntegerField())


class PoolDetailSerializer(PoolSerializer):
    """A pool with what its live members amount to."""

    summary = SummarySerializer()


class MemberSerializer(serializers.Serializer[Any]):
    """A node of a pool."""

    node_id = serializers.CharField(source="node")
    ready = serializers.BooleanField(help_text="Can take a job now.")


class DefinedPoolSerializer(serializers.ModelSerializer[DefinedPool]):
    """A pool as an operator defines it."""

    languages = Texts
    services = serializers.ListField(
        child=serializers.CharField(max_length=256), max_length=1000, required=False
    )
    tenants = serializers.ListField(
        child=serializers.CharField(max_length=256), max_length=1000, required=False
    )

    class Meta:
        model = DefinedPool
        fields = ("pool_id", *FIELDS)
        read_only_fields = ("pool_id",)


class PreviewSerializer(serializers.Serializer[Any]):
    """Live nodes that would be members; and the others, with what keeps each out."""

    members = serializers.ListField(child=serializers.CharField())
    others = serializers.DictField(child=serializers.CharField())


class ChangeSerializer(serializers.ModelSerializer[Change]):
    """Who changed what; ``before`` null: it was made, ``after`` null: it was removed."""

    class Meta:
        model = Change
        fields = ("at", "author", "what", "version", "before", "after")


class ChoosingSerializer(serializers.ModelSerializer[Configuration]):
    """How pools are used."""

    class Meta:
        model = Configuration
        fields = ("version", *SETTING_FIELDS)
        read_only_fields = ("version",)
