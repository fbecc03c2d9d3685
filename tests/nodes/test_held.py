"""What a node holds, as its process remembers it."""

from nodes.held import SESSIONS, Held


def taken(held: Held, job: str, attempt: int = 1) -> None:
    holding = held.add(job, attempt)
    assert holding is not None
    holding.taken, holding.trace = True, f"trace of {job}"


def test_an_attempt_is_brought_once():
    held = Held(life_ms=60_000)
    taken(held, "a", 2)
    assert held.add("a", 2) is None
    assert held.add("a", 1) is None
    assert held.add("a", 3) is not None


def test_what_was_taken_is_held_and_what_is_being_taken_is_coming():
    held = Held(life_ms=60_000)
    taken(held, "a")
    held.add("b", 4)
    assert held.pairs() == [("a", 1)]
    assert held.coming() == ["b"]
    assert held.trace("a") == "trace of a"
    assert held.trace("b") == ""


def test_an_answered_job_is_held_no_more():
    held = Held(life_ms=60_000)
    taken(held, "a")
    taken(held, "b", 2)
    held.remove("a")
    held.remove("b", 1)
    assert held.pairs() == [("b", 2)]


def test_a_node_that_says_what_it_runs_holds_nothing_else():
    held = Held(life_ms=60_000)
    for job in "abc":
        taken(held, job)
    held.keep_only(["b", "x"])
    assert held.pairs() == [("b", 1)]


def test_a_job_that_is_over_anyway_is_forgotten():
    held = Held(life_ms=0)
    taken(held, "a")
    assert held.pairs() == []
    assert len(held) == 0


def test_no_index_is_used_twice_for_a_session():
    """Redis begins again with 5, as an older copy of itself."""
    held = Held(life_ms=60_000)
    assert [held.number("s", index) for index in (5, 6, 7, 5, 6, 9)] == [5, 6, 7, 8, 9, 10]
    assert held.number("t", 5) == 5
    assert held.numbers() == [("s", 10), ("t", 5)]


def test_a_job_of_no_session_keeps_its_index():
    held = Held(life_ms=60_000)
    assert [held.number("", 5) for _ in range(2)] == [5, 5]
    assert held.numbers() == []


def test_the_sessions_with_the_latest_utterances_are_remembered():
    held = Held(life_ms=60_000)
    for number in range(SESSIONS):
        held.number(f"s-{number}", 1)
    held.number("s-0", 2)
    held.number("new", 1)
    names = [session for session, _ in held.numbers()]
    assert (len(names), names[-2:]) == (SESSIONS, ["s-0", "new"])
    assert "s-1" not in names
