"""The order of pools under each policy, and for each tenant."""

from collections import Counter

import pytest

from pools.configuration import Choosing, Configuration, OwnPool
from pools.kinds import Kind, Policy, TenantRule
from pools.order import ANYBODY, Caller, Chooser, Ranking, fnv1a

SERVING = ("auto:en-zh", "own:a", "own:b", "pair:en-zh")
PAIR = ("en", "zh")


def own(name: str, **more: object) -> OwnPool:
    return OwnPool(f"own:{name}", Kind.CUSTOM, PAIR, **more)  # type: ignore[arg-type]


def chooser(*pools: OwnPool, **choosing: object) -> Chooser:
    about = Choosing(**choosing)  # type: ignore[arg-type]
    return Chooser(Configuration(pools=pools, choosing=about))


def ranked(of: Chooser, caller: Caller = ANYBODY, lacking: frozenset[str] = frozenset()) -> Ranking:
    return of.rank(SERVING, lacking, of.variant(SERVING, caller))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)],
)
def test_the_hash_is_fnv_1a(text: str, expected: int) -> None:
    """From the test vectors of the algorithm's authors."""
    assert fnv1a(text, 0) == expected
    assert fnv1a(text, 1) != expected


def test_by_default_all_pools_are_ranked_together() -> None:
    assert ranked(chooser(own("a"))).groups == (SERVING,)


def test_pools_that_lack_something_come_last() -> None:
    found = ranked(chooser(), lacking=frozenset({"auto:en-zh", "own:b"}))
    assert found.groups == (("own:a", "pair:en-zh"), ("auto:en-zh", "own:b"))


def test_pools_of_equal_priority_are_ranked_together() -> None:
    of = chooser(own("a", priority=1), own("b", priority=200), policy=Policy.PRIORITY)
    assert ranked(of).groups == (("own:a",), ("auto:en-zh", "pair:en-zh"), ("own:b",))


def test_affinity_begins_at_the_same_pool_for_a_tenant_and_goes_around() -> None:
    of = chooser(policy=Policy.AFFINITY)
    orders = {ranked(of, Caller("acme", f"s-{n}")).pools for n in range(50)}
    assert len(orders) == 1
    order = orders.pop()
    start = SERVING.index(order[0])
    assert order == SERVING[start:] + SERVING[:start]


def test_affinity_spreads_sessions_without_a_tenant_and_the_seed_moves_them() -> None:
    firsts = {
        seed: [
            ranked(chooser(policy=Policy.AFFINITY, hash_seed=seed), Caller("", f"s-{n}")).pools[0]
            for n in range(400)
        ]
        for seed in (0, 7)
    }
    assert all(60 < count < 140 for count in Counter(firsts[0]).values())
    assert set(firsts[0]) == set(SERVING)
    assert sum(a != b for a, b in zip(*firsts.values(), strict=True)) > 200


def test_a_session_stays_in_its_pool_while_that_serves_it() -> None:
    of = chooser(policy=Policy.SESSION)
    assert ranked(of, Caller("", "s-1", "own:b")).groups == (
        ("own:b",),
        ("auto:en-zh", "own:a", "pair:en-zh"),
    )
    assert ranked(of, Caller("", "s-1", "pair:de-fr")).groups == (SERVING,)
    assert ranked(of, Caller("", "s-1")).groups == (SERVING,)


def test_without_fallback_only_the_first_pools_are_tried() -> None:
    of = chooser(policy=Policy.SESSION, fallback_scan=False)
    found = ranked(of, Caller("", "s-1", "own:b"))
    assert found.groups == (("own:b",),)
    assert found.passed == tuple(
        (pool, "no_fallback") for pool in ("auto:en-zh", "own:a", "pair:en-zh")
    )


def test_a_tenants_own_pool_comes_first_and_is_for_nobody_else() -> None:
    of = chooser(own("a", tenants=("acme",)))
    assert ranked(of, Caller("acme")).groups == (
        ("own:a",),
        ("auto:en-zh", "own:b", "pair:en-zh"),
    )
    other = ranked(of, Caller("other"))
    assert other.groups == (("auto:en-zh", "own:b", "pair:en-zh"),)
    assert other.passed == (("own:a", "other_tenant"),)


def test_a_strict_tenant_uses_its_own_pools_and_no_other() -> None:
    strict = own("a", tenants=("acme",), tenant_rule=TenantRule.STRICT)
    found = ranked(chooser(strict), Caller("acme"))
    assert found.groups == (("own:a",),)
    assert ("auto:en-zh", "strict_tenant") in found.passed
    elsewhere = OwnPool(
        "own:x", Kind.CUSTOM, ("de", "fr"), tenants=("acme",), tenant_rule=TenantRule.STRICT
    )
    assert ranked(chooser(elsewhere), Caller("acme")).pools == ()


def test_only_what_matters_of_a_caller_makes_another_requirement() -> None:
    of = chooser(own("a", tenants=("acme",)))
    assert {of.variant(SERVING, Caller(f"t{n}", f"s-{n}", "own:b")) for n in range(9)} == {ANYBODY}
    assert of.variant(SERVING, Caller("acme", "s-1")) == Caller("acme")


def test_the_first_pools_of_a_ranking_are_kept_and_the_others_named() -> None:
    of = chooser(own("a", priority=1), policy=Policy.PRIORITY)
    found = ranked(of).first(2)
    assert found.groups == (("own:a",), ("auto:en-zh",))
    assert found.passed == (("own:b", "limit"), ("pair:en-zh", "limit"))
    assert found.starts == {"auto:en-zh"}


def test_a_pool_may_say_how_many_of_its_members_are_looked_at() -> None:
    of = chooser(own("a", sample_k=4), own("b"))
    assert of.samples(SERVING) == (("own:a", 4),)
