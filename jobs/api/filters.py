"""What lists of jobs can be narrowed by."""

from datetime import UTC, datetime
from typing import Any

import django_filters
from django.db.models import QuerySet

from jobs.models import Job
from lua.states import JobState


class JobFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Equality (of languages in any case), and the time of creation in Unix ms."""

    state = django_filters.MultipleChoiceFilter(choices=[(s.value, s.value) for s in JobState])
    session_id = django_filters.CharFilter(field_name="session")
    tenant_id = django_filters.CharFilter(field_name="tenant")
    node_id = django_filters.CharFilter(field_name="node")
    src_lang = django_filters.CharFilter(field_name="src", lookup_expr="iexact")
    tgt_lang = django_filters.CharFilter(field_name="tgt", lookup_expr="iexact")
    trace_id = django_filters.CharFilter(field_name="trace")
    created_from_ms = django_filters.NumberFilter(method="since")
    created_to_ms = django_filters.NumberFilter(method="until")

    class Meta:
        model = Job
        fields = ["code", "pool"]

    def since(self, jobs: QuerySet[Job], name: str, value: Any) -> QuerySet[Job]:
        return jobs.filter(created_at__gte=_at(value))

    def until(self, jobs: QuerySet[Job], name: str, value: Any) -> QuerySet[Job]:
        return jobs.filter(created_at__lt=_at(value))


def _at(ms: Any) -> datetime:
    bounded = min(max(float(ms), 0.0), 4e12)
    return datetime.fromtimestamp(bounded / 1000, UTC)
