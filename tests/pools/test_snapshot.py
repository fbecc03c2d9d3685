"""From a language pair and a pipeline to where a job may go, or why it can't."""

import asyncio
from collections import Counter
from typing import cast

import pytest

from lua.client import Cells
from lua.scripts import Need
from parley.frames import Pipeline
from pools.ask import Ask
from pools.configuration import Configuration
from pools.definition import Capabilities
from pools.lacks import Offers
from pools.matching import match
from pools.routes import Refusal, Route
from pools.settings import PoolSettings
from pools.snapshot import Snapshot
from tests.pools.test_own_pools import mixed, own, pair

TEXT_ONLY = Pipeline(use_tts=False)


def a_class(semantic: str, asr: str | None = None, formats: str | None = None):
    node = Capabilities(
        semantic=frozenset(semantic.split()),
        asr=None if asr is None else frozenset(asr.split()),
        formats=None if formats is None else frozenset(formats.split()),
    )
    memberships = match(node, Configuration())
    return memberships.pools[0], memberships.definition


def knowing(*classes, cells: int = 1, **settings) -> Snapshot:
    snapshot = Snapshot(cells, PoolSettings(**settings))
    snapshot.learn(0, dict(classes), Configuration())
    return snapshot


def route(src: str, tgt: str, *, lang_a=None, lang_b=None) -> Route:
    mode = "two_way_auto" if lang_a else "one_way"
    return Route.of(src, tgt, mode=mode, lang_a=lang_a, lang_b=lang_b)


def needed(snapshot: Snapshot, languages: Route, pipeline=TEXT_ONLY, audio_format="opus", cell=0):
    need = snapshot.compile_need(cell, Ask.of(languages, pipeline, audio_format))
    assert isinstance(need, Need), need
    return need


def refused(snapshot: Snapshot, languages: Route, audio_format="opus", cell=0) -> Refusal:
    refusal = snapshot.compile_need(cell, Ask.of(languages, TEXT_ONLY, audio_format))
    assert isinstance(refusal, Refusal), refusal
    return refusal


EN_ZH, EN_FR, HEARS_EN = a_class("en zh"), a_class("en fr"), a_class("en zh", asr="en")
ALL = (EN_ZH, EN_FR, HEARS_EN)


@pytest.mark.parametrize(
    ("languages", "pools"),
    [
        (route("en", "zh"), (EN_ZH, HEARS_EN)),
        (route("EN-us", "zh-Hans"), (EN_ZH, HEARS_EN)),
        (route("zh", "en"), (EN_ZH,)),
        (route("en", "fr"), (EN_FR,)),
        (route("auto", "en"), (EN_ZH, EN_FR, HEARS_EN)),
        (route("auto", "zh"), (EN_ZH, HEARS_EN)),
        (route("auto", "zh", lang_a="en", lang_b="zh"), (EN_ZH,)),
    ],
)
def test_a_job_may_go_to_every_pool_that_serves_its_languages(languages, pools):
    assert needed(knowing(*ALL), languages) == Need(pools=tuple(sorted(name for name, _ in pools)))


@pytest.mark.parametrize(
    ("languages", "code", "reason"),
    [
        (route("en", "ja"), "NO_CAPABLE_NODE", "lang_pair_unsupported"),
        (route("fr", "zh"), "NO_CAPABLE_NODE", "lang_pair_unsupported"),
        (route("english", "zh"), "NO_CAPABLE_NODE", "lang_pair_unsupported"),
        (route("auto", "ja"), "NO_CAPABLE_NODE", "src_auto_no_candidate"),
        (route("auto", "fr", lang_a="zh", lang_b="fr"), "NO_CAPABLE_NODE", "lang_pair_unsupported"),
    ],
)
def test_languages_that_nobody_serves_are_refused_with_a_reason(languages, code, reason):
    refusal = refused(knowing(*ALL), languages)
    assert (refusal.code, refusal.reason) == (code, reason)


def test_a_language_that_is_known_but_not_heard_is_named_so():
    refusal = refused(knowing(HEARS_EN), route("zh", "en"))
    assert refusal.reason == "asr_lang_unsupported"


def test_without_any_pool_the_reason_is_that_there_are_no_nodes():
    refusal = refused(knowing(), route("en", "zh"))
    assert (refusal.code, refusal.reason) == ("NO_CAPABLE_NODE", "no_nodes")


@pytest.mark.parametrize(
    ("pipeline", "audio_format", "has"),
    [
        (TEXT_ONLY, "opus", ()),
        (TEXT_ONLY, "pcm16", ()),
        (Pipeline(), "opus", ("tts:zh",)),
        (Pipeline(use_tone=True), "opus", ("tts:zh", "type:tone")),
        (Pipeline(use_semantic=True, use_tts=False), "opus", ()),
        (Pipeline(), "flac", ("format:flac", "tts:zh")),
    ],
)
def test_steps_and_formats_that_not_every_node_has_are_asked_for(pipeline, audio_format, has):
    need = needed(knowing(EN_ZH), route("en", "zh"), pipeline, audio_format)
    assert need == Need(pools=("auto:en-zh",), has=has)


