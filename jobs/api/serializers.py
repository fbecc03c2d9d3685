"""How jobs and their events look in REST."""

from typing import Any

from rest_framework import serializers

from jobs.api.times import MsField
from jobs.models import Job, JobEvent
from lua.scripts import NO_UTTERANCE


class JobSerializer(serializers.ModelSerializer[Job]):
    """A job with the names it has on the sockets; times are Unix ms."""

    session_id = serializers.CharField(source="session")
    utterance_index = serializers.SerializerMethodField(
        help_text="Of its session; null for a job that came by REST."
    )
    tenant_id = serializers.CharField(source="tenant")
    src_lang = serializers.CharField(source="src")
    tgt_lang = serializers.CharField(source="tgt")
    node_id = serializers.CharField(source="node")
    attempt_id = serializers.IntegerField(source="attempt")
    trace_id = serializers.CharField(source="trace")
    payload_bytes = serializers.IntegerField(source="size")
    service_timings = serializers.JSONField(source="timings")
    created_at_ms = MsField(source="created_at")
    updated_at_ms = MsField(source="updated_at")
    finished_at_ms = MsField(source="finished_at", allow_null=True)

    class Meta:
        model = Job
        fields = [
            "job_id", "state", "session_id", "utterance_index", "tenant_id", "src_lang",
            "tgt_lang", "node_id", "pool", "attempt_id", "tries", "code", "reason", "breakdown",
            "trace_id", "payload_bytes", "service_timings", "duration_ms", "created_at_ms",
            "updated_at_ms", "finished_at_ms",
        ]  # fmt: skip

    def get_utterance_index(self, job: Job) -> int | None:
        return None if job.index == NO_UTTERANCE else job.index


class JobEventSerializer(serializers.ModelSerializer[JobEvent]):
    """States passed in one step. ``ms``: since the job's dispatch, where it was measured."""

    at_ms = MsField(source="at")
    moves = serializers.SerializerMethodField()
    attempt_id = serializers.IntegerField(source="attempt")
    node_id = serializers.CharField(source="node")
    left_node_id = serializers.CharField(source="left")

    class Meta:
        model = JobEvent
        fields = [
            "at_ms", "moves", "attempt_id", "node_id", "left_node_id", "pool", "code", "reason",
            "ms", "receipt",
        ]  # fmt: skip

    def get_moves(self, event: JobEvent) -> list[str]:
        return event.moves.split()


class PlacedSerializer(serializers.Serializer[Any]):
    """What became of a new job."""

    job_id = serializers.CharField()
    node_id = serializers.CharField(allow_blank=True)
    attempt_id = serializers.IntegerField()
    state = serializers.CharField()
    pool = serializers.CharField(allow_blank=True)


class CancelledSerializer(serializers.Serializer[Any]):
    """The state it is in now: CANCELLED, or how it had ended before."""

    job_id = serializers.CharField()
    state = serializers.CharField()


class CancelManySerializer(serializers.Serializer[Any]):
    """At most 500 jobs."""

    job_ids = serializers.ListField(
        child=serializers.CharField(max_length=64), min_length=1, max_length=500
    )


class PipelineSerializer(serializers.Serializer[Any]):
    """asr, nmt and tts are on unless they are forbidden."""

    use_asr = serializers.BooleanField(required=False)
    use_nmt = serializers.BooleanField(required=False)
    use_tts = serializers.BooleanField(required=False)
    use_semantic = serializers.BooleanField(required=False)
    use_tone = serializers.BooleanField(required=False)


class OptionsSerializer(serializers.Serializer[Any]):
    """``strict``: on the preferred node or nowhere. ``deadline_ms`` 0: may not wait.
    ``priority``: 1 is the most urgent; 3 when it is absent.
    """

    preferred_node_id = serializers.CharField(required=False)
    strict = serializers.BooleanField(required=False)
    require_tts = serializers.BooleanField(required=False)
    exclude_node_id = serializers.CharField(required=False)
    spread_nodes = serializers.BooleanField(
        required=False, help_text="Avoid the node that the session had last."
    )
    deadline_ms = serializers.IntegerField(required=False, min_value=0)
    priority = serializers.IntegerField(required=False, min_value=1, max_value=5)


class NewJobSerializer(serializers.Serializer[Any]):
    """Describes the body of ``POST jobs/``; :mod:`jobs.api.body` reads it."""

    src_lang = serializers.CharField(help_text="BCP-47, or auto.")
    tgt_lang = serializers.CharField()
    audio = serializers.CharField(required=False, help_text="Base64; or else audio_ref.")
    audio_ref = serializers.CharField(
        required=False,
        help_text="Where the sound lies; for nodes that announce that they fetch it.",
    )
    audio_format = serializers.CharField(
        required=False, help_text="wav, pcm16, opus …; to be given with audio_ref."
    )
    sample_rate = serializers.IntegerField(required=False, default=16000)
    session_id = serializers.CharField(required=False, help_text="A live session of the tenant.")
    tenant_id = serializers.CharField(
        required=False, help_text="Only while authentication is off, or from an operator."
    )
    trace_id = serializers.CharField(required=False)
    dialect = serializers.CharField(required=False)
    mode = serializers.ChoiceField(["one_way", "two_way_auto"], required=False)
    lang_a = serializers.CharField(required=False)
    lang_b = serializers.CharField(required=False)
    pipeline = PipelineSerializer(required=False)
    features = serializers.DictField(child=serializers.BooleanField(), required=False)
    options = OptionsSerializer(required=False)


class CandidateSerializer(serializers.Serializer[Any]):
    """A node that was looked at; ``reason``: usable, or the first check that it did not pass."""

    node_id = serializers.CharField()
    reason = serializers.CharField()
    used = serializers.IntegerField()
    foreign = serializers.IntegerField(help_text="Jobs that it runs and that are not ours.")
    capacity = serializers.IntegerField()
    silent_ms = serializers.IntegerField(help_text="Since its last heartbeat.")
    pools = serializers.ListField(child=serializers.CharField())


class SimulatedSerializer(serializers.Serializer[Any]):
    """``state``: RESERVED on a node, WAITING behind ``ahead`` others, or FAILED with a code."""

    state = serializers.CharField()
    node_id = serializers.CharField(allow_blank=True)
    pool = serializers.CharField(allow_blank=True)
    code = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True)
    breakdown = serializers.DictField(child=serializers.IntegerField())
    ahead = serializers.IntegerField()
    cell = serializers.IntegerField()
    pools = serializers.ListField(child=serializers.CharField(), help_text="In order.")
    asks = serializers.ListField(child=serializers.CharField(), help_text="Beyond the languages.")
    choice = serializers.DictField(help_text="How the node was looked for.")
    candidates = CandidateSerializer(many=True)


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457. Further members depend on the problem: field, errors, breakdown, job_id …

    ``retry_after_ms``, and the header Retry-After in seconds: when a slot may be free.
    """

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    advice = serializers.CharField()
