"""A call of every script in every situation that makes it do something else.

Each scene prepares a stage and returns the call that it is about.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from lua import scripts
from lua.scripts import AckKind, Command, Need, Sight, Verdict
from tests.lua.fleet import PAYLOAD, POOL, a_job, a_node
from tests.lua.stage import Stage

Act = Callable[[], Any]
Scene = Callable[[Stage], Act]
SCENES: dict[str, Scene] = {}
TTS = Need((POOL,), ("tts:zh",))
PINNED = Need((), (), "n1")


def scene(prepare: Scene) -> Scene:
    """Add a scene to the corpus."""
    SCENES[prepare.__name__] = prepare
    return prepare


def _register(stage: Stage, name: str, **told: Any) -> Act:
    return lambda: stage.node(name, **told)


# --- nodes ---


@scene
def a_node_registers(stage: Stage) -> Act:
    return _register(stage, "n1", has=["tts:zh", "type:tone"])


@scene
def a_node_registers_for_waiting_jobs(stage: Stage) -> Act:
    stage.node("n0", capacity=0)
    for number in range(10):
        stage.send(f"j{number}", need=TTS if number % 2 else Need((POOL,)), deadline_ms=5_000)
    return _register(stage, "n1", has=["tts:zh"], capacity=9)


@scene
def a_node_comes_back_with_some_of_its_jobs(stage: Stage) -> Act:
    stage.node("n1", capacity=3)
    stage.running("j1", "n1")
    stage.running("j2", "n1")
    stage.send("j3")
    stage.offline("n1")
    stage.pass_ms(2_000)
    return _register(stage, "n1", conn="n1-2", capacity=3, running=["j1"], core=False)


@scene
def a_node_is_given_back_jobs_that_were_given_up(stage: Stage) -> Act:
    stage.node("n2", capacity=0)
    stage.node("n1")
    stage.running("j1", "n1")
    stage.send("j2")
    stage.offline("n1")
    stage.cells.advance(1_900)
    stage.reap()
    stage.cells.advance(101)
    stage.reap(limit=1)
    return _register(stage, "n1", conn="n1-2", process="p2")


@scene
def a_node_says_what_it_holds(stage: Stage) -> Act:
    stage.node("n1", capacity=1)
    stage.running("here", "n1")
    stage.node("n2", capacity=3)
    stage.running("there", "n2")
    stage.send("reserved there")
    stage.send("done")
    stage.take("done", "n2")
    stage.finish("done", "n2")
    stage.send("waits for tts", need=Need(("auto:x",)), deadline_ms=-1)
    stage.node("n3", pools=["auto:x"], capacity=0)
    stage.send("waits", need=Need(("auto:x",)))
    held = [("here", 1), ("there", 2), ("reserved there", 1), ("done", 3), ("waits", 1), ("new", 4)]
    return _register(stage, "n1", capacity=9, held=held, sent=[("s-1", 10**12)])


@scene
def a_node_claims_what_it_was_reserved(stage: Stage) -> Act:
    stage.node("n1")
    stage.send("j1")
    stage.send("j2")
    return _register(stage, "n1", held=[("j1", 1)])


@scene
def a_node_is_refused(stage: Stage) -> Act:
    stage.node("n1")
    return _register(stage, "n1", conn="n1-2", credential="another")


@scene
def a_node_is_fought_over(stage: Stage) -> Act:
    stage.node("n1")
    for number in range(2, 6):
        stage.node("n1", conn=f"n1-{number}", address=f"192.0.2.{number}")
    return _register(stage, "n1", conn="n1-9", address="192.0.2.9")


@scene
def a_heartbeat_has_no_news(stage: Stage) -> Act:
    stage.node("n1")
    stage.cells.advance(15_000)
    return lambda: stage.beat("n1")


@scene
def a_heartbeat_changes_everything(stage: Stage) -> Act:
    stage.node("n1", core=False, has=["tts:zh"])
    stage.node("n2", capacity=0)
    stage.send("j1")
    about = a_node(pools=[POOL, "own:x"], has=["type:tone"], definition='{"x":1}')
    return lambda: stage.beat("n1", about=about)


@scene
def a_heartbeat_ends_silent_jobs(stage: Stage) -> Act:
    stage.node("n1", capacity=3)
    for job in ("j1", "j2", "j3"):
        stage.running(job, "n1")
    stage.cancel("j3")
    stage.node("n1", conn="n1-2", capacity=3, held=[("j1", 1), ("j2", 1), ("j3", 1), ("j4", 1)])
    stage.send("j5")
    for _ in range(3):
        stage.cells.advance(5_000)
        stage.beat("n1", conn="n1-2", running=0)
    stage.cells.advance(5_000)
    return lambda: stage.beat("n1", conn="n1-2", running=0)


@scene
def a_heartbeat_ends_a_silent_job_of_this_connection(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.running("j2", "n1")
    for _ in range(3):
        stage.cells.advance(5_000)
        stage.beat("n1", running=0)
    stage.running("j3", "n1") if stage.record("n1").ready else None
    stage.cells.advance(5_000)
    return lambda: stage.beat("n1", running=0)


@scene
def a_heartbeat_shows_work(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.cells.advance(10_000)
    stage.beat("n1", running=0)
    return lambda: stage.beat("n1", running=2)


@scene
def a_socket_closes(stage: Stage) -> Act:
    stage.node("n1")
    stage.node("n2")
    stage.running("j1", stage.send("j1").node)
    return lambda: stage.offline(stage.field("j1", "node"))


@scene
def a_configuration_changes_pools(stage: Stage) -> Act:
    stage.node("n1", enabled=False, definition='{"x":1}')
    stage.node("n2", capacity=0, pools=["own:x"])
    stage.send("j1", need=Need(("own:x",)))
    about = a_node(pools=["own:x"], has=["tts:zh"])
    return lambda: stage.do(scripts.change_pools, cell=0, node="n1", about=about)


@scene
def an_operator_resumes_a_node(stage: Stage) -> Act:
    stage.node("n1")
    stage.control("n1", Command.DRAIN)
    stage.send("j1")
    return lambda: stage.control("n1", Command.RESUME)


@scene
def an_operator_shuts_a_node_down(stage: Stage) -> Act:
    stage.node("n1", core=False)
    return lambda: stage.control("n1", Command.SHUTDOWN, "why")


@scene
def a_node_that_is_to_leave_is_registered_again(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.control("n1", Command.SHUTDOWN)
    return lambda: stage.node("n1")


@scene
def an_operator_wants_a_heartbeat(stage: Stage) -> Act:
    stage.node("n1")
    return lambda: stage.control("n1", Command.REFRESH, "why")


@scene
def an_operator_kicks_a_node(stage: Stage) -> Act:
    stage.node("n1")
    return lambda: stage.control("n1", Command.KICK)


@scene
def a_node_is_forgotten(stage: Stage) -> Act:
    stage.node("n1", has=["tts:zh"], definition='{"x":1}')
    stage.offline("n1")
    return lambda: stage.do(scripts.forget_node, cell=0, node="n1", offline_ms=0)


@scene
def free_slots_are_offered(stage: Stage) -> Act:
    stage.node("n1", capacity=0)
    for number in range(10):
        stage.send(f"j{number}")
    stage.beat("n1", about=a_node(capacity=20))
    return lambda: stage.do(scripts.offer, cell=0, node="n1")


# --- jobs ---


@scene
def a_job_finds_a_node(stage: Stage) -> Act:
    stage.node("n1", has=["tts:zh"])
    stage.node("n2")
    return lambda: stage.send("j1", need=TTS, request="t/c/1", preferred="n2")


@scene
def a_job_passes_stale_nodes(stage: Stage) -> Act:
    for number in range(6):
        stage.node(f"n{number}")
    stage.cells.advance(46_000)
    stage.node("n9")
    stage.beat("n9", running=1)
    return lambda: stage.send("j1")


@scene
def a_job_waits(stage: Stage) -> Act:
    stage.node("n1", capacity=0)
    return lambda: stage.send("j1")


@scene
def a_job_is_refused(stage: Stage) -> Act:
    stage.node("n1", capacity=0)
    stage.node("n2")
    wishes: dict[str, Any] = {"avoid": ["n2"], "request": "t/c/1", "deadline_ms": 0}
    return lambda: stage.send("j1", need=Need((POOL,), ("tts:zh",)), **wishes)


@scene
def a_job_comes_while_the_cell_is_full(stage: Stage) -> Act:
    stage.node("n1")
    stage.cells.blocking.set(f"{stage.cells.prefixes[0]}brake", "memory_full", px=600_000)
    stage.look(0)
    return lambda: stage.send("j1", request="t/c/1")


@scene
def a_job_is_known(stage: Stage) -> Act:
    stage.node("n1")
    stage.send("j1", request="t/c/1")
    return lambda: stage.send("j2", request="t/c/1")


@scene
def a_job_finds_a_node_for_those_that_wait(stage: Stage) -> Act:
    stage.node("n1", capacity=0)
    for job in ("j1", "j2"):
        stage.send(job, avoid=["n2"])
    stage.node("n2", capacity=3)
    stage.cells.advance(1_000)
    return lambda: stage.send("j3")


@scene
def a_job_is_pinned(stage: Stage) -> Act:
    stage.node("n1", public=False)
    return lambda: stage.send("j1", need=PINNED)


@scene
def a_job_is_taken(stage: Stage) -> Act:
    stage.node("n1")
    stage.send("j1")
    return lambda: stage.take("j1", "n1")


def _turn(stage: Stage, *parts: str) -> None:
    for number, part in enumerate(parts):
        stage.send(part, turn=f"t{'.' * part.endswith('.')}", index=number, preferred="n1")
        stage.take(part, "n1")


@scene
def a_turn_is_answered(stage: Stage) -> Act:
    stage.node("n1", capacity=3)
    _turn(stage, "j1", "j2", "j.")
    stage.ack("j2", "n1")
    stage.send("waits")
    return lambda: stage.finish("j.", "n1", result=b"{}")


@scene
def a_part_of_a_turn_is_answered(stage: Stage) -> Act:
    stage.node("n1", capacity=3)
    _turn(stage, "j1", "j2", "j.")
    return lambda: stage.finish("j2", "n1", result=b"{}")


@scene
def a_silent_part_of_a_turn_is_waited_for(stage: Stage) -> Act:
    stage.node("n1", capacity=3)
    _turn(stage, "j1")
    for _ in range(3):
        stage.cells.advance(5_000)
        stage.beat("n1", running=0)
    stage.send("j.", turn="t.", index=9)
    stage.cells.advance(5_000)
    return lambda: stage.beat("n1", running=0)


@scene
def a_job_has_lost_its_payload(stage: Stage) -> Act:
    stage.node("n1", capacity=1)
    stage.send("j1")
    stage.send("j2")
    stage.expire(0, "payload:j1")
    return lambda: stage.take("j1", "n1")


@scene
def a_job_is_acknowledged(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    return lambda: stage.ack("j1", "n1")


@scene
def a_job_has_a_partial_text(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.ack("j1", "n1")
    return lambda: stage.ack("j1", "n1", AckKind.PARTIAL)


@scene
def a_job_is_done_and_another_takes_its_slot(stage: Stage) -> Act:
    stage.node("n1", capacity=1)
    stage.running("j1", "n1")
    stage.send("j2")
    return lambda: stage.finish("j1", "n1", result=b"{}")


@scene
def a_last_job_of_a_leaving_node_is_done(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.control("n1", Command.SHUTDOWN)
    return lambda: stage.finish("j1", "n1")


@scene
def a_job_fails_and_is_placed_again(stage: Stage) -> Act:
    stage.node("n1", capacity=1)
    stage.running("j1", "n1")
    stage.send("j2")
    stage.node("n2", capacity=9)
    return lambda: stage.fail("j1", "n1")


@scene
def a_job_fails_and_waits(stage: Stage) -> Act:
    stage.node("n1", capacity=1)
    stage.running("j1", "n1")
    stage.node("n2", capacity=0)
    stage.send("j2")
    return lambda: stage.fail("j1", "n1")


@scene
def a_job_fails_for_good(stage: Stage) -> Act:
    stage.node("n1", capacity=1)
    stage.running("j1", "n1")
    stage.send("j2", request="t/c/1")
    return lambda: stage.finish("j1", "n1", Verdict.FAIL, "INVALID_MESSAGE")


@scene
def a_cancelled_job_is_answered(stage: Stage) -> Act:
    stage.node("n1", capacity=1)
    stage.running("j1", "n1")
    stage.cancel("j1")
    stage.send("j2")
    return lambda: stage.finish("j1", "n1", result=b"{}")


@scene
def a_result_comes_late(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.cancel("j1")
    stage.finish("j1", "n1")
    return lambda: stage.finish("j1", "n1", result=b"{}")


@scene
def a_job_is_released(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.node("n2")
    return lambda: stage.release("j1", "n1")


@scene
def a_claimed_job_is_released(stage: Stage) -> Act:
    stage.node("n1", held=[("j1", 2)])
    return lambda: stage.release("j1", "n1", attempt=2)


@scene
def a_cancelled_job_is_released(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.cancel("j1")
    return lambda: stage.release("j1", "n1")


@scene
def a_waiting_job_is_cancelled(stage: Stage) -> Act:
    stage.node("n1", capacity=0)
    stage.send("j1", request="t/c/1")
    stage.send("j2")
    return lambda: stage.cancel("j1")


@scene
def a_reserved_job_is_cancelled(stage: Stage) -> Act:
    stage.node("n1", capacity=1)
    stage.send("j1")
    stage.send("j2")
    return lambda: stage.cancel("j1")


@scene
def a_running_job_is_cancelled(stage: Stage) -> Act:
    stage.node("n1", capacity=1)
    stage.running("j1", "n1")
    return lambda: stage.cancel("j1")


@scene
def a_job_is_restored(stage: Stage) -> Act:
    return lambda: _restore(stage, "j1")


@scene
def a_claimed_job_is_restored(stage: Stage) -> Act:
    stage.node("n1", held=[("j1", 2)])
    return lambda: _restore(stage, "j1")


def _restore(stage: Stage, job: str) -> Any:
    return stage.do(scripts.restore_job, cell=0, job=a_job(job, request="t/c/1"), payload=PAYLOAD)


def _fail(stage: Stage, number: int) -> Act:
    """``n1`` fails a job; the act is ``n2``'s result."""
    job = f"f{number}"
    stage.open_session(f"s-{job}")
    stage.send(job, session=f"s-{job}", preferred="n1")
    stage.take(job, "n1")
    stage.fail(job, "n1")
    stage.take(job, stage.field(job, "node"), attempt=2)
    return lambda: stage.finish(job, stage.field(job, "node"), token=f"{job}-2")


