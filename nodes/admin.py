"""Nodes in the admin: their live state, and what operators tell them."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from redis.exceptions import RedisError
from unfold.decorators import display
from unfold.forms import ActionForm

from lua import views
from lua.errors import StoreError
from lua.scripts import Command
from lua.states import NodeState
from lua.views import NodeView
from nodes import pairing, services
from nodes.about import about
from nodes.models import Node
from pools.live import LiveAdmin
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


class DrainForm(forms.Form):
    """What is asked for when a node is to drain."""

    reason = forms.CharField(required=False, max_length=150, help_text="Why; kept with the node.")
    deadline_s = forms.IntegerField(
        required=False, min_value=0, max_value=86_400, help_text="Then what still runs moves."
    )


class NodeActionForm(DrainForm, ActionForm):
    """The same beside the choice of the action."""


@admin.register(Node)
class NodeAdmin(LiveAdmin):
    """Actions tell the nodes at once, and are kept for those that are away."""

    list_display = (
        "node_id", "state", "load_bar", "languages", "pools", "heartbeat", "enabled", "note",
    )  # fmt: skip
    list_filter = ("drain", "enabled", "last_seen")
    search_fields = ("node_id", "note")
    ordering = ("node_id",)
    action_form = NodeActionForm
    actions = (
        "drain_nodes", "resume_nodes", "clear_nodes", "disable_nodes", "shutdown_nodes",
        "kick_nodes", "refresh_nodes", "pair_nodes",
    )  # fmt: skip
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

    def has_control_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("nodes.change_node")

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
        return ", ".join(reported.get("semantic_languages") or [])

    @display(description="pools")
    def pools(self, node: Any) -> str:
        return ", ".join(node.live.pools) if node.live else ""

    @display(description="offers")
    def offers(self, node: Any) -> str:
        return ", ".join(node.live.has) if node.live else ""

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

    @admin.action(description="Drain: no new jobs", permissions=["control"])
    def drain_nodes(self, request: HttpRequest, nodes: QuerySet[Node]) -> None:
        asked = DrainForm(request.POST)
        asked.full_clean()  # it is valid: the page has looked before
        reason = asked.cleaned_data["reason"] or f"drained by {request.user}"
        deadline_s = asked.cleaned_data["deadline_s"]
        self._tell(request, nodes, services.drain, reason=reason, deadline_s=deadline_s)

    @admin.action(description="Resume: take jobs again", permissions=["control"])
    def resume_nodes(self, request: HttpRequest, nodes: QuerySet[Node]) -> None:
        self._tell(request, nodes, services.resume)

    @admin.action(
        description="Clear: close the breaker, take its services in again", permissions=["control"]
    )
    def clear_nodes(self, request: HttpRequest, nodes: QuerySet[Node]) -> None:
        self._control(request, nodes, Command.CLEAR, "cleared")

    @admin.action(description="Disable: never use", permissions=["control"])
    def disable_nodes(self, request: HttpRequest, nodes: QuerySet[Node]) -> None:
        self._tell(request, nodes, services.disable, reason=f"disabled by {request.user}")

    @admin.action(description="Kick: close the connection", permissions=["control"])
    def kick_nodes(self, request: HttpRequest, nodes: QuerySet[Node]) -> None:
        self._control(request, nodes, Command.KICK, "kicked")

    @admin.action(
        description="Shut down: no new jobs, and it leaves when it is empty",
        permissions=["control"],
    )
    def shutdown_nodes(self, request: HttpRequest, nodes: QuerySet[Node]) -> None:
        self._control(request, nodes, Command.SHUTDOWN, "shut down")

    @admin.action(description="Refresh: ask for a heartbeat now", permissions=["control"])
    def refresh_nodes(self, request: HttpRequest, nodes: QuerySet[Node]) -> None:
        self._control(request, nodes, Command.REFRESH, "asked for")

    @admin.action(description="Pairing code: bind one session to it", permissions=["control"])
    def pair_nodes(self, request: HttpRequest, nodes: QuerySet[Node]) -> None:
        for node in nodes.values_list("node_id", flat=True):
            try:
                code = pairing.issue(node, request=request)
            except services.UnknownNode:
                messages.error(request, f"{node}: it is gone; a code needs a node that is known.")
            except (StoreError, RedisError) as error:
                messages.error(request, f"{node}: Redis does not answer ({error}).")
            else:
                left_s = code.until_ms / 1000 - time.time()
                text = f"{node}: the pairing code is {code.digits}, for {left_s / 60:.0f} minutes."
                messages.success(request, text)

    def _control(
        self, request: HttpRequest, nodes: QuerySet[Node], command: Command, done: str
    ) -> None:
        reason = f"{done} by {request.user}"
        self._tell(request, nodes, services.control, command=command, reason=reason)

    def _tell(
        self,
        request: HttpRequest,
        nodes: QuerySet[Node],
        tell: Callable[..., services.Told],
        **options: str | int | None,
    ) -> None:
        names = list(nodes.values_list("node_id", flat=True))
        count = f"{len(names)} {'node' if len(names) == 1 else 'nodes'}"
        try:
            told = tell(names, request=request, **options)
        except (StoreError, RedisError) as error:
            messages.error(request, f"Redis does not answer ({error}): try again.")
            return
        if told.pending:
            text = f"Redis does not answer: {count} will be told when it does."
            messages.warning(request, text)
        else:
            messages.success(request, f"Told {count}.")


def _left_s(until_ms: int) -> float:
    return max(0.0, until_ms / 1000 - time.time())