def test_an_answer_in_either_language_needs_speech_in_both():
    both = route("auto", "zh", lang_a="en", lang_b="zh")
    assert needed(knowing(EN_ZH), both, Pipeline()).has == ("tts:zh", "tts:en")


def test_a_pool_whose_members_take_no_opus_gets_none():
    only_pcm = a_class("en zh", formats="pcm16")
    snapshot = knowing(EN_ZH, only_pcm)
    assert needed(snapshot, route("en", "zh")).pools == ("auto:en-zh",)
    refusal = refused(knowing(only_pcm), route("en", "zh"))
    assert refusal.code == "UNSUPPORTED_FEATURE"
    assert "'opus'" in refusal.message


def test_a_pinned_job_names_its_node_and_no_pool():
    need = knowing().compile_need(0, Ask.of(route("en", "zh"), Pipeline(), "opus"), pin="node-1")
    asked = ("asr:en", "semantic:en", "semantic:zh", "tts:zh")
    assert need == Need(pools=(), has=asked, pin="node-1")


def test_more_pools_than_a_job_may_name_are_used_in_turn():
    classes = [a_class(f"en zh {extra}") for extra in ("fr", "de", "es", "it", "ja", "ko", "pt")]
    snapshot = knowing(*classes, job_pools=3)
    seen = [needed(snapshot, route("en", "zh")).pools for _ in range(7)]
    assert {len(pools) for pools in seen} == {3}
    assert {pool for pools in seen for pool in pools} == {name for name, _ in classes}


def test_what_is_learned_replaces_what_was_compiled():
    snapshot = knowing(EN_ZH)
    before = needed(snapshot, route("en", "zh"))
    assert needed(snapshot, route("en", "zh")) is before
    snapshot.learn(0, dict([EN_FR]), Configuration())
    assert refused(snapshot, route("en", "zh")).code == "NO_CAPABLE_NODE"


def test_an_older_configuration_never_replaces_a_newer():
    snapshot = knowing()
    snapshot.learn(0, {}, Configuration(7, frozenset({"node-1"})))
    snapshot.learn(0, {}, Configuration(3))
    assert snapshot.configuration(0) == Configuration(7, frozenset({"node-1"}))


def test_each_cell_has_its_own_pools():
    snapshot = knowing(EN_ZH, cells=3)
    snapshot.learn(2, dict([EN_ZH, EN_FR]), Configuration())
    assert snapshot.cells_serving(route("en", "zh")) == {0: [EN_ZH[0]], 2: [EN_ZH[0]]}
    assert list(snapshot.cells_serving(route("fr", "en"))) == [2]
    assert refused(snapshot, route("en", "zh"), cell=1).reason == "no_nodes"


class Redis:
    """Stands for the cells: what is registered is there at once for whoever reads it."""

    def __init__(self) -> None:
        self.registered: dict[str, bytes] = {}
        self.readings = 0

    async def pools(self, cell: int) -> dict[str, bytes]:
        self.readings += 1
        return dict(self.registered)

    async def offers(self, cell: int) -> dict[str, Offers]:
        return {}

    async def config(self, cell: int) -> tuple[int, bytes]:
        return 0, b""


async def test_nobody_is_refused_for_what_was_registered_before_he_asked():
    redis, snapshot = Redis(), knowing(reload_pause_ms=50)
    cells = cast("Cells", redis)
    await snapshot.reload(cells)
    name, definition = EN_ZH
    redis.registered[name] = definition.encoded()
    ask = Ask.of(route("en", "zh"), TEXT_ONLY, "opus")
    asked = (snapshot.need(cells, 0, ask) for _ in range(20))
    needs = await asyncio.gather(*asked)
    assert [need.pools for need in needs if isinstance(need, Need)] == [(name,)] * 20
    assert redis.readings == 2


def offering(*of: str) -> Offers:
    return Counter(frozenset(values.split()) for values in of)


ALL_OF_EN_ZH = "asr:en asr:zh semantic:en semantic:zh format:opus format:pcm16"


def with_own_pools(*pools, offers, automatic=(), **given) -> Snapshot:
    snapshot = Snapshot(1)
    configuration = Configuration(1, pools=pools, **given)
    snapshot.learn(0, dict(automatic), configuration, offers)
    return snapshot


