"""What the page offers before anybody has spoken: only what works, and why the rest does not."""

from typing import Any

import httpx
import pytest

from tests.peers.until import until

pytestmark = pytest.mark.asyncio(loop_scope="package")

EN_ES = {"nmt_pairs": [["en", "es"]]}


async def choices(http: httpx.AsyncClient, src: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sources and targets, by language."""
    answer = (await http.get("/talk/languages/", params={"from": src})).json()
    sources, targets = answer["sources"], answer["targets"]
    return {one["lang"]: one for one in sources}, {one["lang"]: one for one in targets}


async def test_without_a_node_there_is_nothing_to_choose(http):
    sources, targets = await choices(http, "en")
    assert {one["state"] for one in sources.values()} == {"none"}
    assert targets == {}


async def test_a_language_is_offered_only_where_a_node_translates_into_it(http, web, node):
    await node("anna", languages=["en", "es"], **EN_ES)
    await node("mary", languages=["en", "zh"])
    await until(lambda: len(web.process.snapshot.pools(0)) == 2)

    sources, targets = await choices(http, "en")
    assert {name: one["state"] for name, one in sources.items()} == {
        "auto": "ready", "en": "ready", "es": "ready", "zh": "ready"
    }  # fmt: skip
    ready = {"state": "ready", "spoken": True, "typed": False}
    assert targets == {"es": {"lang": "es", **ready}, "zh": {"lang": "zh", **ready}}

    _, from_spanish = await choices(http, "es-MX")
    assert from_spanish["en"]["state"] == "none"
    assert from_spanish["en"]["reason"] == "lang_pair_unsupported"


async def test_speech_and_typing_are_offered_where_a_node_does_them(http, web, node):
    silent = [{"type": name, "ready": True} for name in ("asr", "nmt", "semantic")]
    await node("anna", capability_by_type=silent)
    await until(lambda: web.process.snapshot.pools(0))
    _, targets = await choices(http, "en")
    assert (targets["zh"]["spoken"], targets["zh"]["typed"]) == (False, False)

    await node("mary", audio_formats=["opus", "pcm16", "text"])
    await until(lambda: len(web.process.snapshot._cells[0].offers["auto:en-zh"]) == 2)
    _, targets = await choices(http, "en")
    assert (targets["zh"]["spoken"], targets["zh"]["typed"]) == (True, True)


async def test_a_full_node_is_busy_and_a_lost_one_is_away(http, web, node, session):
    anna, ben = await node("anna", slots=1), await session("en", "zh")
    await ben.says()
    job = await anna.job()
    _, targets = await choices(http, "en")
    assert targets["zh"]["state"] == "busy"
    await anna.answers(job, "你好")
    await ben.hears()

    anna.vanishes()

    async def away() -> bool:
        _, targets = await choices(http, "en")
        return bool(targets["zh"].get("reason") == "offline")

    while not await away():
        pass


async def test_what_is_typed_goes_to_a_node_that_takes_text(web, node, session):
    await node("anna")
    mary = await node("mary", audio_formats=["pcm16", "text"])
    ben = await session("en", "zh", accepts=["errors"])
    typed = {"audio_format": "text", "pipeline": {"use_asr": False}}
    await ben.says("Z29vZCBtb3JuaW5n", **typed)  # good morning
    job = await mary.job()
    assert (job["audio"], job["audio_format"]) == ("Z29vZCBtb3JuaW5n", "text")
    assert job["pipeline"]["use_asr"] is False
    await mary.answers(job, "早上好")
    assert (await ben.hears())["text_translated"] == "早上好"


async def test_where_a_sentence_was_placed_is_told_to_those_who_understand_it(node, session):
    anna = await node("anna")
    for accepts, hint in ((["errors"], "anna"), ([], None)):
        ben = await session("en", "zh", accepts=accepts)
        await ben.says()
        placed = await ben.peer.expect("ui_event", event="DISPATCHED")
        assert placed.get("hint") == hint
        await anna.answers(await anna.job(), "你好")
        await ben.hears()
