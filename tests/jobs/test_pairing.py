"""A session that shows a pairing code is bound to one node, in whatever cell that lives."""

import pytest

from jobs.pairing import client_of
from lua import ids, scripts, views
from lua.client import StoreSettings
from lua.errors import StoreUnavailable
from lua.limits import Limits
from nodes.settings import NodeSettings
from tests.harness.actors import hand_session
from tests.harness.frames import session_init
from tests.harness.web import Web
from tests.jobs.coming_back import RESUME, refused
from tests.jobs.test_cells import node_in
from tests.peers.raw import raw_peer
from tests.peers.until import until

CELLS = 4


@pytest.fixture
def store(redis_url: str, prefix: str) -> StoreSettings:
    limits = Limits(guesses_of_one=3, wait_limit_ms=300, grace_ms=300, lonely_grace_ms=5_000)
    return StoreSettings(url=redis_url, prefix=prefix, cells=CELLS, limits=limits)


@pytest.fixture
def code_of(web):
    """``await code_of("anna")``: a pairing code of a node."""

    async def issue(name: str) -> str:
        cells = web.process.cells
        cell = ids.cell_of_node(name, CELLS)
        code = ids.new_pairing_code(cell, CELLS)
        reply = await scripts.issue_code(cells, cell=cell, code=code, node=name, mark="m")
        assert isinstance(reply, scripts.Issued)
        return code

    return issue


def speaking(semantic, asr, tts):
    lists = {"semantic_languages": semantic, "asr_languages": asr, "tts_languages": tts}
    return {"semantic_core_ready": True, **lists}


async def ack_of(web, **init):
    async with raw_peer(web.session_url) as peer:
        await peer.send(session_init("en", "zh", **init))
        return await peer.expect("session_init_ack")


async def test_its_jobs_go_to_that_node_alone(web, node, session, code_of):
    anna = await node(node_in(2))
    await node()  # somebody else for the same languages
    code = await code_of(anna.name)
    ben = await session(pairing_code=f"{code[:3]} {code[3:]}")
    assert ids.cell_of(ben.id, CELLS) == 2
    for number in range(4):
        await ben.says(preferred_node_id="anna")
        await anna.answers(await anna.job(), str(number))
        assert (await ben.hears())["text_translated"] == str(number)


async def test_it_stays_paired_when_it_goes_on_at_another_process(
    web, stage, store, jobs, node, session, code_of
):
    anna = await node(node_in(2))
    await node()  # somebody else for the same languages
    code = await code_of(anna.name)
    ben = await session(pairing_code=code, accepts=["resume"])
    other = await stage.enter_async_context(Web(store, jobs, NodeSettings()))
    again = {"pairing_code": code, "resume_token": ben.token, "accepts": ["resume"]}
    async with hand_session(other.session_url, "en", "zh", **again) as ben:
        assert ben.ack["assigned_node_id"] == anna.name
        for number in range(4):
            await ben.says()
            await anna.answers(await anna.job(), str(number))
            assert (await ben.hears())["text_translated"] == str(number)


async def test_it_stays_paired_though_redis_goes_away_as_it_returns_elsewhere(
    stage, store, jobs, node, session, code_of, monkeypatch
):
    """The process that has it now tells Redis of it before it has read what it is."""
    anna = await node(node_in(2))
    await node()  # somebody else for the same languages
    ben = await session(pairing_code=await code_of(anna.name), **RESUME)
    other = await stage.enter_async_context(Web(store, jobs, NodeSettings()))
    read = views.session_jobs

    async def in_vain(cells, name):
        raise StoreUnavailable("it has just gone")

    monkeypatch.setattr(views, "session_jobs", in_vain)
    await refused(
        other.session_url,
        "SCHEDULER_DEPENDENCY_DOWN",
        1013,
        resume_token=ben.token,
        **RESUME,
    )
    monkeypatch.setattr(views, "session_jobs", read)
    again = {"resume_token": ben.token, **RESUME}
    async with hand_session(other.session_url, "en", "zh", **again) as ben:
        assert ben.ack["assigned_node_id"] == anna.name
        await ben.says()
        await anna.answers(await anna.job(), "one")
        assert (await ben.hears())["text_translated"] == "one"


async def test_it_says_which_node_and_a_code_is_good_once(web, node, code_of):
    anna = await node()
    code = await code_of(anna.name)
    first = await ack_of(web, pairing_code=code)
    assert first["assigned_node_id"] == "anna"
    assert "paired with the node anna" in first["message"]
    second = await ack_of(web, pairing_code=code)
    assert second["assigned_node_id"] is None
    assert "used before or has expired" in second["message"]


