"""Ben's phone is bound to Anna's machine by six digits that an operator reads out to him."""

import pytest

from lua import views
from tests.harness.actors import HELLO
from tests.peers.until import until

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_code_binds_one_session_to_a_private_node(node, session, rest):
    anna = await node("anna", accept_public_jobs=False)
    await node("mary")
    given = await rest.post("nodes/anna/pairing-code/")
    assert given.status_code == 201
    code = given.json()["code"]

    ben = await session("en", "zh", pairing_code=code, pairing_required=True)
    await ben.says()
    await anna.answers(await anna.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_the_code_is_good_once_and_then_he_is_anybody(node, session, rest):
    anna, mary = await node("anna", accept_public_jobs=False), await node("mary")
    code = (await rest.post("nodes/anna/pairing-code/")).json()["code"]
    await session("en", "zh", pairing_code=code)

    again = await session("en", "zh", pairing_code=code)
    await again.says()
    await mary.answers(await mary.job(), "mary's")
    assert (await again.hears())["text_translated"] == "mary's"
    assert not anna.jobs


async def test_he_waits_for_his_node_and_no_other(parley, node, session, rest):
    anna, mary = await node("anna"), await node("mary")
    code = (await rest.post("nodes/anna/pairing-code/")).json()["code"]
    ben = await session("en", "zh", pairing_code=code)
    anna.vanishes()
    await until(lambda: views.nodes(parley.store, ["anna"])["anna"].state == "offline")
    await ben.says(deadline_ms=5_000)

    back = await node("anna")
    await back.answers(await back.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"
    assert not mary.jobs


async def test_what_comes_by_rest_for_his_session_goes_there_too(node, session, rest):
    anna, mary = await node("anna", accept_public_jobs=False), await node("mary")
    code = (await rest.post("nodes/anna/pairing-code/")).json()["code"]
    ben = await session("en", "zh", pairing_code=code)
    said = {"src_lang": "en", "tgt_lang": "zh", "audio": HELLO, "session_id": ben.id}
    placed = await rest.post("jobs/", json=said)
    assert placed.json()["node_id"] == "anna"
    await anna.answers(await anna.job(), "你好")
    assert not mary.jobs


async def test_it_holds_where_his_session_goes_on(two_processes, node, session, rest):
    """At another process, which never saw the code."""
    here, there = two_processes
    anna, mary = await node("anna", accept_public_jobs=False), await node("mary")
    code = (await rest.post("nodes/anna/pairing-code/")).json()["code"]
    ben = await session("en", "zh", at=here, pairing_code=code, accepts=["resume"])
    ben.peer.vanish()

    again = await session("en", "zh", at=there, resume_token=ben.token, accepts=["resume"])
    assert again.id == ben.id
    await again.says(utterance_index=0)
    await anna.answers(await anna.job(), "你好")
    assert (await again.hears())["text_translated"] == "你好"
    assert not mary.jobs