def _sick(stage: Stage, failures: int) -> None:
    stage.node("n1")
    stage.node("n2", capacity=9)
    for number in range(failures):
        _fail(stage, number)()


@scene
def a_failure_is_charged(stage: Stage) -> Act:
    _sick(stage, 0)
    return _fail(stage, 0)


@scene
def a_failure_opens_a_breaker(stage: Stage) -> Act:
    _sick(stage, 2)
    return _fail(stage, 2)


@scene
def a_breaker_is_half_open(stage: Stage) -> Act:
    _sick(stage, 3)
    stage.pass_ms(9_900)
    return _due(stage, 200)


@scene
def a_job_proves_a_node_well(stage: Stage) -> Act:
    _sick(stage, 3)
    stage.pass_ms(10_100)
    stage.send("j1", preferred="n1")
    stage.take("j1", "n1")
    return lambda: stage.finish("j1", "n1")


@scene
def a_good_job_of_a_marked_node(stage: Stage) -> Act:
    _sick(stage, 1)
    stage.send("j1", preferred="n1")
    stage.take("j1", "n1")
    return lambda: stage.finish("j1", "n1")


def _lame(stage: Stage, failures: int) -> Act:
    """``n1`` fails jobs by its speech; the act is ``n2``'s last result."""
    stage.node("n1")
    stage.node("n2", capacity=9)
    act: Act = dict
    for number in range(failures):
        act()
        job = f"f{number}"
        stage.send(job, session="", preferred="n1")
        stage.take(job, "n1")
        stage.fail(job, "n1", "TTS_TIMEOUT", "tts-1")
        stage.take(job, "n2", attempt=2)
        act = partial(stage.finish, job, "n2", token=f"{job}-2")
    return act


