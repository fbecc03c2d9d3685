"""Which nodes are in the pools that operators define, as a table of every rule."""

from typing import Any

import pytest

from pools.configuration import Auto, Choosing, Configuration, OwnPool, decode, encode
from pools.definition import Capabilities
from pools.kinds import Kind, Mode, Policy, Scope, TenantRule
from pools.matching import MOST_POOLS, match
from tests.pools.test_matching import a_node, pairs

EN_ZH = "auto:en-zh"


def pair(src: str, tgt: str, **given: Any) -> OwnPool:
    return OwnPool(id=f"pair:{src}-{tgt}", kind=Kind.PAIR, languages=(src, tgt), **given)


def mixed(tgt: str, **given: Any) -> OwnPool:
    return OwnPool(id=f"mix:*-{tgt}", kind=Kind.MIXED, languages=(tgt,), **given)


def own(name: str, languages: str, **given: Any) -> OwnPool:
    """``services`` and ``tenants`` as words."""
    split: dict[str, Any] = {
        key: tuple(value.split()) if key in ("services", "tenants") else value
        for key, value in given.items()
    }
    return OwnPool(id=f"own:{name}", kind=Kind.CUSTOM, languages=tuple(languages.split()), **split)


def reason(pool: OwnPool, node: Capabilities) -> str:
    """Why the node is in the pool or not, checked against its memberships."""
    memberships = match(node, Configuration(1, pools=(pool,)))
    why = memberships.reasons[pool.id]
    assert (pool.id in memberships.pools) == (why == IN)
    return why


IN = "serves all of it"
CHOOSING = Choosing(Policy.AFFINITY, hash_seed=5, fallback_scan=False)


@pytest.mark.parametrize(
    ("pool", "node", "why"),
    [
        # A pair is directed, and wants semantic repair on both sides.
        (pair("en", "zh"), a_node(), IN),
        (pair("en", "zh"), a_node("en zh ja"), IN),
        (pair("en", "zh"), a_node("zh"), "no semantic repair for en"),
        (pair("en", "zh"), a_node("en"), "no semantic repair for zh"),
        (pair("en", "zh"), a_node("de fr"), "no semantic repair for en, zh"),
        (pair("en", "zh"), a_node(asr="en"), IN),
        (pair("en", "zh"), a_node(asr="zh"), "does not understand en"),
        (pair("en", "zh"), a_node(pairs=pairs("en-zh")), IN),
        (pair("en", "zh"), a_node(pairs=pairs("zh-en")), "does not translate en → zh"),
        # From an unknown language: some source is enough.
        (mixed("zh"), a_node(), IN),
        (mixed("zh"), a_node("zh"), "nothing into zh"),
        (mixed("zh"), a_node(asr="zh"), "nothing into zh"),
        (mixed("zh"), a_node("en zh ja", asr="ja"), IN),
        (mixed("zh"), a_node(pairs=pairs("zh-en")), "nothing into zh"),
        (mixed("zh"), a_node("en ja"), "no semantic repair for zh"),
        # Every language into every other.
        (own("a", "en zh"), a_node(), IN),
        (own("a", "en zh"), a_node("en zh ja"), IN),
        (own("a", "en zh ja"), a_node(), "no semantic repair for ja"),
        (own("a", "en zh"), a_node(asr="en"), "does not understand zh"),
        (own("a", "en zh"), a_node(pairs=pairs("en-zh")), "does not translate zh → en"),
        (own("a", "en zh"), a_node(pairs=pairs("en-zh", "zh-en")), IN),
        (
            own("a", "en zh ja"),
            a_node("en zh ja", pairs=pairs("en-zh")),
            "does not translate en → ja, ja → en, ja → zh and 2 more",
        ),
        (own("a", "en zh", mode=Mode.EXACT), a_node(), IN),
        (
            own("a", "en zh", mode=Mode.EXACT),
            a_node("en zh ja de"),
            "has further languages: de, ja",
        ),
        # Services: only the core ones by default.
        (own("a", "en zh", services="asr tone"), a_node(), IN),
        (
            own("a", "en zh", services="asr tone", scope=Scope.ALL_REQUIRED),
            a_node(),
            "not ready: tone",
        ),
        (
            own("a", "en zh", services="asr tone", scope=Scope.ALL_REQUIRED),
            a_node(types="tone"),
            IN,
        ),
        (
            own("a", "en zh", services="asr nmt"),
            Capabilities(types=frozenset({"nmt"}), semantic=frozenset({"en", "zh"})),
            "not ready: asr",
        ),
        (pair("en", "zh", services=("tts",), scope=Scope.ALL_REQUIRED), a_node(types="tts"), IN),
        (
            pair("en", "zh", services=("tts",), scope=Scope.ALL_REQUIRED),
            a_node(),
            "not ready: tts",
        ),
    ],
)  # fmt: skip
def test_who_is_in_a_defined_pool(pool: OwnPool, node: Capabilities, why: str) -> None:
    assert reason(pool, node) == why


