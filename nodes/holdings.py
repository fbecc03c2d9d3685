"""What the nodes of a process hold, also for a while after they left: they may come back."""

import asyncio

from nodes.held import Held


class Holdings(dict[str, Held]):
    """By node. ``life_ms``: how long a job may live, and be kept of a node that left."""

    def __init__(self, *, life_ms: int) -> None:
        super().__init__()
        self._life_ms = life_ms
        self._forgetting: dict[str, asyncio.TimerHandle] = {}

    def of(self, node: str) -> Held:
        """What a node holds, also from before it connected anew."""
        return self.setdefault(node, Held(life_ms=self._life_ms))

    def came(self, node: str) -> None:
        """It is here, and nothing of it is to be forgotten."""
        if timer := self._forgetting.pop(node, None):
            timer.cancel()

    def left(self, node: str) -> None:
        """Unless it comes back, its jobs are over in a while."""
        keep_ms = self._life_ms if self[node] else 0
        self._forgetting[node] = asyncio.get_running_loop().call_later(
            keep_ms / 1000, self._forget, node
        )

    def _forget(self, node: str) -> None:
        del self._forgetting[node], self[node]
