"""Which pools a node is put into, and what it offers, as a table."""

from typing import Any

import msgspec
import pytest

from pools.configuration import Configuration
from pools.definition import Capabilities, Definition
from pools.matching import match

CORE = frozenset({"asr", "nmt", "semantic"})


def a_node(semantic="en zh", *, types="", **given) -> Capabilities:
    sets: dict[str, Any] = {
        name: frozenset(value.split()) if isinstance(value, str) else value
        for name, value in given.items()
    }
    return Capabilities(
        types=CORE | frozenset(types.split()), semantic=frozenset(semantic.split()), **sets
    )


def pairs(*of: str) -> frozenset[tuple[str, str]]:
    return frozenset((src, tgt) for src, tgt in (pair.split("-") for pair in of))


@pytest.mark.parametrize(
    ("node", "pool"),
    [
        (a_node(), "auto:en-zh"),
        (a_node("zh en"), "auto:en-zh"),
        (a_node(asr="en zh"), "auto:en-zh"),
        (a_node(asr="en zh ja"), "auto:en-zh"),
        (a_node(pairs=pairs("en-zh", "zh-en", "en-en", "zh-zh")), "auto:en-zh"),
        (a_node("de"), "auto:de"),
        (a_node(formats="opus pcm16 wav"), "auto:en-zh"),
    ],
)
def test_languages_alone_name_the_pool_of_a_node_that_serves_every_pair(node, pool):
    memberships = match(node, Configuration())
    assert memberships.pools == (pool,)
    assert memberships.reasons == {pool: "its own class"}


@pytest.mark.parametrize(
    "node",
    [a_node(asr="en"), a_node(pairs=pairs("en-zh")), a_node(formats="pcm16")],
    ids=["hears less", "translates less", "takes no opus"],
)
def test_a_class_that_serves_less_gets_a_hash(node):
    (pool,) = match(node, Configuration()).pools
    name, _, mark = pool.rpartition(":")
    assert name == "auto:en-zh"
    assert len(mark) == 4
    assert int(mark, 16) >= 0


def test_classes_that_serve_different_pairs_have_different_pools():
    nodes = [
        a_node(),
        a_node(asr="en"),
        a_node(asr="zh"),
        a_node(pairs=pairs("en-zh")),
        a_node(pairs=pairs("zh-en")),
        a_node(formats="opus"),
        a_node("en zh ja"),
    ]
    assert len({match(node, Configuration()).pools for node in nodes}) == len(nodes)


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (a_node(""), "no semantic languages"),
        (a_node(asr="fr"), "serves no pair of its semantic languages"),
        (a_node(asr=frozenset()), "serves no pair of its semantic languages"),
        (a_node(pairs=pairs("fr-de")), "serves no pair of its semantic languages"),
        (a_node(pairs=frozenset()), "serves no pair of its semantic languages"),
    ],
)
def test_a_node_that_serves_no_pair_is_in_no_pool(node, reason):
    memberships = match(node, Configuration())
    assert memberships.pools == ()
    assert memberships.definition is None
    assert memberships.reasons == {"auto": reason}


@pytest.mark.parametrize(
    ("node", "has"),
    [
        (a_node(), ()),
        (a_node(types="tts"), ("tts:en", "tts:zh", "type:tts")),
        (a_node(types="tts", tts="zh ja"), ("tts:ja", "tts:zh", "type:tts")),
        (a_node(types="tts", tts=frozenset()), ("type:tts",)),
        (a_node(tts="zh"), ()),
        (a_node(audio_ref=True), ("audio:ref",)),
        (a_node(models="emotion vad asr"), ("model:emotion",)),
        (a_node(dialects="dialect:zh-x"), ("dialect:zh-x",)),
        (a_node(types="tone phonetic punctuation"), ("type:tone",)),
        (a_node(formats="opus pcm16 wav flac"), ("format:flac", "format:wav")),
        (a_node(formats=frozenset({"two words", "", "a:b", "x" * 40})), ()),
    ],
)
def test_what_a_node_offers_beyond_its_pool(node, has):
    languages = {f"{kind}:{one}" for kind in ("asr", "semantic") for one in ("en", "zh")}
    usual = languages | {"format:opus", "format:pcm16"}
    assert set(match(node, Configuration()).has) - usual == set(has)


@pytest.mark.parametrize(
    ("node", "has"),
    [
        (a_node(), "asr:en asr:zh format:opus format:pcm16 semantic:en semantic:zh"),
        (a_node(asr="en ja"), "asr:en format:opus format:pcm16 semantic:en semantic:zh"),
        (a_node(asr=frozenset()), "format:opus format:pcm16 semantic:en semantic:zh"),
        (a_node("de", formats="pcm16"), "asr:de format:pcm16 semantic:de"),
    ],
)
def test_everybody_offers_its_languages_and_formats(node, has):
    assert match(node, Configuration()).has == tuple(has.split())


@pytest.mark.parametrize(
    ("node", "served", "not_served"),
    [
        (a_node(), "en-zh zh-en auto-zh", "en-fr fr-zh auto-fr"),
        (a_node(asr="en"), "en-zh auto-zh", "zh-en"),
        (a_node(pairs=pairs("en-zh")), "en-zh auto-zh", "zh-en auto-en"),
        (a_node("en zh ja", asr="ja en", pairs=pairs("zh-en", "ja-zh")), "ja-zh", "zh-en ja-en"),
    ],
)
def test_a_definition_says_which_pairs_every_member_serves(node, served, not_served):
    definition = match(node, Configuration()).definition
    assert definition is not None
    again = msgspec.json.decode(definition.encoded(), type=Definition)
    assert again == definition
    for pair in served.split():
        assert again.serves(*pair.split("-")), pair
    for pair in not_served.split():
        assert not again.serves(*pair.split("-")), pair


def test_the_name_of_a_pool_of_many_languages_stays_short():
    many = a_node(" ".join(f"{a}{b}" for a in "abcdefghij" for b in "abcdefghij"))
    (pool,) = match(many, Configuration()).pools
    assert len(pool) < 60
    assert pool.startswith("auto:aa-ab-ac-")
    assert "+88:" in pool
    fewer = a_node(" ".join(f"{a}{b}" for a in "abcdefghij" for b in "abcdefghik"))
    assert match(fewer, Configuration()).pools != (pool,)
