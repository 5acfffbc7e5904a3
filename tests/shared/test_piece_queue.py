"""Pieces on a real Redis: on their way from waiting to done, and everything that may come twice, late or never."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from shared.job_keys import ModelKeys
from shared.job_store import JobStore
from shared.jobs import JobStatus
from shared.piece_queue import PieceQueue, PieceState
from shared.queues import queue_name
from tests.support.jobs import FOUND, LONG, MODEL, finish, new_job, take, work

NOW = float("inf")


def made(jobs: JobStore, *texts: str) -> str:
    return jobs.create(new_job(*texts)).job_id


# Taking


def test_pieces_are_taken_oldest_first(jobs: JobStore, queue: PieceQueue) -> None:
    ids = [made(jobs, "马云") for _ in range(5)]
    assert [piece.job_id for piece in take(queue, most=3)] == ids[:3]
    assert [piece.job_id for piece in take(queue, "another", most=3)] == ids[3:]


def test_as_many_are_taken_as_fit_but_one_of_any_size(jobs: JobStore, queue: PieceQueue) -> None:
    large, *small = (made(jobs, text) for text in ("马云" * 500, "马云", "马云", "马云" * 3, "马云"))
    one = queue.take("turn", 64, 12)
    assert [piece.job_id for piece in one.pieces] == [large]
    # 6 bytes each; the third would be 18 more, and those behind it do not overtake.
    two = queue.take("another", 64, 20)
    assert [piece.job_id for piece in two.pieces] == small[:2]


@pytest.mark.parametrize(("waiting", "takers", "given"), [(7, 2, 4), (7, 3, 3), (7, 7, 1), (7, 100, 1), (1, 2, 1)])
def test_nobody_takes_more_than_its_share(
    jobs: JobStore, queue: PieceQueue, waiting: int, takers: int, given: int
) -> None:
    for _ in range(waiting):
        jobs.create(new_job("马云"))
    assert len(queue.take("turn", most_pieces=10, most_bytes=10**9, takers=takers).pieces) == given


def test_where_nothing_waits_nothing_is_taken(queue: PieceQueue) -> None:
    taken = queue.take("turn", 64, 1000)
    assert (taken.pieces, taken.wake) == ([], False)


def test_pieces_of_ended_and_expired_jobs_are_passed_over(jobs: JobStore, queue: PieceQueue, redis: Redis) -> None:
    cancelled, expired, wanted = (made(jobs, "马云") for _ in range(3))
    jobs.cancel(cancelled)
    redis.delete(*redis.keys(f"raner:job:{expired}*"))
    assert [piece.job_id for piece in take(queue, most=3)] == [wanted]
    assert jobs.count_waiting(MODEL) == 0


def test_a_great_many_of_them_are_passed_over_in_several_steps(jobs: JobStore, queue: PieceQueue, redis: Redis) -> None:
    redis.rpush(ModelKeys(MODEL).waiting, *(f"gone:{number}" for number in range(1500)))
    wanted = made(jobs, "马云")
    first = queue.take("turn", 64, 1000, linger=60)
    assert (first.pieces, first.wake) == ([], True)
    assert [piece.job_id for piece in queue.take("turn", 64, 1000).pieces] == [wanted]


def test_what_a_turn_leaves_waiting_wants_another_turn(jobs: JobStore, queue: PieceQueue, redis: Redis) -> None:
    for _ in range(3):
        made(jobs, "马云")
    assert queue.take("one", 1, 0).wake
    redis.rpush(queue_name(MODEL), "a turn")
    assert not queue.take("two", 1, 0).wake
    redis.delete(queue_name(MODEL))
    assert not queue.take("three", 1, 0).wake  # that was the last


# Waiting for a piece


def test_a_piece_that_comes_ends_the_wait_and_is_the_turns(jobs: JobStore, queue: PieceQueue) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(queue.wait, "turn", 30)
        job_id = made(jobs, "马云")
        assert waiting.result(timeout=5)
    assert jobs.count_waiting(MODEL) == 0
    (piece,) = take(queue)
    assert (piece.job_id, piece.tries) == (job_id, 1)


def test_the_wait_ends_when_time_is_up(queue: PieceQueue) -> None:
    began = time.monotonic()
    assert not queue.wait("turn", 0.2)
    assert time.monotonic() - began >= 0.2


def test_a_piece_that_came_is_held_even_where_the_turn_dies_before_it_takes_it(
    jobs: JobStore, queue: PieceQueue
) -> None:
    job_id = made(jobs, "马云")
    assert queue.wait("turn", 1)
    held = queue.take_held("turn")
    assert held is not None
    assert held.job_id == job_id


# Turns that come twice, and pieces that do


def test_a_turn_that_comes_again_finds_what_it_left_one_by_one(jobs: JobStore, queue: PieceQueue) -> None:
    ids = [made(jobs, "马云") for _ in range(3)]
    finish(queue, take(queue, most=3)[:1])
    assert queue.take_held("another") is None
    for job_id in ids[1:]:
        held = queue.take_held("turn")
        assert held is not None
        assert (held.job_id, held.tries) == (job_id, 2)
        finish(queue, [held])
    assert queue.take_held("turn") is None


def test_only_the_piece_that_ends_its_worker_is_tried_again_and_again(jobs: JobStore, queue: PieceQueue) -> None:
    """The first piece ends each worker that takes it up; the others have been taken up together with it once."""
    for _ in range(3):
        made(jobs, "马云")
    deadly, *others = take(queue, most=3)
    for tries in range(2, 5):
        held = queue.take_held("turn")
        assert held is not None
        assert (held.job_id, held.tries) == (deadly.job_id, tries)
    jobs.fail(deadly.job_id, MODEL, "given up")
    for other in others:
        held = queue.take_held("turn")
        assert held is not None
        assert (held.job_id, held.tries) == (other.job_id, 2)
        finish(queue, [held])


def test_pieces_may_be_done_in_any_order(jobs: JobStore, queue: PieceQueue) -> None:
    job_id = made(jobs, *["马云"] * 70)
    assert jobs.read(job_id).total == 3
    first, second, third = take(queue, most=3)
    assert finish(queue, [third, first]) == [PieceState.RUNNING] * 2
    assert jobs.read(job_id).done == 2
    assert finish(queue, [second]) == [PieceState.SUCCEEDED]
    assert len(jobs.results(job_id)) == 70


def test_pieces_of_several_jobs_are_finished_together(jobs: JobStore, queue: PieceQueue) -> None:
    one, many = made(jobs, "马云"), made(jobs, *["马云"] * 40)
    pieces = take(queue, most=2)
    assert finish(queue, pieces) == [PieceState.SUCCEEDED, PieceState.RUNNING]
    assert jobs.read(one).status is JobStatus.SUCCEEDED
    assert jobs.read(many).done == 1


def test_a_piece_that_was_done_is_not_done_again(jobs: JobStore, queue: PieceQueue, redis: Redis) -> None:
    job_id = made(jobs, *["马云"] * 40)
    (piece,) = take(queue)
    finish(queue, [piece])
    redis.rpush(ModelKeys(MODEL).waiting, piece.name)
    assert [(each.job_id, each.number) for each in take(queue, most=9)] == [(job_id, 1)]


def test_a_piece_that_runs_twice_at_the_same_time_counts_once(jobs: JobStore, queue: PieceQueue) -> None:
    job_id = made(jobs, *["马云"] * 40)
    (first,) = take(queue)
    second = queue.take_held("turn")
    assert second is not None
    assert (first.tries, second.tries) == (1, 2)
    assert finish(queue, [first]) == finish(queue, [second]) == [PieceState.RUNNING]
    assert jobs.read(job_id).done == 1
    assert work(queue) is PieceState.SUCCEEDED


def test_a_worker_that_died_before_it_put_the_parts_together_is_replaced(jobs: JobStore, queue: PieceQueue) -> None:
    job_id = made(jobs, LONG)
    for _ in range(jobs.read(job_id).total):
        last = work(queue)
    assert last is PieceState.ASSEMBLE
    held = queue.take_held("turn")
    assert held is not None
    assert (held.job_id, held.items) == (job_id, [])
    jobs.succeed(job_id, MODEL, {0: FOUND})
    queue.drop("turn", held)
    assert queue.take_held("turn") is None


def test_the_end_comes_once_however_many_finish_together(jobs: JobStore, queue: PieceQueue) -> None:
    for _ in range(20):
        job_id = made(jobs, *["马云"] * 100)
        pieces = take(queue, most=4) * 2
        with ThreadPoolExecutor(8) as pool:
            states = [state for (state,) in pool.map(lambda piece: finish(queue, [piece]), pieces)]
        assert states.count(PieceState.SUCCEEDED) == 1
        assert jobs.read(job_id).done == 4


# Pieces that are lost


def test_what_was_taken_long_ago_is_put_back(jobs: JobStore, queue: PieceQueue) -> None:
    job_id = made(jobs, "马云")
    (piece,) = take(queue)
    assert queue.sweep(lost_before=time.time() - 60).pieces == []
    back = queue.sweep(lost_before=time.time() + 1)
    assert [lost.name for lost in back.pieces] == [piece.name]
    assert back.wake
    (again,) = take(queue, "another")
    assert (again.job_id, again.tries) == (job_id, 2)


def test_what_is_nowhere_is_put_back_once_nothing_waits(jobs: JobStore, queue: PieceQueue, redis: Redis) -> None:
    """As where the queue itself was deleted."""
    job_id = made(jobs, *["马云"] * 100)
    take(queue)
    redis.delete(ModelKeys(MODEL).waiting)
    other = made(jobs, "马云")
    assert queue.sweep(lost_before=taken_time(redis) - 1).pieces == []
    take(queue, "another")  # now nothing waits
    redis.zadd(ModelKeys(MODEL).open, {job_id: time.time() - 3600})
    names = {piece.name for piece in queue.sweep(lost_before=time.time() - 60).pieces}
    assert names == {f"{job_id}:{number}" for number in range(1, 4)}
    assert other not in {name.split(":")[0] for name in names}


def taken_time(redis: Redis) -> float:
    ((_, when),) = redis.zrange(ModelKeys(MODEL).taken, 0, 0, withscores=True)
    return float(when)


def test_a_job_whose_parts_nobody_put_together_is_put_back(jobs: JobStore, queue: PieceQueue, redis: Redis) -> None:
    job_id = made(jobs, LONG)
    for _ in range(jobs.read(job_id).total):
        work(queue)
    redis.delete(ModelKeys(MODEL).taken)
    assert [piece.name for piece in queue.sweep(NOW).pieces] == [f"{job_id}:0"]
    (piece,) = take(queue, "another")
    assert piece.items == []


def test_a_job_that_expired_is_forgotten(jobs: JobStore, queue: PieceQueue, redis: Redis) -> None:
    job_id = made(jobs, "马云")
    redis.delete(*redis.keys(f"raner:job:{job_id}*"))
    queue.sweep(NOW)
    assert jobs.count_open(MODEL) == 0


def test_the_sweep_wants_a_turn_where_pieces_wait_and_none_does(
    jobs: JobStore, queue: PieceQueue, redis: Redis
) -> None:
    assert not queue.sweep(0).wake
    made(jobs, "马云")
    assert queue.sweep(0).wake
    redis.rpush(queue_name(MODEL), "a turn")
    assert not queue.sweep(0).wake
