"""Speech need not come whole: it is cut into utterances, and the parts of a turn stay together."""

from lua.scripts import Command, control_node
from tests.harness.frames import opus

TEN_SECONDS = 510  # packets of 20 ms, and a little more: nobody speaks longer in one utterance


async def test_somebody_presses_a_button_speaks_and_lets_go(node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    for number in range(5):
        await ben.streams(opus(10, start=10 * number))
    await ben.streams(final=True)
    job = await anna.job()
    assert job["is_manual_cut"]
    await anna.answers(job, "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_somebody_who_does_not_stop_is_translated_all_the_same(parley, node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.streams(opus(TEN_SECONDS + 50))
    first = await anna.job()
    assert first["is_max_duration_triggered"]
    await anna.answers(first, "the first ten seconds")
    assert (await ben.hears())["text_translated"] == "the first ten seconds"

    # More nodes come, and anna is to be switched off: the rest of the turn goes elsewhere.
    mary = await node("mary")
    await control_node(
        parley.process.cells, cell=0, node="anna", command=Command.DRAIN, reason="a new GPU"
    )
    await ben.streams(final=True)
    rest = await mary.job()
    assert rest["turn_id"] == first["turn_id"]
    await mary.answers(rest, "and one more")
    assert (await ben.hears())["text_translated"] == "and one more"


async def test_a_node_may_answer_for_all_of_a_turn_at_its_end(node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.streams(opus(TEN_SECONDS + 50), final=True)
    first, last = await anna.job(), await anna.job()
    assert first["turn_id"] == last["turn_id"]
    await anna.answers(last, "all of it")
    without, with_text = await ben.hears(), await ben.hears()
    assert without["reason"] == "silence_detected"
    assert with_text["text_translated"] == "all of it"


async def test_noise_on_the_line_costs_one_utterance(node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.streams(b"\xff\xff\xff")
    refused = await ben.hears()
    assert (refused["reason"], refused["code"]) == ("job_failed", "INVALID_MESSAGE")
    await ben.streams(final=True)
    await ben.says(utterance_index=1)
    await anna.answers(await anna.job(), "clear again")
    assert (await ben.hears())["text_translated"] == "clear again"
