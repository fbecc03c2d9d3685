"""Random nodes and configurations that come, go and change, against the matching function.

After each call every node that Redis knows is just in the pools that the function gives for what
was told of it last, in the configuration that was used; and nothing was taken from an old one.
Jobs go where the policy of the configuration sends them, group after group.
"""

from typing import ClassVar

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from lua import scripts
from lua.client import StoreSettings
from lua.ids import new_token
from lua.limits import Limits
from lua.scripts import Node
from parley.frames import Pipeline
from pools.ask import Ask
from pools.configuration import Auto, Choosing, Configuration, OwnPool, decode, encode
from pools.definition import Capabilities, Definition, name_of
from pools.kinds import Kind, Mode, Policy, Scope
from pools.languages import AUTO
from pools.matching import Memberships, match
from pools.order import Caller
from pools.routes import Refusal, Route
from pools.snapshot import Snapshot
from tests.lua.driven import DrivenCells
from tests.lua.fleet import a_beat, a_node, a_registration
from tests.lua.stage import Stage

LANGUAGES = ("de", "en", "zh")
NAMES = ("n1", "n2", "n3", "n4")
TEXT_ONLY = Pipeline(use_tts=False)

some_languages = st.frozensets(st.sampled_from(LANGUAGES))
capabilities = st.builds(
    Capabilities,
    types=st.frozensets(st.sampled_from(["asr", "nmt", "semantic", "tts", "tone"])),
    semantic=some_languages,
    asr=st.none() | some_languages,
    tts=st.none() | some_languages,
    pairs=st.none()
    | st.frozensets(st.tuples(st.sampled_from(LANGUAGES), st.sampled_from(LANGUAGES))),
    formats=st.none() | st.frozensets(st.sampled_from(["opus", "pcm16", "flac"]), min_size=1),
)
several = st.permutations(LANGUAGES).flatmap(
    lambda order: st.integers(2, len(order)).map(lambda size: tuple(sorted(order[:size])))
)
services = st.sampled_from([(), ("asr",), ("tts",), ("asr", "tone")])
own_pools = st.builds(
    lambda name, **given: OwnPool(id=f"own:{name}", kind=Kind.CUSTOM, **given),
    name=st.sampled_from("abcdefghijklmnopqr"),
    languages=several,
    services=services,
    scope=st.sampled_from(Scope),
    mode=st.sampled_from(Mode),
    tenants=st.sampled_from([(), ("acme",)]),
    priority=st.integers(1, 3),
)
pairs = st.permutations(LANGUAGES).map(
    lambda order: OwnPool(
        id=f"pair:{order[0]}-{order[1]}", kind=Kind.PAIR, languages=(order[0], order[1])
    )
)
mixed = st.sampled_from(LANGUAGES).map(
    lambda tgt: OwnPool(id=f"mix:*-{tgt}", kind=Kind.MIXED, languages=(tgt,))
)
choosings = st.builds(
    Choosing,
    policy=st.sampled_from(Policy),
    hash_seed=st.integers(0, 3),
    fallback_scan=st.sampled_from([True, True, False]),
)
callers = st.builds(
    Caller,
    tenant=st.sampled_from(["", "acme"]),
    session=st.sampled_from(["", "s-1"]),
    present=st.sampled_from(["", "auto:en-zh", "own:a"]),
)
routes = st.permutations(LANGUAGES).flatmap(
    lambda order: st.sampled_from([Route(order[0], order[1]), Route(AUTO, order[1])])
)
autos = st.builds(
    Auto,
    on=st.sampled_from([True, True, False]),
    classes=st.sampled_from([None, None, frozenset(), frozenset({"auto:en-zh"})]),
    catch_all=st.booleans(),
)
defined = st.lists(own_pools | pairs | mixed, max_size=20, unique_by=lambda pool: pool.id)