@scene
def a_failure_is_charged_to_a_service(stage: Stage) -> Act:
    return _lame(stage, 1)


@scene
def a_failure_takes_a_service_out(stage: Stage) -> Act:
    return _lame(stage, 3)


@scene
def a_service_comes_back_on_trial(stage: Stage) -> Act:
    _lame(stage, 3)()
    stage.pass_ms(9_900)
    return _due(stage, 200)


@scene
def a_service_lacks_its_model(stage: Stage) -> Act:
    stage.node("n1")
    missing: Any = {"service": "tts-1", "code": "MODEL_NOT_AVAILABLE", "out_ms": 60_000}
    return lambda: stage.do(scripts.service_out, cell=0, node="n1", **missing)


@scene
def a_lame_node_is_forgotten(stage: Stage) -> Act:
    _lame(stage, 3)()
    stage.offline("n1")
    return lambda: stage.do(scripts.forget_node, cell=0, node="n1", offline_ms=0)


@scene
def a_breaker_is_cleared(stage: Stage) -> Act:
    _sick(stage, 3)
    return lambda: stage.control("n1", Command.CLEAR)


# --- processes and sessions ---


@scene
def a_process_begins(stage: Stage) -> Act:
    return lambda: stage.renew("p2")


@scene
def a_session_is_taken_over(stage: Stage) -> Act:
    stage.node("n1", capacity=1)
    for job in ("j1", "j2", "j3"):
        stage.send(job)
    return lambda: stage.open_session(process="p2", known=["j2"])