async def test_a_private_node_serves_whom_it_is_paired_with(node, session, code_of):
    anna = await node(accept_public_jobs=False)
    ben, eve = await session(pairing_code=await code_of("anna")), await session()
    await eve.says()
    assert (await eve.hears())["code"] == "NO_CAPABLE_NODE"
    await eve.says(preferred_node_id="anna")
    assert (await eve.hears())["code"] == "NO_CAPABLE_NODE"
    await ben.says()
    await anna.answers(await anna.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"
    assert len(anna.jobs) == 1


@pytest.mark.parametrize(
    ("src", "tgt", "cannot"),
    [
        ("ja", "zh", "understand speech in 'ja'"),
        ("en", "ja", "translate from 'en' to 'ja'"),
        ("auto", "ja", "translate from 'auto' to 'ja'"),
        ("zh", "en", "speak 'en'"),
    ],
)
async def test_it_is_told_what_its_node_cannot_do(node, session, code_of, src, tgt, cannot):
    both, all_three = ["en", "zh"], ["en", "ja", "zh"]
    anna = await node(language_capabilities=speaking(both, both, ["zh"]))
    await node("mary", language_capabilities=speaking(all_three, all_three, all_three))
    ben = await session(pairing_code=await code_of("anna"))
    await ben.says(src_lang=src, tgt_lang=tgt)
    told = await ben.hears()
    assert told["code"] == "NO_CAPABLE_NODE"
    assert told["message"] == f"This session is paired with the node anna, which can't {cannot}."
    await ben.says(src_lang="en", tgt_lang="zh")
    await anna.answers(await anna.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"
    assert len(anna.jobs) == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"src_lang": "zh", "tgt_lang": "en"},
        {"src_lang": "auto", "tgt_lang": "en"},
        {"mode": "two_way_auto", "lang_a": "zh", "lang_b": "en"},
    ],
)
async def test_a_node_that_translates_one_way_only_is_not_asked_for_the_other(
    node, session, code_of, asked
):
    anna = await node(
        language_capabilities=speaking(["en", "zh"], ["en", "zh"], ["en", "zh"]),
        nmt_pairs=[["en-GB", "zh"]],
    )
    ben = await session(pairing_code=await code_of("anna"))
    await ben.says(**asked)
    told = await ben.hears()
    assert told["code"] == "NO_CAPABLE_NODE"
    assert "paired with the node anna, which can't translate from" in told["message"]
    await ben.says(src_lang="en", tgt_lang="zh-Hans")
    await anna.answers(await anna.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"
    assert len(anna.jobs) == 1


async def test_while_its_node_is_away_its_utterances_wait_and_are_refused_clearly(
    store, node, session, code_of
):
    anna = await node()
    ben = await session(pairing_code=await code_of("anna"))
    await node("mary")
    anna.vanishes()
    await until(lambda: views.nodes(store, ["anna"])["anna"].state == "offline")
    await ben.says()
    assert (await ben.hears())["code"] == "QUEUE_TIMEOUT"


async def test_a_pairing_outlives_the_nodes_reconnect(store, node, elsewhere, session, code_of):
    anna = await node()
    ben = await session(pairing_code=await code_of("anna"))
    anna.vanishes()
    await until(lambda: views.nodes(store, ["anna"])["anna"].state == "offline")
    again = await elsewhere("anna")
    await ben.says(deadline_ms=5_000)
    await again.answers(await again.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_another_process_takes_the_code_too(stage, store, jobs, node, code_of):
    await node()
    other = await stage.enter_async_context(Web(store, jobs, NodeSettings()))
    ack = await ack_of(other, pairing_code=await code_of("anna"))
    assert ack["assigned_node_id"] == "anna"


async def test_who_guesses_is_told_to_wait_and_not_whether_it_was_right(web, node, code_of):
    await node()
    code = await code_of("anna")
    for guess in (f"{(int(code) + CELLS * step) % 1_000_000:06d}" for step in (1, 2, 3)):
        assert "not valid" in (await ack_of(web, pairing_code=guess))["message"]
    ack = await ack_of(web, pairing_code=code)
    assert ack["assigned_node_id"] is None
    assert "Too many wrong pairing codes" in ack["message"]
    async with raw_peer(web.session_url) as peer:
        await peer.send(session_init("en", "zh", pairing_code=code, pairing_required=True))
        await peer.expect("error", code="RATE_LIMITED")
        assert await peer.closed() == 1013


async def test_what_is_no_code_is_no_guess(web, node, code_of):
    await node()
    for nonsense in ("12345", "1234567", "abcdef", "9" * 10_000):
        ack = await ack_of(web, pairing_code=nonsense)
        assert "not valid" in ack["message"]
    ack = await ack_of(web, pairing_code=await code_of("anna"))
    assert ack["assigned_node_id"] == "anna"


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "20010db800000000"),
        ("2001:db8::ffff:2", "20010db800000000"),
        ("", "local"),
    ],
)
def test_the_addresses_of_one_network_are_one_client(address, client):
    assert client_of(address) == client