class Pools(RuleBasedStateMachine):
    """One cell. ``told``: by node, what Redis was told of it last, and with which version."""

    url: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        limits = Limits(idle_k=20)  # all of them, else Redis draws by lot
        store = StoreSettings(url=self.url, prefix=f"p{new_token()}:", limits=limits)
        self.cells = DrivenCells(store)
        self.stage = Stage(self.cells)
        self.versions = [Configuration()]
        self.told: dict[str, tuple[Capabilities, Configuration]] = {}
        self.sent = 0

    def teardown(self) -> None:
        self.cells.end()

    @initialize(first=st.lists(capabilities, min_size=2, max_size=2))
    def start(self, first: list[Capabilities]) -> None:
        for name, node in zip(NAMES, first, strict=False):
            self._register(name, node, self.versions[-1])

    @rule(pools=defined, auto=autos, choosing=choosings)
    def decide(self, pools: list[OwnPool], auto: Auto, choosing: Choosing) -> None:
        """An operator's change, published and read back as a process reads it."""
        version = len(self.versions)
        content = encode(disabled=[], drained=[], pools=pools, auto=auto, choosing=choosing)
        self.stage.do(scripts.write_config, cell=0, version=version, content=content)
        self.versions.append(decode(version, content))

    @rule(name=st.sampled_from(NAMES), node=capabilities, behind=st.sampled_from([0, 0, 0, 1, 4]))
    def register(self, name: str, node: Capabilities, behind: int) -> None:
        self._register(name, node, self._known(behind))

    @rule(name=st.sampled_from(NAMES), node=capabilities, behind=st.sampled_from([0, 0, 1, 4]))
    def beat(self, name: str, node: Capabilities, behind: int) -> None:
        known = self._known(behind)
        beat = a_beat(name, about=_about(node, known))
        reply = self.stage.do(scripts.heartbeat, cell=0, beat=beat)
        self._note(name, node, known, done=isinstance(reply, scripts.Ok), reply=reply)

    @rule(name=st.sampled_from(NAMES), behind=st.sampled_from([0, 0, 1, 4]))
    def change_pools(self, name: str, behind: int) -> None:
        """What each process does for its nodes after a change; one may know an old version."""
        node = self.told[name][0] if name in self.told else Capabilities()
        known = self._known(behind)
        reply = self.stage.do(scripts.change_pools, cell=0, node=name, about=_about(node, known))
        self._note(name, node, known, done=isinstance(reply, scripts.Moved), reply=reply)

    @rule(route=routes, caller=callers, times=st.integers(1, 6))
    def send(self, route: Route, caller: Caller, times: int) -> None:
        """More jobs than a pool has slots, by the order of pools that a process works out."""
        need = self._snapshot().compile_need(0, Ask.of(route, TEXT_ONLY, "opus"), caller=caller)
        if isinstance(need, Refusal):
            return
        for _ in range(times):
            self.sent += 1
            reply = self.stage.send(f"job-{self.sent}", need=need, session="")
            if isinstance(reply, scripts.Reserved):
                node, known = self.told[reply.node]
                assert known is not self.versions[-1] or _translates(node, route)

    @rule()
    def work_off(self) -> None:
        """Whatever is on a node is done."""
        for job, fields in self.stage.cell.jobs.items():
            if fields.get("slot") == "1":
                attempt, node = int(fields["attempt"]), fields["node"]
                self.stage.take(job, node, attempt=attempt)
                self.stage.finish(job, node, token=f"{job}-{attempt}")

    @rule(name=st.sampled_from(NAMES))
    def leave(self, name: str) -> None:
        self.stage.offline(name)

    @rule(name=st.sampled_from(NAMES))
    def forget(self, name: str) -> None:
        reply = self.stage.do(scripts.forget_node, cell=0, node=name, offline_ms=0)
        if isinstance(reply, scripts.Ok):
            del self.told[name]

    @invariant()
    def every_node_is_where_the_function_puts_it(self) -> None:
        cell = self.stage.cell
        assert set(cell.nodes) == set(self.told)
        classes = {}
        for name, (node, configuration) in self.told.items():
            expected = match(node, configuration)
            assert cell.nodes[name]["pools"].split() == list(expected.pools)
            for pool in expected.pools:
                assert name in cell[f"pool:{pool}"].set
            if expected.definition is not None:
                classes[name_of(expected.definition)] = expected.definition.encoded().decode()
        assert cell["pools"].hash == classes

    def _snapshot(self) -> Snapshot:
        """What a process knows that has just read the cell."""
        cell = self.stage.cell
        pools = {
            name: msgspec.json.decode(body, type=Definition)
            for name, body in cell["pools"].hash.items()
        }
        offers: dict[str, dict[frozenset[str], int]] = {}
        for line, members in cell["offers"].hash.items():
            pool, *values = line.split()
            offers.setdefault(pool, {})[frozenset(values)] = int(members)
        snapshot = Snapshot(1)
        snapshot.learn(0, pools, self.versions[-1], offers)
        return snapshot

    def _known(self, behind: int) -> Configuration:
        return self.versions[max(0, len(self.versions) - 1 - behind)]

    def _register(self, name: str, node: Capabilities, known: Configuration) -> None:
        about = _about(node, known)
        told = a_registration(name, about=about)
        reply = self.stage.do(scripts.register_node, cell=0, registration=told)
        done = isinstance(reply, scripts.Ok | scripts.Already)
        self._note(name, node, known, done=done, reply=reply)

    def _note(
        self, name: str, node: Capabilities, known: Configuration, *, done: bool, reply: object
    ) -> None:
        if done:
            assert known is self.versions[-1], "an old configuration was taken"
            self.told[name] = (node, known)
        elif name in self.told and known is not self.versions[-1]:
            offline = self.stage.cell.nodes[name]["state"] == "offline"
            assert offline or reply == scripts.Outdated(self.versions[-1].version)


def _translates(node: Capabilities, route: Route) -> bool:
    """By what the node reports, one pair after the other."""
    sources = node.sources if route.src == AUTO else node.sources & {route.src}
    wanted = {(src, route.tgt) for src in sources}
    possible = wanted if node.pairs is None else wanted & node.pairs
    return route.tgt in node.semantic and bool(possible)


def _about(node: Capabilities, known: Configuration) -> Node:
    memberships: Memberships = match(node, known)
    definition = memberships.definition
    return a_node(
        config=known.version,
        pools=list(memberships.pools),
        has=list(memberships.has),
        definition=definition.encoded().decode() if definition else "",
    )


@pytest.mark.timeout(300)
def test_memberships_are_what_the_function_says(redis_url: str) -> None:
    Pools.url = redis_url
    run_state_machine_as_test(
        Pools,
        settings=settings(
            max_examples=32,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