@scene
def a_session_waits_for_its_client(stage: Stage) -> Act:
    return lambda: stage.open_session(proof="one", away=True)


@scene
def an_answer_is_kept_for_a_session_that_may_be_resumed(stage: Stage) -> Act:
    stage.open_session(proof="one")
    stage.node("n1")
    stage.running("j1", "n1")
    return lambda: stage.finish("j1", "n1", result=b"{}")


@scene
def an_utterance_makes_no_job(stage: Stage) -> Act:
    stage.open_session(proof="one")
    return lambda: stage.refuse("j1", index=3)


@scene
def a_session_is_resumed(stage: Stage) -> Act:
    stage.open_session(proof="one", away=True)
    return lambda: stage.resume_session("one", "two")


@scene
def a_session_is_resumed_once_more_because_the_first_time_was_not_acknowledged(
    stage: Stage,
) -> Act:
    stage.open_session(proof="one", away=True)
    stage.resume_session("one", "two")
    return lambda: stage.resume_session("one", "three")


@scene
def a_session_ends(stage: Stage) -> Act:
    stage.node("n1", capacity=1)
    stage.running("j1", "n1")
    stage.node("n2", capacity=1)
    stage.send("j2")
    stage.send("j3")
    stage.send("j4", session="")
    return lambda: stage.do(scripts.close_session, cell=0, session="s-1", process="p1")


