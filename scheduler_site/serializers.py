"""How totals and the cluster look in REST; the OpenAPI document is made from this."""

from typing import Any

from rest_framework import serializers


class JobTotalsSerializer(serializers.Serializer[Any]):
    """All jobs so far; ``mean_done_ms`` is null before the first is done."""

    made = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    retries = serializers.IntegerField()
    failed_by_code = serializers.DictField(child=serializers.IntegerField())
    mean_done_ms = serializers.IntegerField(allow_null=True)


class FleetSerializer(serializers.Serializer[Any]):
    """Nodes by why they take no public job, and the slots of those that are connected."""

    nodes = serializers.IntegerField()
    by_reason = serializers.DictField(child=serializers.IntegerField())
    capacity = serializers.IntegerField()
    used = serializers.IntegerField()
    foreign = serializers.IntegerField()


class HistorySerializer(serializers.Serializer[Any]):
    """What is not in SQL yet."""

    entries = serializers.IntegerField()
    lag_ms = serializers.IntegerField()


class SpeechSerializer(serializers.Serializer[Any]):
    """Utterances of streams that are being spoken, and the bytes of their sound so far."""

    utterances = serializers.IntegerField()
    bytes = serializers.IntegerField()


class StatsSerializer(serializers.Serializer[Any]):
    """Totals."""

    jobs = JobTotalsSerializer()
    nodes = FleetSerializer()
    waiting = serializers.IntegerField()
    speech = SpeechSerializer()
    history = HistorySerializer()


class CellSerializer(serializers.Serializer[Any]):
    """One cell; times are Unix ms."""

    cell = serializers.IntegerField()
    epoch = serializers.CharField()
    config = serializers.IntegerField()
    processes = serializers.ListField(child=serializers.CharField())
    timers = serializers.IntegerField()
    queues = serializers.IntegerField()
    live_bytes = serializers.IntegerField()
    stream_entries = serializers.IntegerField()
    stream_lag_ms = serializers.IntegerField()
    history_moved_ms = serializers.IntegerField(allow_null=True)


class ClusterSerializer(serializers.Serializer[Any]):
    """Web processes, nodes and cells."""

    instances = serializers.ListField(child=serializers.CharField())
    nodes = serializers.IntegerField()
    worker_seen_ms = serializers.IntegerField(allow_null=True)
    cells = CellSerializer(many=True)
