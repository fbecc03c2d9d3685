"""No node is ever missing from a pool that it qualifies for before and after a change.

200 nodes beat at two web processes while the admin changes pools a hundred times, a cleanup runs
every 100 ms and is killed, and other processes meddle with what they knew long ago.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
from contextlib import AbstractContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from lua.client import Cells, StoreSettings
from nodes.capabilities import Description
from parley.frames import NodeRegister, decode_node_frame
from pools.configuration import Configuration
from pools.models import Change, DefinedPool
from tests.harness.forever import forever
from tests.lua.invariants import assert_cell_sound
from tests.nodes.conftest import SETTINGS
from tests.nodes.frames import heartbeat, registration
from tests.nodes.onlookers import Meddler, Watcher
from tests.nodes.web import Web
from tests.peers.raw import RawPeer
from tests.peers.until import until

ROOT = Path(__file__).resolve().parents[2]
NODES, CHANGES, KILLS = 200, 100, 5
BEAT_S = 1.0
PAGE = "/admin/pools/definedpool/"
CLASSES: list[dict[str, Any]] = [
    {"semantic_languages": ["en", "zh"]},
    {"semantic_languages": ["en", "zh", "ja"]},
    {"semantic_languages": ["en", "zh", "de"], "asr_languages": ["en", "zh"]},
    {"semantic_languages": ["de", "en"]},
    {"semantic_languages": []},
]
LANGUAGES = ["en zh", "en zh ja", "de en", "zh ja", "en zh de"]


def a_registration(number: int) -> dict[str, Any]:
    limited = {"nmt_pairs": [["en", "zh"], ["zh", "en"]]} if number % 7 == 0 else {}
    known = CLASSES[number % len(CLASSES)]
    return registration(f"node-{number}", language_capabilities=known, **limited)


def description(frame: dict[str, Any]) -> Description:
    decoded = decode_node_frame(json.dumps(frame))
    assert isinstance(decoded, NodeRegister)
    return Description.of(decoded)


class Operator:
    """Clicks in the admin, in random order."""

    def __init__(self) -> None:
        self.client = Client()
        self.client.force_login(User.objects.create_superuser("anna"))
        self._random = random.Random(11)

    def change(self) -> None:
        """One change of pools or of how they are used."""
        defined = list(DefinedPool.objects.values_list("pk", flat=True))
        acts = [self._define, self._define, self._choose]
        acts += [self._change, self._remove] if len(defined) > 4 else []
        self._random.choice(acts)()

    def close(self) -> None:
        connections.close_all()

    def _define(self) -> None:
        name = f"p{Change.objects.count()}"
        self._post(f"{PAGE}add/", self._form(kind="own", name=name))

    def _change(self) -> None:
        pool = self._one()
        self._post(f"{PAGE}{pool.pk}/change/", self._form())

    def _remove(self) -> None:
        self._post(f"{PAGE}{self._one().pk}/delete/", {"post": "yes"})

    def _choose(self) -> None:
        form = {
            "auto_on": self._random.choice(["on", "on", ""]),
            "auto_min_nodes": self._random.choice([1, 50]),
            "auto_max_pools": self._random.choice([0, 2]),
            "catch_all": "on",
            "policy": "spread",
            "hash_seed": self._random.randrange(1000),
            "fallback_scan": "on",
        }
        self._post("/admin/pools/configuration/1/change/", form)

    def _one(self) -> DefinedPool:
        return self._random.choice(list(DefinedPool.objects.all()))

    def _form(self, **given: Any) -> dict[str, Any]:
        return {
            "languages": self._random.choice(LANGUAGES),
            "mode": self._random.choice(["contains", "exact"]),
            "services": self._random.choice(["", "asr nmt", "tts", "tone"]),
            "scope": self._random.choice(["core_only", "all_required"]),
            "tenants": self._random.choice(["", "acme"]),
            "tenant_rule": "first",
            "priority": self._random.randrange(1, 200),
            "sample_k": 0,
            "enabled": self._random.choice(["on", "on", "on", ""]),
            "note": "",
            **given,
        }

    def _post(self, path: str, form: dict[str, Any]) -> None:
        answer = self.client.post(path, form)
        assert answer.status_code == 302, answer.content.decode()[:4000]


def cleanup(store: StoreSettings) -> "AbstractContextManager[subprocess.Popen[str]]":
    """A worker that cleans pools; a leader that is killed has a successor."""
    script = Path(__file__).with_name("clean_for_ever.py")
    return forever(script, STATE_REDIS_URL=store.url, PARLEY_PREFIX=store.prefix)


async def beat(peer: RawPeer, node: str) -> None:
    while True:
        await asyncio.sleep(BEAT_S)
        await peer.send(heartbeat(node))


async def kill_leaders(worker: "subprocess.Popen[str]", pause_s: float) -> None:
    assert worker.stdout
    for _ in range(KILLS):
        leader = int(await asyncio.to_thread(worker.stdout.readline))
        await asyncio.sleep(pause_s)
        os.kill(leader, signal.SIGKILL)


async def meddle(meddler: Meddler, watcher: Watcher) -> None:
    """With an empty and with an old configuration in turn."""
    chance = random.Random(5)
    while True:
        node = f"node-{chance.randrange(NODES)}"
        await meddler.meddle(node, Configuration())
        old = watcher.versions[chance.choice(sorted(watcher.versions))]
        await meddler.meddle(node, old)
        await asyncio.sleep(0.01)


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(180)
async def test_no_node_is_ever_missing_from_a_pool_it_qualifies_for(
    store: StoreSettings, redis_settings: Any, prefix: str
) -> None:
    frames = {f"node-{number}": a_registration(number) for number in range(NODES)}
    watcher = Watcher(store, {node: description(frame) for node, frame in frames.items()})
    operator = await asyncio.to_thread(Operator)
    async with AsyncExitStack() as stack:
        webs = [await stack.enter_async_context(Web(store, SETTINGS)) for _ in range(2)]
        cells = await stack.enter_async_context(Cells(store))
        peers = []
        for number, frame in enumerate(frames.values()):
            peer = await stack.enter_async_context(webs[number % 2].peer())
            await peer.send(frame)
            await peer.expect("node_register_ack")
            peers.append(peer)
        pairs = zip(peers, frames, strict=True)
        tasks = [asyncio.create_task(beat(peer, node)) for peer, node in pairs]
        meddler = Meddler(cells, watcher.nodes)
        with watcher.watching(), cleanup(store) as worker:
            tasks.append(asyncio.create_task(meddle(meddler, watcher)))
            tasks.append(asyncio.create_task(kill_leaders(worker, 0.7)))
            for _ in range(CHANGES):
                await asyncio.to_thread(operator.change)
            await tasks[-1]
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        failed = [one for one in outcomes if isinstance(one, Exception)]
        assert not failed
        await until(watcher.look, within_s=30)
        await assert_cell_sound(cells)
    await asyncio.to_thread(operator.close)
    assert not watcher.wrong, watcher.wrong[:5]
    assert watcher.judged > NODES * CHANGES
    assert watcher.missed < watcher.judged / 10
    assert meddler.refused > CHANGES