@scene
def a_configuration_is_written(stage: Stage) -> Act:
    return lambda: stage.do(scripts.write_config, cell=0, version=3, content=b"{}")


@scene
def something_is_noted(stage: Stage) -> Act:
    stage.node("n1")
    what = Sight.NODE_ERROR
    return lambda: stage.do(scripts.note, cell=0, what=what, node="n1", text="GPU_LOST")


# --- the doctor's (what is damaged is in test_doctor.py) ---


@scene
def a_node_is_mended(stage: Stage) -> Act:
    stage.node("n1", has=["tts:zh"])
    stage.running("j1", "n1")
    return lambda: stage.do(scripts.mend_node, cell=0, node="n1")


@scene
def an_offline_node_is_mended(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.offline("n1")
    return lambda: stage.do(scripts.mend_node, cell=0, node="n1")


@scene
def a_job_is_mended(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    return lambda: stage.do(scripts.mend_job, cell=0, job="j1")


@scene
def a_job_at_its_end_is_mended(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.finish("j1", "n1")
    return lambda: stage.do(scripts.mend_job, cell=0, job="j1")


@scene
def a_session_is_mended(stage: Stage) -> Act:
    stage.node("n1", capacity=0)
    stage.send("j1")
    return lambda: stage.do(scripts.mend_session, cell=0, session="s-1")


@scene
def a_queue_is_mended(stage: Stage) -> Act:
    stage.node("n1", capacity=0)
    stage.send("j1")
    return lambda: stage.do(scripts.mend_queue, cell=0, sig=Need((POOL,)).sig, head="own:x")


@scene
def an_entry_is_mended(stage: Stage) -> Act:
    return lambda: stage.do(scripts.mend_entry, cell=0, key="pool:own:x", member="nobody")


# --- time ---


def _due(stage: Stage, ms: int) -> Act:
    stage.cells.advance(ms)
    return lambda: stage.do(scripts.reap, cell=0)


@scene
def reservations_and_runs_are_over(stage: Stage) -> Act:
    stage.node("n1", capacity=5, held=[("claimed", 2)])
    stage.running("runs", "n1")
    stage.running("cancelled", "n1")
    stage.cancel("cancelled")
    stage.pass_ms(58_000)
    stage.send("reserved")
    stage.node("n2", capacity=1)
    stage.send("waits", deadline_ms=1_000, need=Need(("auto:x",)))
    return _due(stage, 5_001)


@scene
def a_timer_fires_early(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    return _due(stage, 5_001)


@scene
def waits_are_over(stage: Stage) -> Act:
    stage.node("n1", capacity=0)
    for number in range(3):
        stage.send(f"j{number}")
    stage.cells.advance(9_000)
    stage.reap()
    return _due(stage, 1_001)


@scene
def a_lost_nodes_jobs_are_given_up(stage: Stage) -> Act:
    stage.node("n1", capacity=3)
    stage.running("j1", "n1")
    stage.send("j2")
    stage.node("n2", capacity=1)
    stage.node("n3")
    stage.offline("n1")
    stage.pass_ms(1_900)
    stage.cells.advance(200)
    stage.reap(limit=1)
    return lambda: stage.do(scripts.reap, cell=0)


@scene
def a_node_asks_for_its_jobs(stage: Stage) -> Act:
    stage.node("n1", capacity=4, process="")
    for job in ("reserved", "taken", "acked", "cancelled"):
        stage.send(job)
    for job in ("taken", "acked", "cancelled"):
        stage.take(job, "n1")
    stage.ack("acked", "n1")
    stage.cancel("cancelled")
    given: Any = {"node": "n1", "conn": "n1-1", "process": "p1"}
    return lambda: stage.do(scripts.attend_node, cell=0, **given)


@scene
def a_node_without_a_socket_is_kicked(stage: Stage) -> Act:
    stage.node("n1", process="")
    return lambda: stage.control("n1", Command.KICK)


# --- pairing ---


@scene
def a_code_is_given_out(stage: Stage) -> Act:
    stage.node("n1")
    return lambda: stage.do(scripts.issue_code, cell=0, code="000042", node="n1", mark="m")


def _redeem(stage: Stage) -> Act:
    given: Any = {"code": "000042", "mark": "try-1", "client": "192.0.2.1"}
    return lambda: stage.do(scripts.redeem_code, cell=0, **given)


@scene
def a_code_is_used(stage: Stage) -> Act:
    stage.node("n1")
    stage.issue()
    return _redeem(stage)


@scene
def a_code_is_guessed(stage: Stage) -> Act:
    return _redeem(stage)


@scene
def a_code_is_guessed_again(stage: Stage) -> Act:
    stage.redeem(mark="try-0")
    return _redeem(stage)


# --- time ---


@scene
def a_nodes_grace_is_over(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.node("n2")
    stage.offline("n1")
    stage.pass_ms(1_900)
    return _due(stage, 200)


@scene
def nodes_fall_silent(stage: Stage) -> Act:
    stage.node("n1")
    stage.node("n2", core=False)
    stage.alive = {"n2"}
    stage.pass_ms(44_900)
    return _due(stage, 300)


@scene
def a_node_never_gets_ready(stage: Stage) -> Act:
    stage.node("n1", core=False)
    stage.pass_ms(59_900)
    return _due(stage, 200)


@scene
def a_drain_reaches_its_deadline(stage: Stage) -> Act:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.node("n2")
    stage.control("n1", Command.DRAIN, deadline_ms=5_000)
    stage.pass_ms(4_900)
    return _due(stage, 200)


@scene
def a_process_is_gone(stage: Stage) -> Act:
    stage.node("n1")
    stage.node("n2", process="p2")
    stage.offline("n2")
    stage.reap()
    stage.cells.advance(1_900)
    stage.reap()
    return _due(stage, 200)


@scene
def a_session_is_gone(stage: Stage) -> Act:
    stage.node("n1")
    stage.send("j1")
    stage.processes = []
    stage.pass_ms(31_900)
    return _due(stage, 200)


@scene
def restored_jobs_are_placed(stage: Stage) -> Act:
    stage.node("n1", capacity=1)
    for job in ("j1", "j2"):
        stage.do(scripts.restore_job, cell=0, job=a_job(job), payload=PAYLOAD)
    return _due(stage, 1_001)


@scene
def a_session_ends_just_before_its_job(stage: Stage) -> Act:
    stage.node("n1", capacity=0)
    stage.send("j1", deadline_ms=32_050)
    stage.processes = []
    stage.pass_ms(31_900)
    return _due(stage, 200)


@scene
def queues_are_swept(stage: Stage) -> Act:
    stage.node("n1", capacity=0)
    stage.node("n0", pools=["auto:x"], capacity=0)
    stage.send("j0", need=Need(("auto:x",)))
    for number in range(1, 4):
        stage.send(f"j{number}", avoid=["n2"])
    stage.node("n2")
    return _due(stage, 1_001)
