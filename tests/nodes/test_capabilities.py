"""What selection learns from what a node reports."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from lua.scripts import Node
from nodes.capabilities import Description, is_hot
from nodes.settings import NodeSettings
from pools.configuration import Configuration
from pools.membership import capabilities_of
from tests.nodes.frames import heartbeat, read_heartbeat, read_registration, ready, registration

NO_GPU = {"cpu_cores": 8, "memory_gb": 32}
STRICT = NodeSettings(require_gpu=True)


def description(**changes) -> Description:
    return Description.of(read_registration(registration(**changes)))


def node(settings: NodeSettings = STRICT, configuration=None, **changes) -> Node:
    configuration = configuration or Configuration(3)
    return description(**changes).node("node-1", configuration, settings)


def languages(**changes):
    return {"semantic_languages": ["en", "zh"], **changes}


def test_a_plain_node():
    plain = node()
    assert plain.pools == ["auto:en-zh"]
    assert [value for value in plain.has if value.startswith("t")] == [
        "tts:en",
        "tts:zh",
        "type:tts",
    ]
    assert json.loads(plain.definition)["semantic"] == ["en", "zh"]
    assert (plain.capacity, plain.arbitrates) == (2, False)
    assert plain.core
    assert plain.gpu
    assert plain.public
    assert plain.enabled
    assert plain.config == 3


@pytest.mark.parametrize(
    ("slots", "capacity", "arbitrates"),
    [(None, 2, False), (5, 5, False), (0, 0, True), (2**40, 10_000, False)],
)
def test_slots(slots, capacity, arbitrates):
    it = node(max_concurrent_jobs=slots)
    assert (it.capacity, it.arbitrates) == (capacity, arbitrates)


@pytest.mark.parametrize(
    ("types", "core_ready", "core"),
    [
        (ready("asr", "nmt", "semantic"), None, True),
        (ready("asr", "nmt"), True, True),
        (ready("asr", "nmt"), False, False),
        (ready("asr", "nmt"), None, False),
        ([*ready("asr", "nmt"), {"type": "semantic", "ready": False}], True, False),
        (ready("asr", "semantic"), True, False),
        (ready("nmt", "semantic"), True, False),
        ([], None, False),
        ([*ready("asr", "nmt", "semantic"), {"type": "telepathy", "ready": True}], None, True),
    ],
)
def test_core_types(types, core_ready, core):
    known = languages(semantic_core_ready=core_ready)
    assert node(capability_by_type=types, language_capabilities=known).core is core


@pytest.mark.parametrize("core_ready", [True, False])
@pytest.mark.parametrize("said", [[], ready("semantic"), [{"type": "semantic", "ready": False}]])
@pytest.mark.parametrize("out", [(), ("s-1",), ("s-1", "s-2")])
def test_people_are_told_the_same_types_as_the_rule(out, said, core_ready):
    """Once as told by the node, once as Redis has it: for the summaries and previews of pools."""
    services = [
        {"service_id": name, "type": "nmt", "device": "gpu", "status": "running"}
        for name in ("s-1", "s-2")
    ]
    told = description(
        capability_by_type=[*ready("asr", "nmt"), *said],
        installed_services=services,
        language_capabilities=languages(semantic_core_ready=core_ready),
    )
    kept = told.node("node-1", Configuration(), STRICT, out=out)
    shown: Any = SimpleNamespace(
        has=kept.has, caps=json.loads(kept.caps), out=[SimpleNamespace(service=one) for one in out]
    )
    assert capabilities_of(shown).types == told.ready_types(out)


@pytest.mark.parametrize(
    ("known", "pools"),
    [
        (None, []),
        ({}, []),
        (languages(semantic_languages=[]), []),
        (languages(), ["auto:en-zh"]),
        (languages(asr_languages=None), ["auto:en-zh"]),
        (languages(asr_languages=["ZH-hans", "en_US"]), ["auto:en-zh"]),
        (languages(asr_languages=[]), []),
    ],
)
def test_languages_decide_the_pool(known, pools):
    assert node(language_capabilities=known).pools == pools


def test_optional_types_and_formats_are_offered_while_they_are_ready():
    types = ready("asr", "nmt", "semantic", "tone")
    offered = node(capability_by_type=types, audio_formats=["opus", "pcm16", "FLAC"]).has
    assert {"format:flac", "type:tone"} <= set(offered)
    assert not {"type:tts", "tts:en"} & set(offered)


def test_models_tell_their_dialects():
    def model(kind, **given):
        return {"model_id": "m", "kind": kind, "version": "1", **given}

    models = [
        model("asr", src_lang="zh-Hans", dialect="Cantonese"),
        model("asr", src_lang="en", dialect="scots", enabled=False),
        model("tts", src_lang="en", dialect="irish"),
        model("emotion"),
    ]
    offered = node(installed_models=models).has
    assert {"dialect:zh-cantonese", "model:emotion"} <= set(offered)
    assert [value for value in offered if value.startswith("dialect")] == ["dialect:zh-cantonese"]


def test_pairs_make_a_class_of_their_own():
    (pool,) = node(nmt_pairs=[["en-US", "zh-Hans"]]).pools
    assert pool.startswith("auto:en-zh:")


@pytest.mark.parametrize("gpus", [None, []])
def test_without_a_gpu_a_node_waits_for_a_heartbeat_that_reports_one(gpus):
    known = description(hardware={**NO_GPU, "gpus": gpus})
    assert not known.node("n", Configuration(), STRICT).gpu
    assert known.node("n", Configuration(), NodeSettings(require_gpu=False)).gpu
    known.update(read_heartbeat(heartbeat(usage={"gpu_percent": 5})))
    assert not known.node("n", Configuration(), STRICT).gpu
    known.update(read_heartbeat(heartbeat(usage={"gpu_mem_percent": 5})))
    assert known.node("n", Configuration(), STRICT).gpu


def test_a_heartbeat_changes_only_what_it_reports():
    known = description(max_concurrent_jobs=3)
    before = known.node("n", Configuration(), STRICT)
    known.update(read_heartbeat(heartbeat()))
    assert known.node("n", Configuration(), STRICT) == before
    more = heartbeat(language_capabilities=languages(asr_languages=["en"]), max_concurrent_jobs=7)
    known.update(read_heartbeat(more))
    after = known.node("n", Configuration(), STRICT)
    assert after.capacity == 7
    assert after.pools != before.pools


@pytest.mark.parametrize(
    ("usage", "hot"),
    [
        ({}, False),
        ({"cpu_percent": 95}, True),
        ({"cpu_percent": 94.9}, False),
        ({"gpu_percent": 99}, True),
        ({"mem_percent": 100}, True),
        ({"gpu_mem_percent": 100}, False),
    ],
)
def test_a_node_at_the_threshold_is_hot(usage, hot):
    assert is_hot(read_heartbeat(heartbeat(usage=usage)), NodeSettings()) is hot


def test_a_disabled_node_is_registered_and_not_used():
    assert not node(configuration=Configuration(1, frozenset({"node-1"}))).enabled


def test_a_private_node():
    assert not node(accept_public_jobs=False).public


def test_unknown_values_are_kept_and_decide_nothing():
    odd = description(
        platform="amiga",
        installed_services=[
            {"service_id": "x", "type": "lips", "device": "npu", "status": "asleep", "port": 1}
        ],
    )
    told = json.loads(odd.node("n", Configuration(), STRICT).caps)
    assert told["platform"] == "amiga"
    assert told["installed_services"][0]["status"] == "asleep"
    assert odd.node("n", Configuration(), STRICT).pools == ["auto:en-zh"]


def services(*names: str):
    return [
        {"service_id": name, "type": name.split("-")[0], "device": "gpu", "status": "running"}
        for name in names
    ]


def test_a_type_is_out_when_none_of_its_running_services_is_left():
    one = description(installed_services=services("tts-a", "asr-a"))
    assert "tts" not in one.ready_types({"tts-a"})
    assert one.ready_types({"asr-a"}) == {"nmt", "semantic", "tts"}
    two = description(installed_services=services("tts-a", "tts-b"))
    assert "tts" in two.ready_types({"tts-a"})
    assert "tts" not in two.ready_types({"tts-a", "tts-b"})


def test_a_job_is_sent_in_the_nodes_own_codes():
    own = description(
        language_capabilities={
            "asr_languages": ["en-GB", "zh-Hans"],
            "semantic_languages": ["en", "zh-CN"],
        }
    )
    assert own.codes("en", "zh") == ("en-GB", "zh-CN")
    assert own.codes("auto", "en-US") == ("auto", "en")
    assert description(language_capabilities=None).codes("en", "zh") == ("en", "zh")