def test_a_node_without_semantic_repair_is_in_no_pool_at_all() -> None:
    memberships = match(a_node(""), Configuration(1, pools=(pair("en", "zh"), mixed("zh"))))
    assert memberships.pools == ()
    assert memberships.reasons == {"auto": "no semantic languages"}


def test_a_node_that_lost_a_language_leaves_the_pools_that_need_it() -> None:
    configuration = Configuration(1, pools=(own("a", "en zh"), own("b", "en de"), pair("de", "en")))
    before = match(a_node("en zh de"), configuration).pools
    after = match(a_node("en de"), configuration).pools
    assert before == ("auto:de-en-zh", "own:a", "own:b", "pair:de-en")
    assert after == ("auto:de-en", "own:b", "pair:de-en")


@pytest.mark.parametrize(
    ("auto", "node", "pools", "reasons"),
    [
        (Auto(), a_node(), (EN_ZH,), {EN_ZH: "its own class"}),
        (Auto(on=False), a_node(), (), {"auto": "automatic pools are off"}),
        (Auto(classes=frozenset({EN_ZH})), a_node(), (EN_ZH,), {EN_ZH: "its own class"}),
        (
            Auto(classes=frozenset()),
            a_node(),
            ("other",),
            {"other": "its class auto:en-zh has no pool"},
        ),
        (
            Auto(classes=frozenset(), catch_all=False),
            a_node(),
            (),
            {"auto": "its class auto:en-zh has no pool"},
        ),
    ],
)
def test_the_automatic_pool(
    auto: Auto, node: Capabilities, pools: tuple[str, ...], reasons: dict[str, str]
) -> None:
    memberships = match(node, Configuration(1, auto=auto))
    assert (memberships.pools, memberships.reasons) == (pools, reasons)
    assert (memberships.definition is None) == (EN_ZH not in pools)


def test_a_node_of_few_pairs_keeps_its_class_when_others_have_none() -> None:
    memberships = match(
        a_node(pairs=pairs("en-zh")), Configuration(1, auto=Auto(classes=frozenset()))
    )
    assert memberships.definition is not None
    assert memberships.pools[0].startswith("auto:en-zh:")


def test_tenants_come_first_then_defined_mixed_and_pair_pools_by_priority() -> None:
    configuration = Configuration(
        1,
        pools=(
            pair("en", "zh", priority=1),
            mixed("zh"),
            own("late", "en zh", priority=7),
            own("soon", "en zh", priority=3),
            pair("zh", "en", tenants=("acme",), priority=9),
        ),
    )
    assert match(a_node(), configuration).pools == (
        EN_ZH, "pair:zh-en", "own:soon", "own:late", "mix:*-zh", "pair:en-zh"
    )  # fmt: skip


def test_what_is_over_sixteen_is_left_out_with_the_reason() -> None:
    many = tuple(own(f"p{number:02}", "en zh") for number in range(20))
    memberships = match(
        a_node(), Configuration(1, pools=(*many, own("vip", "en zh", tenants="acme")))
    )
    assert memberships.pools == (EN_ZH, "own:vip", *(pool.id for pool in many[:14]))
    assert len(memberships.pools) == MOST_POOLS
    assert {memberships.reasons[pool.id] for pool in many[14:]} == {"limit"}


def test_what_is_published_is_what_is_read() -> None:
    pools = (
        own("b", "en zh", tenants="acme", tenant_rule=TenantRule.STRICT, sample_k=4),
        mixed("zh", priority=3),
    )
    content = encode(disabled=["n2", "n1"], drained=[], pools=pools, auto=Auto(on=False),
                     choosing=CHOOSING)  # fmt: skip
    read = decode(7, content)
    assert read == Configuration(
        7, frozenset({"n1", "n2"}), frozenset(), (pools[1], pools[0]), Auto(on=False), CHOOSING
    )
