"""Those who look at and meddle with memberships while a test changes the configuration."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis

from lua import scripts
from lua.client import Cells, StoreSettings
from lua.keys import cell_prefix
from lua.scripts import Outdated
from nodes.capabilities import Description
from nodes.settings import NodeSettings
from pools.configuration import Configuration, decode
from pools.matching import match
from pools.snapshot import Snapshot

# All at one moment: the configuration, and by node the version its pools were computed with and
# the pools that really have it.
LOOK = """
local cell, found, of = ARGV[1], {}, {}
for _, key in ipairs(redis.call('KEYS', cell .. 'pool:*')) do
  for _, node in ipairs(redis.call('SMEMBERS', key)) do
    of[node] = (of[node] or '') .. ' ' .. string.sub(key, #cell + 6)
  end
end
for _, node in ipairs(redis.call('HKEYS', cell .. 'fleet')) do
  found[#found + 1] = { node, redis.call('HGET', cell .. 'node:' .. node, 'config'),
    of[node] or '' }
end
return { redis.call('HMGET', cell .. 'config', 'version', 'content'), found }
"""


@dataclass
class Watcher:
    """Looks all the time, from outside, whether every node is just where the matching rule puts it
    by the configuration that its pools were computed with, and that this never is an earlier one
    than before. So what holds for all configurations since holds at every moment. ``wrong``: what
    was seen otherwise.
    """

    store: StoreSettings
    nodes: dict[str, Description]
    versions: dict[int, Configuration] = field(default_factory=lambda: {0: Configuration()})
    looks: int = 0
    judged: int = 0
    missed: int = 0
    wrong: list[str] = field(default_factory=list)

    @contextmanager
    def watching(self) -> Iterator[None]:
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def look(self) -> bool:
        """Whether all nodes are where the present configuration puts them."""
        version, found = self._read()
        present = self.versions[version]
        return all(pools == self._expected(node, present) for node, _, pools in found)

    def _watch(self, ended: threading.Event) -> None:
        while not ended.is_set():
            _, found = self._read()
            self.looks += 1
            for node, version, pools in found:
                self._judge(node, version, pools)

    def _judge(self, node: str, version: int, pools: frozenset[str]) -> None:
        if version not in self.versions:
            self.missed += 1
            return
        self.judged += 1
        if version < self._latest.get(node, 0):
            self.wrong.append(f"{node} went back to {version}")
        self._latest[node] = version
        expected = self._expected(node, self.versions[version])
        if pools != expected:
            self.wrong.append(f"{node} at {version}: {sorted(pools)}, not {sorted(expected)}")

    def _expected(self, node: str, configuration: Configuration) -> frozenset[str]:
        return frozenset(match(self.nodes[node].capabilities(), configuration).pools)

    def _read(self) -> tuple[int, list[tuple[str, int, frozenset[str]]]]:
        (version, content), found = self._client.eval(LOOK, 0, self._cell)
        number = int(version or 0)
        if number not in self.versions:
            self.versions[number] = decode(number, content or b"")
        return number, [
            (node.decode(), int(config or 0), frozenset(pools.decode().split()))
            for node, config, pools in found
        ]

    @property
    def _cell(self) -> str:
        return cell_prefix(self.store.prefix, 0)

    def __post_init__(self) -> None:
        self._latest: dict[str, int] = {}
        self._client: Any = redis.Redis.from_url(self.store.url, protocol=2)


class Meddler:
    """A process that knows an old configuration, or none, and puts nodes where that says."""

    def __init__(self, cells: Cells, nodes: dict[str, Description]) -> None:
        self._cells = cells
        self._nodes = nodes
        self.refused = 0
        self.repeated = 0

    async def meddle(self, node: str, known: Configuration) -> None:
        """As a process does it: refused, it reads the configuration and does it again."""
        snapshot = Snapshot(1)
        snapshot.learn(0, {}, known)
        while True:
            about = self._nodes[node].node(node, snapshot.configuration(0), NodeSettings())
            reply = await scripts.change_pools(self._cells, cell=0, node=node, about=about)
            if not isinstance(reply, Outdated):
                self.repeated += 1
                return
            self.refused += 1
            await snapshot.reload(self._cells, 0)
