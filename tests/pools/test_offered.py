"""What somebody without a tenant can choose: by every kind of pool, and only what works."""

import pytest

from pools.configuration import Configuration, OwnPool
from pools.definition import Definition
from pools.offered import Offered, Way, offered
from pools.order import Chooser
from pools.serving import CellPools
from tests.pools.test_own_pools import mixed, own, pair

SPEAKS = "format:pcm16 asr:en semantic:en semantic:zh tts:zh"


def choose(
    src: str,
    *pools: OwnPool,
    automatic: dict[str, Definition] | None = None,
    offers: dict[str, str] | None = None,
) -> Offered:
    """``offers``: by pool what its one member offers, as words."""
    configuration = Configuration(1, pools=pools)
    members = {name: {frozenset(words.split()): 1} for name, words in (offers or {}).items()}
    return offered(CellPools(automatic or {}, members, configuration), Chooser(configuration), src)


def of(*pools: str) -> frozenset[str]:
    return frozenset(pools)


def test_without_pools_there_is_nothing() -> None:
    assert choose("en") == Offered({}, {})
    assert choose("en").pools == of()


def test_an_automatic_pool_offers_its_pairs() -> None:
    one_way = Definition(asr=["en"], semantic=["en", "zh"])
    found = choose("en", automatic={"auto:en-zh": one_way}, offers={"auto:en-zh": SPEAKS})
    assert found.sources == {"auto": of("auto:en-zh"), "en": of("auto:en-zh")}
    assert found.ways == {"zh": Way(of("auto:en-zh"), of("auto:en-zh"), of())}
    assert choose("zh", automatic={"auto:en-zh": one_way}).ways == {}


def test_speech_and_typing_want_a_member_that_does_them() -> None:
    automatic = {"auto:en-zh": Definition(semantic=["en", "zh"])}
    found = choose("en", automatic=automatic, offers={"auto:en-zh": "format:text tts:en"})
    assert found.ways == {"zh": Way(of("auto:en-zh"), of(), of("auto:en-zh"))}


@pytest.mark.parametrize(
    ("pool", "src"), [(pair("en", "zh"), "en"), (mixed("zh"), "auto"), (own("a", "en zh"), "en")]
)
def test_a_pool_of_an_operator_offers_its_own(pool: OwnPool, src: str) -> None:
    found = choose(src, pool, offers={pool.id: SPEAKS})
    assert found.ways["zh"] == Way(of(pool.id), of(pool.id), of())
    assert found.sources[src] == of(pool.id)
    assert found.pools == of(pool.id)


def test_a_pool_without_members_and_one_for_tenants_offer_nothing() -> None:
    tenants = own("acme", "en zh", tenants="acme")
    assert choose("en", pair("en", "zh")) == Offered({}, {})
    assert choose("en", tenants, offers={tenants.id: SPEAKS}) == Offered({}, {})


def test_in_the_pool_of_all_others_each_is_asked() -> None:
    offers = {"other": "format:pcm16 asr:de semantic:de semantic:fr"}
    assert choose("de", offers=offers).ways == {"fr": Way(of("other"), of(), of())}
    assert choose("fr", offers=offers).ways == {}
    assert choose("fr", offers=offers).sources == {"auto": of("other"), "de": of("other")}