def test_defined_pools_serve_a_job_beside_the_automatic_one():
    pools = (pair("en", "zh"), pair("zh", "en"), mixed("zh"), own("a", "en zh"), own("b", "en ja"))
    everywhere = dict.fromkeys((pool.id for pool in pools), offering(ALL_OF_EN_ZH))
    snapshot = with_own_pools(*pools, offers=everywhere, automatic=[EN_ZH])
    assert needed(snapshot, route("en", "zh")) == Need(
        ("auto:en-zh", "own:a", "pair:en-zh"), has=("format:opus",)
    )
    assert needed(snapshot, route("auto", "zh")).pools == (
        "auto:en-zh", "mix:*-zh", "own:a", "pair:en-zh"
    )  # fmt: skip
    both = route("auto", "zh", lang_a="en", lang_b="zh")
    assert needed(snapshot, both).pools == ("auto:en-zh", "own:a")


def test_a_defined_pool_without_members_is_not_tried():
    snapshot = with_own_pools(pair("en", "zh"), offers={}, automatic=[EN_ZH])
    assert needed(snapshot, route("en", "zh")) == Need(("auto:en-zh",))


def test_pools_that_lack_something_are_tried_last():
    offers = {"pair:en-zh": offering(ALL_OF_EN_ZH), "own:a": offering(f"{ALL_OF_EN_ZH} tts:zh")}
    snapshot = with_own_pools(own("a", "en zh"), pair("en", "zh"), offers=offers)
    assert needed(snapshot, route("en", "zh")).pools == ("own:a", "pair:en-zh")
    assert needed(snapshot, route("en", "zh"), Pipeline()).pools == ("own:a", "pair:en-zh")
    offers = {"pair:en-zh": offers["own:a"], "own:a": offers["pair:en-zh"]}
    snapshot = with_own_pools(own("a", "en zh"), pair("en", "zh"), offers=offers)
    assert needed(snapshot, route("en", "zh"), Pipeline()).pools == ("pair:en-zh", "own:a")


def test_members_of_other_are_asked_for_the_languages():
    offers = {"other": offering(ALL_OF_EN_ZH, "asr:de semantic:de semantic:fr format:opus")}
    snapshot = with_own_pools(offers=offers, automatic=[EN_ZH])
    assert needed(snapshot, route("en", "zh")) == Need(
        ("auto:en-zh", "other"),
        has=("format:opus", "asr:en", "semantic:en", "semantic:zh"),
    )
    assert needed(snapshot, route("de", "fr")).pools == ("other",)
    assert refused(snapshot, route("fr", "de")).reason == "lang_pair_unsupported"
    assert refused(snapshot, route("de", "zh")).reason == "lang_pair_unsupported"
    assert list(snapshot.cells_serving(route("de", "fr"))) == [0]
    both = route("auto", "zh", lang_a="en", lang_b="zh")
    assert "asr:zh" in needed(snapshot, both).has


def asking(snapshot: Snapshot, **given) -> Need:
    need = snapshot.compile_need(0, Ask.of(route("en", "zh"), TEXT_ONLY, "opus", **given))
    assert isinstance(need, Need)
    return need


def test_a_dialect_and_a_model_are_wished_for_where_some_node_reports_them():
    silent, telling = knowing(EN_ZH), knowing(EN_ZH)
    offers = offering(ALL_OF_EN_ZH, f"{ALL_OF_EN_ZH} dialect:en-scots", "model:emotion")
    telling.learn(0, dict([EN_ZH]), Configuration(), {"auto:en-zh": offers})
    for wish in ({"dialect": " Scots "}, {"features": ("emotion_detection",)}):
        assert asking(silent, **wish) == asking(silent)
        assert asking(telling, **wish) != asking(telling)
    assert asking(telling, dialect="Scots").wishes == ("dialect:en-scots",)
    assert asking(telling, dialect="Scots").has == ()
    assert asking(telling, dialect="mandarin").wishes == ()
    assert asking(telling, features=("emotion_detection",)).wishes == ("model:emotion",)


@pytest.mark.parametrize("dialect", ["two words", "a:b", "", "x" * 40, "~"])
def test_a_dialect_that_is_no_word_is_not_asked_for(dialect):
    assert Ask.of(route("en", "zh"), TEXT_ONLY, "opus", dialect=dialect).wishes == ()
    assert Ask.of(route("auto", "zh"), TEXT_ONLY, "opus", dialect="scots").wishes == ()


def test_a_dialect_that_is_none_makes_no_requirement_of_its_own():
    one, other = (
        Ask.of(route("zh", "en"), Pipeline(), "opus", dialect=word * 1_000) for word in "xy"
    )
    assert one is other
    spoken = Ask.of(route("zh", "en"), Pipeline(), "opus", dialect="Cantonese")
    assert spoken.wishes == ("dialect:zh-cantonese",)
