"""What operators decided of nodes, as it goes into the configuration."""

from nodes.models import Node


def disabled_and_drained() -> tuple[list[str], list[str]]:
    """Nodes that are not used at all, and nodes that take no new jobs."""
    disabled = Node.objects.filter(enabled=False).values_list("node_id", flat=True)
    drained = Node.objects.filter(drain=True).values_list("node_id", flat=True)
    return list(disabled), list(drained)
