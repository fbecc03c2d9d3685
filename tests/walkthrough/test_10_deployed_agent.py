"""Agents as they are deployed: no ack, no partial, silence, and then a result."""

from tests.harness.books import job_of, life_of, used_slots
from tests.peers.agent import RECONNECT_S, Agent
from tests.peers.until import until

PACE = 0.1
SILENCE_S = 1.5  # three times what an acknowledging node would be given
PATIENT_MS = 20_000  # to wait for a slot


async def test_silence_and_then_a_result_is_one_attempt(parley, stage, session):
    agent = await stage.enter_async_context(Agent(parley.node_url, silence_s=SILENCE_S, pace=PACE))
    ben = await session("en", "zh")
    await ben.says()

    job = await agent.job()
    answer = await ben.hears()

    assert answer["text_translated"] == f"EN>ZH {job['job_id']}".upper()
    assert life_of(parley.store, job["job_id"]) == (
        "NEW SELECTING RESERVED DISPATCHED / DISPATCHED DONE"
    )
    assert len(agent.jobs) == 1


async def test_its_utterances_come_strictly_index_by_index(parley, stage, session):
    agent = await stage.enter_async_context(Agent(parley.node_url, silence_s=0.05, pace=PACE))
    ben, mia = await session("en", "zh"), await session("zh", "en")
    for _ in range(10):
        await ben.says(deadline_ms=PATIENT_MS)
        await mia.says(deadline_ms=PATIENT_MS)

    for speaker in (ben, mia):
        answers = [await speaker.hears() for _ in range(10)]
        assert [answer["utterance_index"] for answer in answers] == list(range(10))
        assert {answer["type"] for answer in answers} == {"translation_result"}
        sent = [job for job in agent.jobs if job["session_id"] == speaker.id]
        first = sent[0]["utterance_index"]
        assert [job["utterance_index"] for job in sent] == list(range(first, first + 10))
    assert agent.refused == []
    assert all(not order.gaps for order in agent.orders.values())


async def test_it_heartbeats_before_it_registers_again(parley, stage, session):
    agent = await stage.enter_async_context(Agent(parley.node_url, node_id="old", pace=PACE))
    ben = await session("en", "zh")
    await ben.says()
    await ben.hears()

    agent.vanish()

    await agent.frame("error", within_s=5 * RECONNECT_S * PACE)
    await until(agent.registered.is_set)
    await ben.says()
    assert (await ben.hears())["type"] == "translation_result"
    assert [frame["code"] for frame in agent.received if frame["type"] == "error"] == [
        "NODE_UNAVAILABLE"
    ]
    assert not agent.gave_up.is_set()
    assert agent.refused == []


async def test_what_it_worked_on_meanwhile_counts_when_it_is_back(parley, stage, session):
    agent = Agent(parley.node_url, node_id="old", silence_s=1.0, pace=PACE)
    await stage.enter_async_context(agent)
    ben = await session("en", "zh")
    await ben.says()
    job = await agent.job()

    agent.vanish()

    assert (await ben.hears())["job_id"] == job["job_id"]
    assert job_of(parley.store, job["job_id"]).attempt == 1


async def test_a_cancel_stops_nothing_and_costs_nothing(parley, stage, session):
    agent = Agent(parley.node_url, node_id="old", silence_s=0.5, pace=PACE)
    await stage.enter_async_context(agent)
    ben, mia = await session("en", "zh"), await session("en", "zh")
    await ben.says()
    await agent.job()
    await ben.ends()
    await agent.frame("job_cancel")

    await mia.says()
    assert (await mia.hears())["type"] == "translation_result"
    await until(lambda: used_slots(parley.store, "old") == 0)
