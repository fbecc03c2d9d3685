"""A node whose jobs fail again and again gets none for a while; one good job brings it back."""

from lua import views
from lua.scripts import Command, control_node
from tests.harness.books import notes
from tests.peers.until import until


def breaker(parley, name: str) -> str:
    return views.nodes(parley.store, [name])[name].breaker.state.value


async def fails_one(anna, mary, session) -> None:
    """Somebody speaks, anna fails, mary answers."""
    ben = await session("en", "zh")
    await ben.says(preferred_node_id="anna")
    await anna.fails(await anna.job(), "NMT_TIMEOUT")
    await mary.answers(await mary.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_three_failures_that_nobody_else_had_open_its_breaker(parley, node, session):
    anna, mary = await node("anna"), await node("mary")
    for _ in range(3):
        assert breaker(parley, "anna") == "closed"
        await fails_one(anna, mary, session)
    await until(lambda: breaker(parley, "anna") == "open")
    assert [note.text for note in notes(parley.store, "breaker_open")] == ["NMT_TIMEOUT"]

    ben = await session("en", "zh")
    await ben.says(preferred_node_id="anna")
    await mary.answers(await mary.job(), "anna rests")
    assert (await ben.hears())["text_translated"] == "anna rests"


async def test_an_operator_who_has_mended_it_says_so(parley, node, session):
    anna, mary = await node("anna"), await node("mary")
    for _ in range(3):
        await fails_one(anna, mary, session)
    await until(lambda: breaker(parley, "anna") == "open")
    await control_node(
        parley.process.cells, cell=0, node="anna", command=Command.CLEAR, reason="a new GPU"
    )
    assert breaker(parley, "anna") == "closed"
    ben = await session("en", "zh")
    await ben.says(preferred_node_id="anna")
    await anna.answers(await anna.job(), "back again")
    assert (await ben.hears())["text_translated"] == "back again"
