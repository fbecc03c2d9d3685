"""How nodes look in REST."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from lua.states import BreakerState, NodeState
from lua.views import NodeView

DISABLED = "disabled"


def shown_state(node: NodeView) -> str:
    """Its state, but ``disabled`` while its connection stands and it is never used."""
    if node.enabled or node.state is NodeState.OFFLINE:
        return node.state.value
    return DISABLED


class BreakerSerializer(serializers.Serializer[Any]):
    """Whether its failures keep it from jobs; half open, it gets one job at a time."""

    state = serializers.ChoiceField([state.value for state in BreakerState])
    code = serializers.CharField(help_text="The last failure that was charged to it.")
    until_ms = serializers.IntegerField(help_text="When it gets a job again; 0: it is not open.")


class ServiceOutSerializer(serializers.Serializer[Any]):
    """A service that is left out of what the node offers, and why."""

    service = serializers.CharField()
    code = serializers.CharField()
    until_ms = serializers.IntegerField()


class NodeSerializer(serializers.Serializer[Any]):
    """A node as it is now; times are Unix ms. ``reason``: why it takes no public job, or usable."""

    node_id = serializers.CharField(source="node")
    state = serializers.SerializerMethodField(
        help_text="registering, ready, degraded, draining, disabled or offline."
    )
    reason = serializers.CharField(source="load.reason")
    capacity = serializers.IntegerField(source="load.capacity", help_text="Slots.")
    used = serializers.IntegerField(source="load.used", help_text="Slots that jobs hold.")
    foreign = serializers.IntegerField(source="load.foreign", help_text="Work that is not ours.")
    heartbeat_at_ms = serializers.IntegerField(source="load.beat_ms")
    connected_at_ms = serializers.IntegerField(source="since_ms")
    process = serializers.CharField()
    public = serializers.BooleanField()
    enabled = serializers.BooleanField()
    draining = serializers.CharField(source="drain", help_text="Why it drains; empty: it does not.")
    drain_until_ms = serializers.IntegerField(help_text="Deadline of its drain; 0: it has none.")
    breaker = BreakerSerializer()
    services_out = ServiceOutSerializer(source="out", many=True)
    pools = serializers.ListField(child=serializers.CharField())
    languages = serializers.SerializerMethodField()
    version = serializers.CharField(source="caps.version", default="")
    platform = serializers.CharField(source="caps.platform", default="")
    gpu_queue_length = serializers.IntegerField(source="queue")
    cell = serializers.IntegerField()

    def get_state(self, node: NodeView) -> str:
        return shown_state(node)

    def get_languages(self, node: NodeView) -> dict[str, Any]:
        return dict(node.caps.get("language_capabilities") or {})


class NodeDetailSerializer(NodeSerializer):
    """With all that it reported, and the jobs it holds."""

    has = serializers.ListField(child=serializers.CharField())
    address = serializers.CharField()
    capabilities = serializers.JSONField(source="caps")
    metrics = serializers.JSONField()
    jobs = serializers.SerializerMethodField()

    def get_jobs(self, node: NodeView) -> list[str]:
        jobs: list[str] = self.context["jobs"]
        return jobs


@extend_schema_serializer(many=False)
class NodePageSerializer(serializers.Serializer[Any]):
    """A page of nodes, by name."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = NodeSerializer(many=True)


class QuerySerializer(serializers.Serializer[Any]):
    """What lists can be narrowed by."""

    cursor = serializers.CharField(required=False, default="")
    page_size = serializers.IntegerField(required=False, default=50, min_value=1, max_value=200)
    state = serializers.ChoiceField(
        [*(state.value for state in NodeState), DISABLED], required=False, default=None
    )
    pool = serializers.CharField(required=False, default="")


class ReasonSerializer(serializers.Serializer[Any]):
    """Why; kept with the node and passed on to its agent."""

    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=200, trim_whitespace=True
    )


class DrainSerializer(ReasonSerializer):
    """What still runs after ``deadline_s`` is given to others; null: it may run to its end."""

    deadline_s = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=86_400
    )


class StateSerializer(serializers.Serializer[Any]):
    """Its state now; null while it is not connected: what was decided counts when it comes. Null as
    well while the process that has its connection is about to close it.
    """

    node_id = serializers.CharField()
    state = serializers.CharField(allow_null=True)
    pending = serializers.BooleanField(
        help_text="Not done yet: Redis is away, or the connection is still to be closed."
    )


class PairingCodeSerializer(serializers.Serializer[Any]):
    """Six digits that bind one session to the node."""

    node_id = serializers.CharField()
    code = serializers.CharField(help_text="Six digits: the pairing_code of one session_init.")
    expires_at_ms = serializers.IntegerField()
