"""Ids are new, in every process."""

import os

from lua import ids


def test_no_id_comes_twice() -> None:
    made = [ids.new_token() for _ in range(3_000)]
    made += [ids.new_node() for _ in range(3_000)]
    made += [ids.new_job(0, 1) for _ in range(3_000)]
    assert len(set(made)) == len(made)
    assert {len(one) for one in made} == {16, 13, 20}


def test_jobs_and_sessions_lie_in_their_cell() -> None:
    for cell in range(3):
        assert ids.cell_of(ids.new_job(cell, 3), 3) == cell
        assert ids.cell_of(ids.new_session(cell, 3), 3) == cell


def test_a_forked_process_makes_ids_of_its_own() -> None:
    ids.new_token()  # some random bytes are left over
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.write(writes, ids.new_token().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reads, 16).decode() != ids.new_token()
    os.close(reads)
    os.close(writes)
