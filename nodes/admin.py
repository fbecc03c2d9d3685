"""Nodes in the admin: their live state. What operators tell them is in :mod:`nodes.actions`."""

import time
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.decorators import display

from lua import views
from lua.states import NodeState
from lua.views import NodeView
from nodes.about import about
from nodes.actions import NodeActions
from nodes.models import Node
from pools.live import LiveAdmin, shortened
from pools.store import store

UNKNOWN = "gone"
STATE_COLOURS = {
    NodeState.READY: "success",
    NodeState.DRAINING: "warning",
    NodeState.DEGRADED: "warning",
    NodeState.REGISTERING: "info",
    NodeState.OFFLINE: "danger",
    UNKNOWN: "default",
}


@admin.register(Node)
class NodeAdmin(NodeActions, LiveAdmin):
    """Their live state is read in one look."""

    list_display = (
        "node_id", "state", "load_bar", "languages", "pools", "heartbeat", "enabled", "note",
    )  # fmt: skip
    list_filter = ("drain", "enabled", "last_seen")
    search_fields = ("node_id", "note")
    ordering = ("node_id",)
    fields = (
        "node_id", "state", "reason", "breaker", "load_bar", "languages", "pools", "offers",
        "services_out", "heartbeat", "address", "process", "drain", "enabled", "note",
        "first_seen", "last_seen",
    )  # fmt: skip
    change_form_after_template = "admin/node_about.html"

    def live_of(self, keys: Sequence[Any]) -> dict[str, NodeView]:
        return views.nodes(store(), keys)

    def more_of(self, request: HttpRequest, key: str) -> dict[str, Any]:
        return about(key)

    @display(description="state", label=STATE_COLOURS)
    def state(self, node: Any) -> str:
        return node.live.state if node.live else UNKNOWN

    @display(description="selection")
    def reason(self, node: Any) -> str:
        return node.live.load.reason if node.live else ""

    @display(description="breaker")
    def breaker(self, node: Any) -> str:
        if not node.live:
            return ""
        breaker = node.live.breaker
        text = breaker.state.replace("_", " ")
        if breaker.until_ms:
            text += f" for {_left_s(breaker.until_ms):.0f} s more"
        return f"{text}, after {breaker.code}" if breaker.code else text

    @display(description="load")
    def load_bar(self, node: Any) -> SafeString | str:
        if not node.live or node.live.state is NodeState.OFFLINE:
            return ""
        load = node.live.load
        percent = min(100, round(100 * load.share))
        return render_to_string("admin/load_bar.html", {"load": load, "percent": percent})

    @display(description="languages")
    def languages(self, node: Any) -> str:
        if not node.live:
            return ""
        reported = node.live.caps.get("language_capabilities") or {}
        return shortened(reported.get("semantic_languages") or [])

    @display(description="pools")
    def pools(self, node: Any) -> str:
        return shortened(node.live.pools) if node.live else ""

    @display(description="offers")
    def offers(self, node: Any) -> str:
        return shortened(node.live.has) if node.live else ""

    @display(description="services out")
    def services_out(self, node: Any) -> str:
        out = node.live.out if node.live else ()
        return ", ".join(
            f"{one.service} for {_left_s(one.until_ms):.0f} s more, after {one.code}" for one in out
        )

    @display(description="last heartbeat")
    def heartbeat(self, node: Any) -> str:
        if not node.live:
            return ""
        age_s = max(0.0, time.time() - node.live.load.beat_ms / 1000)
        return f"{age_s:.0f} s ago" if age_s < 600 else f"{age_s / 60:.0f} min ago"

    @display(description="address")
    def address(self, node: Any) -> str:
        return node.live.address if node.live else ""

    @display(description="web process")
    def process(self, node: Any) -> str:
        return (node.live.process or "none: it asks over REST") if node.live else ""


def _left_s(until_ms: int) -> float:
    return max(0.0, until_ms / 1000 - time.time())
