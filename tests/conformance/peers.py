"""A node and a session that say what a test tells them, in private-use languages."""

from __future__ import annotations

import itertools
import json
import random
import secrets
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conformance.kinds import Json
from tests.conformance.link import Link, link
from tests.conformance.node_frames import FEATURES, JOB_RESULT, NODE_REGISTER
from tests.conformance.session_frames import SESSION_INIT, UTTERANCE

LETTERS = "abcdefghijklmnopqrst"
PAIR_NAMES = ("job_id", "attempt_id", "session_id", "utterance_index", "trace_id")


def own_languages() -> tuple[str, str]:
    """Two of the 520 codes that BCP 47 leaves to private use."""
    codes = [f"q{a}{b}" for a in LETTERS for b in "abcdefghijklmnopqrstuvwxyz"]
    one, other = random.sample(codes, 2)
    return one, other


def registration(node: str, languages: tuple[str, ...], **changes: Any) -> Json:
    """Of a node that serves these languages, without optional fields."""
    names = ("asr_languages", "tts_languages", "semantic_languages")
    lists = {name: list(languages) for name in names}
    return NODE_REGISTER.minimal(
        node_id=node,
        hardware={"cpu_cores": 8, "memory_gb": 32, "gpus": [{"name": "L4", "memory_gb": 24}]},
        installed_models=[],
        features_supported=dict.fromkeys(FEATURES, False),
        capability_by_type=[
            {"type": kind, "ready": True} for kind in ("asr", "nmt", "tts", "semantic")
        ],
        language_capabilities={**lists, "semantic_core_ready": True},
        **changes,
    )


@dataclass
class Node:
    """A registered node."""

    link: Link
    id: str

    async def job(self, **values: Any) -> Json:
        return await self.link.expect("job_assign", **values)

    async def answers(self, job: Json, **fields: Any) -> None:
        """A success; without `fields` it has no text and no sound."""
        await self.link.say(result(job, self.id, **fields))


def result(job: Json, node: str, **fields: Any) -> Json:
    about = {name: job[name] for name in PAIR_NAMES}
    return {"type": "job_result", "node_id": node, "success": True, **about, **fields}


def full_result(job: Json, node: str, **fields: Any) -> Json:
    """With every field but `error`."""
    about = {name: job[name] for name in PAIR_NAMES}
    whole = {name: value for name, value in JOB_RESULT.full.items() if name != "error"}
    return {**whole, "node_id": node, **about, **fields}


class Session:
    """An open session."""

    def __init__(self, one: Link, init: Json, ack: Json) -> None:
        self.link = one
        self.init = init
        self.ack = ack
        self.id: str = ack["session_id"]
        one.session = self.id
        self._indexes = itertools.count()

    def utterance(self, **changes: Any) -> Json:
        """Without optional fields, in the session's languages."""
        index = changes.pop("utterance_index", None)
        index = next(self._indexes) if index is None else index
        languages = {name: self.init[name] for name in ("src_lang", "tgt_lang")}
        return UTTERANCE.minimal(
            session_id=self.id, utterance_index=index, **{**languages, **changes}
        )

    async def says(self, **changes: Any) -> int:
        frame = self.utterance(**changes)
        await self.link.say(frame)
        return int(frame["utterance_index"])

    async def hears(self, within_s: float = 10.0) -> Json:
        """The next answer."""
        while True:
            frame = await self.link.next(within_s)
            if frame["type"] in ("translation_result", "missing_result"):
                return frame


class Service:
    """The service at `url`, such as `ws://localhost:5010`. `tokens`: of a `session`, a `node`, an
    `operator`, and of another session and node; empty where the service asks for none.
    """

    def __init__(self, url: str, tokens: Mapping[str, str]) -> None:
        self.url = url.rstrip("/")
        self.tokens = tokens

    def session_link(self, **options: Any) -> AbstractAsyncContextManager[Link]:
        return link(self.address("session", self.tokens.get("session", "")), **options)

    def node_link(self, **options: Any) -> AbstractAsyncContextManager[Link]:
        return link(self.address("node", self.tokens.get("node", "")), **options)

    def address(self, socket: str, token: str = "") -> str:
        """Of a socket, with a token where one is given."""
        return f"{self.url}/ws/{socket}" + (f"?token={token}" if token else "")

    def token(self, who: str) -> str:
        """The test is skipped where there is none."""
        if who not in self.tokens:
            pytest.skip(f"PARLEY_{who.upper()}_TOKEN is not set")
        return self.tokens[who]

    def operate(self, path: str, **body: Any) -> Json:
        """`POST` to the REST interface; the test is skipped where that takes a credential and there
        is none.
        """
        address = f"{self.url.replace('ws', 'http', 1)}/api/v1/{path}"
        request = urllib.request.Request(address, data=json.dumps(body).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        if token := self.tokens.get("operator"):
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                told: Json = json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 401 and not token:
                pytest.skip("PARLEY_OPERATOR_TOKEN is not set")
            raise
        return told

    @asynccontextmanager
    async def session(self, **changes: Any) -> AsyncIterator[Session]:
        """Open. It accepts errors, so that none is held back."""
        init = SESSION_INIT.minimal(**{"accepts": ["errors"], **changes})
        async with self.session_link() as one:
            await one.say(init)
            yield Session(one, init, await one.expect("session_init_ack"))

    def spoken(
        self, languages: tuple[str, str], **changes: Any
    ) -> AbstractAsyncContextManager[Session]:
        """A session from one language to the other."""
        return self.session(src_lang=languages[0], tgt_lang=languages[1], **changes)

    @asynccontextmanager
    async def node(self, *languages: str, **changes: Any) -> AsyncIterator[Node]:
        """Registered."""
        name = changes.pop("node_id", f"conformance-{secrets.token_hex(6)}")
        async with self.node_link() as one:
            await one.say(registration(name, languages, **changes))
            ack = await one.expect("node_register_ack")
            yield Node(one, ack["node_id"])


def assert_has(frame: Mapping[str, Any], wanted: Json) -> None:
    assert {name: frame.get(name, "absent") for name in wanted} == wanted
