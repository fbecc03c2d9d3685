"""Nodes and their work, done by the scripts alone: what REST is asked about."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from lua import ids, scripts
from lua.scripts import Finish, Node, Registration, Verdict
from pools.configuration import decode
from pools.definition import Capabilities
from pools.matching import match
from pools.store import call

CAPS = {
    "version": "3.1.0",
    "platform": "linux",
    "capability_by_type": [{"type": "asr", "ready": True}, {"type": "tone", "ready": False}],
    "installed_models": [{"model_id": "whisper", "kind": "asr", "version": "3"}],
    "language_capabilities": {"semantic_languages": ["en", "zh"], "tts_languages": ["en", "zh"]},
}


@dataclass
class FakeNode:
    """A node without a socket."""

    name: str
    capacity: int = 2
    public: bool = True
    audio_ref: bool = False
    languages: tuple[str, ...] = ("en", "zh")
    pairs: frozenset[tuple[str, str]] | None = None
    caps: dict[str, Any] = field(default_factory=dict)
    conn: str = field(default_factory=lambda: secrets.token_hex(8))

    def register(self) -> Any:
        """As the cell's configuration is now."""
        configuration = decode(*call(lambda cells: cells.config(0)))
        membership = match(
            Capabilities(
                types=frozenset({"asr", "nmt", "tts", "semantic"}),
                semantic=frozenset(self.languages),
                audio_ref=self.audio_ref,
                pairs=self.pairs,
            ),
            configuration,
        )
        definition = membership.definition
        about = Node(
            capacity=self.capacity,
            arbitrates=False,
            public=self.public,
            enabled=True,
            core=True,
            gpu=True,
            hot=False,
            config=configuration.version,
            pools=list(membership.pools),
            has=list(membership.has),
            out=[],
            definition=definition.encoded().decode() if definition else "",
            reasons=json.dumps(membership.reasons),
            caps=json.dumps(CAPS | self.caps | {"nmt_pairs": self.pairs and list(self.pairs)}),
        )
        registration = Registration(
            node=self.name,
            conn=self.conn,
            process="web-1",
            credential="",
            address="10.0.0.7",
            draining=False,
            about=about,
            running=None,
            held=None,
        )
        return self._call(scripts.register_node, registration=registration)

    def take(self, job: str, attempt: int = 1) -> Any:
        return self._call(scripts.take, job=job, attempt=attempt, node=self.name, conn=self.conn)

    def finish(self, job: str, body: dict[str, Any] | None = None, *, code: str = "") -> Any:
        result = json.dumps(body).encode() if body is not None else b""
        outcome = Finish(
            job=job,
            node=self.name,
            verdict=Verdict.FAIL if code else Verdict.DONE,
            blame="",
            code=code,
            message="It says why." if code else "",
            size=len(result),
            brief="",
            token=secrets.token_hex(8),
        )
        return self._call(scripts.finish, outcome=outcome, result=result)

    def leave(self) -> Any:
        return self._call(scripts.node_offline, node=self.name, conn=self.conn)

    def _call(self, script: Any, **arguments: Any) -> Any:
        return call(
            lambda cells: script(cells, cell=ids.cell_of_node(self.name, cells.count), **arguments)
        )
