"""What operators tell nodes in the admin, one or many at once."""

import time
from collections.abc import Callable

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from redis.exceptions import RedisError
from unfold.forms import ActionForm

from lua.errors import StoreError
from lua.scripts import Command
from nodes import pairing, services
from nodes.models import Node


class DrainForm(forms.Form):
    """What is asked for when a node is to drain."""

    reason = forms.CharField(required=False, max_length=150, help_text="Why; kept with the node.")
    deadline_s = forms.IntegerField(
        required=False, min_value=0, max_value=86_400, help_text="Then what still runs moves."
    )


class NodeActionForm(DrainForm, ActionForm):
    """The same beside the choice of the action."""


class NodeActions:
    """They tell the nodes at once; decisions are kept for those that are away."""

    action_form = NodeActionForm
    actions = (
        "drain_nodes", "resume_nodes", "clear_nodes", "disable_nodes", "shutdown_nodes",
        "kick_nodes", "refresh_nodes", "pair_nodes",
    )  # fmt: skip

    def has_control_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("nodes.change_node")

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
                left_s = max(0.0, code.until_ms / 1000 - time.time())
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
