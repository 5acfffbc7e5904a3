"""Pieces on a real Redis: on their way from waiting to done, and everything that may come twice, late or never."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from shared import piece_stream
from shared.job_store import JobStore
from shared.jobs import JobStatus, Lane
from shared.keys import GROUP, JobKeys, ModelKeys
from shared.piece_stream import Entry, JobState, Kind, Piece, PieceStream, backlog
from tests.support.jobs import (
    EVERYTHING,
    FOUND,
    LONG,
    MODEL,
    beat,
    bulk_job,
    claim,
    finish,
    made,
    new_job,
    pending,
    take,
    waiting,
    work,
    worker,
)

KEYS = ModelKeys(MODEL)
AT_ONCE = 0.001  # seconds
LONG_AGO = 3_600.0


@pytest.fixture
def claim_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever gave no sign of life for a moment is claimed."""
    monkeypatch.setattr(piece_stream, "CLAIM_AFTER", AT_ONCE)


def silent(redis: Redis, *pieces: Piece, seconds: float = LONG_AGO) -> None:
    """Let the worker process of these pieces have given no sign of life for so long."""
    for piece in pieces:
        stream = KEYS.interactive if piece.entry.lane is Lane.INTERACTIVE else KEYS.bulk
        (of_piece,) = redis.xpending_range(stream, GROUP, piece.entry.id, piece.entry.id, 1)
        redis.xclaim(stream, GROUP, of_piece["consumer"], 0, [piece.entry.id], idle=int(seconds * 1000), justid=True)


# Taking


def test_pieces_are_taken_oldest_first(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    ids = [made(jobs, "马云") for _ in range(5)]
    assert [piece.job_id for piece in take(stream, 3)] == ids[:3]
    assert [piece.job_id for piece in take(worker(redis, "two"), 3)] == ids[3:]


def test_as_many_are_taken_as_fit_but_one_of_any_size(jobs: JobStore, stream: PieceStream) -> None:
    large, *small = (made(jobs, text) for text in ("马云" * 500, "马云", "马云", "马云", "马云"))
    assert [piece.job_id for piece in stream.take(most=64, room=12).pieces] == [large]
    # 6 bytes each: the third is begun while a byte is left.
    assert [piece.job_id for piece in stream.take(most=64, room=13).pieces] == small[:3]


@pytest.mark.parametrize(("count", "takers", "given"), [(7, 2, 4), (7, 3, 3), (7, 7, 1), (7, 100, 1), (1, 2, 1)])
def test_nobody_takes_more_than_its_share(
    jobs: JobStore, stream: PieceStream, count: int, takers: int, given: int
) -> None:
    for _ in range(count):
        jobs.create(new_job("马云"))
    assert len(take(stream, 10, takers=takers)) == given


def test_if_nothing_waits_nothing_is_taken(stream: PieceStream) -> None:
    taken = stream.take(most=64, room=1000)
    assert (taken.pieces, taken.wake) == ([], False)


def test_the_pieces_of_ended_and_expired_jobs_are_passed_over(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    cancelled, expired, wanted = (made(jobs, "马云") for _ in range(3))
    jobs.cancel(cancelled)
    redis.delete(*redis.keys(f"raner:job:{expired}*"))
    assert [piece.job_id for piece in take(stream, 3)] == [wanted]
    assert (waiting(redis), len(pending(redis))) == (0, 1)


def test_a_great_many_of_them_are_passed_over_in_several_steps(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    for _ in range(1_100):
        redis.xadd(KEYS.interactive, {"job": "gone", "piece": 0})
    redis.xgroup_create(KEYS.interactive, GROUP, "0")
    wanted = made(jobs, "马云")
    first = stream.take(most=64, room=1000, linger=60)
    assert (first.pieces, first.wake) == ([], True)
    assert [piece.job_id for piece in stream.take(most=64, room=1000).pieces] == [wanted]


def test_what_a_process_leaves_waiting_wants_a_wake_up(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    for _ in range(3):
        made(jobs, "马云")
    assert stream.take(most=1, room=0).wake
    redis.rpush(KEYS.wakeups, "one is on its way")
    assert not stream.take(most=1, room=0).wake
    redis.delete(KEYS.wakeups)
    assert not stream.take(most=1, room=0).wake  # that was the last


def test_the_other_model_has_pieces_of_its_own(jobs: JobStore, redis: Redis) -> None:
    made(jobs, "马云")
    assert take(worker(redis, "one", "generic"), 9) == []


# Lanes


def test_a_job_of_one_piece_overtakes_jobs_of_many(jobs: JobStore, stream: PieceStream) -> None:
    bulk = jobs.create(bulk_job(3)).job_id
    short = made(jobs, "马云")
    assert [piece.job_id for piece in take(stream, 9)] == [short]
    assert [piece.job_id for piece in take(stream, 9)] == [bulk] * 3


def test_the_bulk_lane_can_be_looked_at_first(jobs: JobStore, stream: PieceStream) -> None:
    short = made(jobs, "马云")
    bulk = jobs.create(bulk_job(2)).job_id
    assert [piece.job_id for piece in take(stream, 9, first=Lane.BULK)] == [bulk] * 2
    assert [piece.job_id for piece in take(stream, 9, first=Lane.BULK)] == [short]


def test_a_job_has_only_its_window_in_the_stream(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    jobs.create(bulk_job(10, window=3))
    for done in range(10):
        assert redis.xlen(KEYS.bulk) == min(3, 10 - done)
        work(stream)
    assert redis.xlen(KEYS.bulk) == 0


@pytest.mark.parametrize("window", [1, 4])
def test_two_jobs_of_one_size_advance_together(jobs: JobStore, stream: PieceStream, window: int) -> None:
    first, second = (jobs.create(bulk_job(20, window=window)).job_id for _ in range(2))
    while not jobs.read(first).status.ended:
        work(stream)
        assert 0 <= jobs.read(first).done - jobs.read(second).done <= window
    assert jobs.read(second).done >= 20 - window


def test_a_job_that_comes_late_does_not_wait_for_those_before_it(jobs: JobStore, stream: PieceStream) -> None:
    jobs.create(bulk_job(100, window=2))
    for _ in range(10):
        work(stream)
    late = jobs.create(bulk_job(5, window=2)).job_id
    for _ in range(14):  # in the time of 14 pieces the late job has had half
        work(stream)
    assert jobs.read(late).status is JobStatus.SUCCEEDED


def test_the_backlog_is_what_the_stream_and_its_group_say(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    assert backlog(redis, MODEL) == {Lane.INTERACTIVE: (0, 0), Lane.BULK: (0, 0)}
    for _ in range(3):
        made(jobs, "马云")
    jobs.create(bulk_job(5, window=4))
    take(stream, 2)
    assert backlog(redis, MODEL) == {Lane.INTERACTIVE: (1, 2), Lane.BULK: (4, 0)}
    assert redis.xpending(KEYS.interactive, GROUP)["pending"] == 2


# Waiting for a piece


def test_a_piece_that_comes_ends_the_wait_and_is_the_process_own(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    stream.take(most=1, room=1, linger=30)
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(stream.wait, 30)
        job_id = made(jobs, "马云")
        delivered = wait.result(timeout=30)
    assert waiting(redis) == 0
    (piece,) = take(stream, 0, delivered=delivered)
    assert (piece.job_id, piece.deliveries, piece.slices) == (job_id, 1, ["马云"])
    assert jobs.read(job_id).status is JobStatus.RUNNING


def test_the_wait_brings_a_piece_of_each_lane_at_most(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    stream.take(most=0, room=0)
    short = made(jobs, "马云")
    bulk = jobs.create(bulk_job(4)).job_id
    delivered = stream.wait(30)
    assert [piece.job_id for piece in take(stream, 0, delivered=delivered)] == [short, bulk]
    assert waiting(redis) == 3


def test_the_wait_ends_when_time_is_up(stream: PieceStream) -> None:
    stream.take(most=0, room=0)
    began = time.monotonic()
    assert stream.wait(0.2) == []
    assert time.monotonic() - began >= 0.2


def test_the_wait_ends_if_there_is_no_stream(stream: PieceStream) -> None:
    assert stream.wait(30) == []


def test_what_the_wait_brought_is_not_taken_if_the_job_ended_meanwhile(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    stream.take(most=0, room=0)
    job_id = made(jobs, "马云")
    delivered = stream.wait(30)
    jobs.cancel(job_id)
    assert take(stream, 0, delivered=delivered) == []
    assert pending(redis) == set()


# Wake-ups


def test_no_wake_up_is_wanted_while_as_many_processes_wait(jobs: JobStore, redis: Redis) -> None:
    for name in ("one", "two"):
        worker(redis, name).take(most=1, room=1, linger=60)
    assert not jobs.create(new_job("马云")).wake
    assert not jobs.create(new_job("马云")).wake
    assert jobs.create(new_job("马云")).wake


def test_a_process_that_no_longer_waits_does_not_count(jobs: JobStore, stream: PieceStream) -> None:
    stream.take(most=1, room=1, linger=60)
    stream.take(most=1, room=1)
    assert jobs.create(new_job("马云")).wake


def test_a_process_that_died_while_it_waited_counts_only_until_its_wait_would_have_ended(
    jobs: JobStore, stream: PieceStream
) -> None:
    stream.take(most=1, room=1, linger=0.05)
    time.sleep(0.1)  # Redis's clock has to go on; there is nothing to wait for
    assert jobs.create(new_job("马云")).wake


# Finishing


def test_a_finished_piece_is_gone_from_the_stream_and_from_the_pending_list(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    for new in (new_job("马云"), bulk_job(2)):
        jobs.create(new)
    for left in (2, 1, 0):
        work(stream)
        assert redis.xlen(KEYS.interactive) + redis.xlen(KEYS.bulk) == left
        assert pending(redis) == set()


def test_pieces_may_be_done_in_any_order(jobs: JobStore, stream: PieceStream) -> None:
    job_id = jobs.create(bulk_job(3)).job_id
    first, second, third = take(stream, 3)
    assert finish(stream, [third, first]) == [JobState.RUNNING] * 2
    assert jobs.read(job_id).done == 2
    assert finish(stream, [second]) == [JobState.SUCCEEDED]
    assert len(jobs.results(job_id)) == 3


def test_pieces_of_several_jobs_are_finished_together(jobs: JobStore, stream: PieceStream) -> None:
    one, many = made(jobs, "马云"), jobs.create(bulk_job(2)).job_id
    pieces = take(stream, 1) + take(stream, 1)
    assert finish(stream, pieces) == [JobState.SUCCEEDED, JobState.RUNNING]
    assert jobs.read(one).status is JobStatus.SUCCEEDED
    assert jobs.read(many).done == 1


def test_started_is_when_the_first_piece_was_taken(jobs: JobStore, stream: PieceStream) -> None:
    job_id = jobs.create(bulk_job(3)).job_id
    assert jobs.read(job_id).started is None
    work(stream)
    started = jobs.read(job_id).started
    assert started is not None
    work(stream)
    assert jobs.read(job_id).started == started
    work(stream)
    job = jobs.read(job_id)
    assert job.started == started
    assert job.finished is not None
    assert job.created <= started < job.finished


def test_the_end_comes_once_however_many_finish_together(jobs: JobStore, stream: PieceStream) -> None:
    for _ in range(20):
        job_id = jobs.create(bulk_job(4)).job_id
        pieces = take(stream, 4) * 2
        with ThreadPoolExecutor(8) as pool:
            states = [state for (state,) in pool.map(lambda piece: finish(stream, [piece]), pieces)]
        assert states.count(JobState.SUCCEEDED) == 1
        assert jobs.read(job_id).done == 4


def test_the_last_piece_of_a_cut_text_asks_for_assembly(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    job_id = made(jobs, LONG, "马云")
    total = jobs.read(job_id).total
    assert [work(stream) for _ in range(total)] == [JobState.RUNNING] * (total - 1) + [JobState.ASSEMBLING]
    (piece,) = take(stream)
    assert (piece.job_id, piece.kind, piece.items, piece.deliveries) == (job_id, Kind.ASSEMBLE, [], 1)
    jobs.succeed(job_id, MODEL, {0: FOUND}, piece.entry.lane, piece.entry.id)
    assert jobs.read(job_id).status is JobStatus.SUCCEEDED
    assert (take(stream, 9), pending(redis), redis.xlen(KEYS.bulk)) == ([], set(), 0)


# A worker process that is gone


def test_what_gave_a_sign_of_life_is_not_claimed(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    job_id = made(jobs, "马云")
    (piece,) = take(stream)
    two = worker(redis, "two")
    silent(redis, piece, seconds=piece_stream.CLAIM_AFTER - 5)
    assert claim(two) == []
    silent(redis, piece, seconds=piece_stream.CLAIM_AFTER)
    beat(stream, [piece])
    assert claim(two) == []
    silent(redis, piece, seconds=piece_stream.CLAIM_AFTER)
    (claimed,) = claim(two)
    assert (claimed.job_id, claimed.deliveries, claimed.slices) == (job_id, 2, ["马云"])


def test_a_heartbeat_takes_back_nothing_that_another_claimed(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    made(jobs, "马云")
    (piece,) = take(stream)
    silent(redis, piece)
    claim(worker(redis, "two"))
    beat(stream, [piece])
    assert redis.xpending(KEYS.interactive, GROUP)["consumers"] == [{"name": b"two", "pending": 1}]


def test_a_claimed_piece_comes_alone(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    ids = [made(jobs, "马云") for _ in range(4)]
    silent(redis, *take(stream, 2))
    two = worker(redis, "two")
    assert [piece.job_id for piece in take(two, 64, claim=True)] == ids[:1]
    assert [piece.job_id for piece in take(two, 64, claim=True)] == ids[1:2]
    assert [piece.job_id for piece in take(two, 64, claim=True)] == ids[2:]


def test_each_claim_counts_as_a_delivery(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    made(jobs, "马云")
    take(stream)
    for deliveries in range(2, 6):
        assert stream.hand_back()[0] == 1
        (piece,) = claim(worker(redis, str(deliveries % 2)))
        stream = worker(redis, str(deliveries % 2))
        assert piece.deliveries == deliveries


def test_pieces_that_others_hold_do_not_hide_one_that_is_to_be_claimed(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    """A claim looks at all that is pending, not only at the oldest ten."""
    for _ in range(30):
        made(jobs, "马云")
    take(stream, 29)
    (lost,) = take(worker(redis, "two"))
    silent(redis, lost)
    assert [piece.job_id for piece in claim(worker(redis, "three"))] == [lost.job_id]


def test_what_nobody_wants_any_more_does_not_hide_a_piece_that_is_to_be_claimed(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    cancelled, wanted = made(jobs, "马云"), made(jobs, "马云")
    silent(redis, *take(stream, 2))
    jobs.cancel(cancelled)
    assert [piece.job_id for piece in claim(worker(redis, "two"))] == [wanted]
    assert len(pending(redis)) == 1


def test_an_entry_that_somebody_deleted_does_not_hide_one_that_is_to_be_claimed(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    """Redis 6.2 keeps such an entry on its list of those that are pending."""
    made(jobs, "马云")
    wanted = made(jobs, "马云")
    deleted, _ = pieces = take(stream, 2)
    silent(redis, *pieces)
    redis.xdel(KEYS.interactive, deleted.entry.id)
    assert [piece.job_id for piece in claim(worker(redis, "two"))] == [wanted]
    assert {piece.id for piece in pending(redis)} == {pieces[1].entry.id}


def test_a_piece_that_the_blocking_read_of_a_dead_process_brought_is_claimed(
    jobs: JobStore, stream: PieceStream, redis: Redis, claim_at_once: None
) -> None:
    stream.take(most=0, room=0)
    job_id = made(jobs, "马云")
    assert stream.wait(30)  # and then it dies
    time.sleep(2 * AT_ONCE)
    assert [piece.job_id for piece in claim(worker(redis, "two"))] == [job_id]


def test_a_successor_hands_back_what_its_predecessor_held(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    ids = [made(jobs, "马云"), jobs.create(bulk_job(2)).job_id]
    take(stream, 1)
    take(stream, 1)
    others = take(worker(redis, "two"))
    successor = worker(redis, "one")
    assert successor.hand_back() == (2, True)
    assert [piece.job_id for _ in range(2) for piece in claim(worker(redis, "three"))] == ids
    assert claim(worker(redis, "three")) == []
    assert others[0].entry in pending(redis)
    assert successor.hand_back() == (0, False)


def test_chosen_pieces_can_be_handed_back(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    for _ in range(3):
        made(jobs, "马云")
    pieces = take(stream, 3)
    finish(stream, pieces[:1])
    redis.rpush(KEYS.wakeups, "one is on its way")
    assert stream.hand_back([piece.entry for piece in pieces[:2]]) == (1, False)
    assert [piece.job_id for piece in claim(worker(redis, "two"))] == [pieces[1].job_id]
    assert claim(worker(redis, "two")) == []


def test_a_handed_back_piece_that_another_claimed_stays_the_others(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    made(jobs, "马云")
    (piece,) = take(stream)
    silent(redis, piece)
    claim(worker(redis, "two"))
    assert stream.hand_back([piece.entry])[0] == 0


def test_a_heartbeat_wants_a_wake_up_for_what_is_to_be_claimed(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    assert not beat(stream).wake
    made(jobs, "马云")
    assert beat(stream).wake
    redis.rpush(KEYS.wakeups, "one is on its way")
    assert not beat(stream).wake
    redis.delete(KEYS.wakeups)
    (piece,) = take(stream)
    two = worker(redis, "two")
    assert not beat(two).wake
    silent(redis, piece)
    assert beat(two).wake


def test_a_piece_that_two_processes_do_counts_once(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    job_id = jobs.create(bulk_job(2)).job_id
    (first,) = take(stream)
    silent(redis, first)
    two = worker(redis, "two")
    (second,) = claim(two)
    assert first.number == second.number
    assert finish(stream, [first]) == finish(two, [second]) == [JobState.RUNNING]
    assert jobs.read(job_id).done == 1
    assert work(stream) is JobState.SUCCEEDED
    assert jobs.load(MODEL) == (0, 0)


def test_an_assembly_whose_process_ended_is_claimed(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    job_id = made(jobs, LONG)
    for _ in range(jobs.read(job_id).total):
        work(stream)
    take(stream)
    for deliveries in (2, 3):
        stream.hand_back()
        (piece,) = claim(stream)
        assert (piece.job_id, piece.kind, piece.deliveries) == (job_id, Kind.ASSEMBLE, deliveries)


# Dividing a piece


def test_a_piece_is_divided_into_its_texts(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    job_id = made(jobs, *["马云"] * 3)
    (piece,) = take(stream)
    assert stream.split(piece) == 3
    assert (jobs.read(job_id).total, jobs.load(MODEL)[0]) == (3, 3)
    pieces = take(stream, 9)
    assert [[item.text for item in each.items] for each in pieces] == [[0], [1], [2]]
    assert {each.deliveries for each in pieces} == {1}
    assert finish(stream, pieces) == [JobState.RUNNING, JobState.RUNNING, JobState.SUCCEEDED]
    assert len(jobs.results(job_id)) == 3
    assert (jobs.load(MODEL), redis.xlen(KEYS.interactive)) == ((0, 0), 0)


def test_a_piece_is_divided_once(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    made(jobs, *["马云"] * 3)
    (piece,) = take(stream)
    assert [stream.split(piece) for _ in range(2)] == [3, 0]
    assert waiting(redis) == 3


def test_a_piece_that_is_done_or_whose_job_ended_is_not_divided(jobs: JobStore, stream: PieceStream) -> None:
    made(jobs, *["马云"] * 40)
    one, two = take(stream, 2)
    finish(stream, [one])
    assert stream.split(one) == 0
    jobs.cancel(two.job_id)
    assert stream.split(two) == 0
    assert jobs.load(MODEL) == (0, 0)


def test_the_result_of_a_piece_that_was_divided_meanwhile_is_not_counted(jobs: JobStore, stream: PieceStream) -> None:
    job_id = made(jobs, *["马云"] * 2)
    (piece,) = take(stream)
    stream.split(piece)
    assert finish(stream, [piece]) == [JobState.RUNNING]
    assert jobs.read(job_id).done == 0
    assert [work(stream) for _ in range(2)] == [JobState.RUNNING, JobState.SUCCEEDED]


def test_the_window_moves_on_beside_a_divided_piece(jobs: JobStore, stream: PieceStream) -> None:
    job_id = made(jobs, *["马云"] * 100, window=1)
    (piece,) = take(stream)
    stream.split(piece)
    while not jobs.read(job_id).status.ended:
        work(stream)
    assert len(jobs.results(job_id)) == 100
    assert jobs.load(MODEL) == (0, 0)


# A stream that is lost


def test_the_jobs_of_a_stream_that_was_lost_are_put_back(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    short, bulk = made(jobs, "马云"), jobs.create(bulk_job(6, window=2)).job_id
    assert beat(stream).put_back == 0
    redis.delete(KEYS.interactive, KEYS.bulk)
    pulse = beat(stream)
    assert (pulse.put_back, pulse.wake) == (2, True)
    assert [redis.xlen(key) for key in (KEYS.interactive, KEYS.bulk)] == [1, 2]
    for _ in range(7):
        work(stream)
    assert [jobs.read(job_id).status for job_id in (short, bulk)] == [JobStatus.SUCCEEDED] * 2
    assert beat(stream).put_back == 0


def test_only_the_lane_that_was_lost_is_put_back(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    made(jobs, "马云")
    jobs.create(bulk_job(3))
    redis.delete(KEYS.bulk)
    assert beat(stream).put_back == 1
    assert (redis.xlen(KEYS.interactive), redis.xlen(KEYS.bulk)) == (1, 3)


def test_a_lost_stream_that_new_jobs_made_anew_is_mended_too(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    before = [made(jobs, "马云"), jobs.create(bulk_job(3)).job_id]
    beat(stream)
    redis.delete(KEYS.interactive, KEYS.bulk)
    after = [made(jobs, "马云"), jobs.create(bulk_job(3)).job_id]
    assert beat(stream).put_back == 2
    assert [redis.xlen(key) for key in (KEYS.interactive, KEYS.bulk)] == [2, 6]
    for _ in range(8):
        work(stream)
    assert {jobs.read(job_id).status for job_id in before + after} == {JobStatus.SUCCEEDED}
    assert beat(stream).put_back == 0


def test_jobs_that_wait_in_the_other_lane_do_not_hide_those_that_lost_their_entries(
    jobs: JobStore, stream: PieceStream, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piece_stream, "LOOK", 2)
    for _ in range(5):
        jobs.create(bulk_job(2))
    made(jobs, "马云")
    redis.delete(KEYS.interactive)
    assert [beat(stream).put_back for _ in range(3)] == [0, 0, 1]
    assert redis.xlen(KEYS.interactive) == 1


def test_pieces_that_a_process_has_in_hand_while_the_stream_is_lost_count_once(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    job_id = jobs.create(bulk_job(4, window=2)).job_id
    in_hand = take(stream, 2)
    redis.delete(KEYS.bulk)
    beat(stream, in_hand)
    two = worker(redis, "two")
    again = take(two, 2)
    assert {piece.number for piece in again} == {0, 1}
    finish(stream, in_hand)
    assert finish(two, again) == [JobState.RUNNING] * 2
    assert jobs.read(job_id).done == 2
    assert [work(two) for _ in range(2)] == [JobState.RUNNING, JobState.SUCCEEDED]


def test_a_piece_that_is_done_is_not_done_again(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    job_id = jobs.create(bulk_job(2)).job_id
    (piece,) = take(stream)
    finish(stream, [piece])
    redis.xadd(KEYS.bulk, {"job": job_id, "piece": piece.number})
    assert [each.number for each in take(stream, 9)] == [1]


def test_a_second_entry_of_a_piece_does_no_harm_while_its_job_is_assembled(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    """Then the job has no pieces any more, as if they had been lost."""
    job_id = made(jobs, LONG)
    redis.xadd(KEYS.bulk, {"job": job_id, "piece": 0})
    while jobs.read(job_id).done < jobs.read(job_id).total:
        work(stream)
    redis.xadd(KEYS.bulk, {"job": job_id, "piece": 0})
    assert [piece.kind for piece in take(stream, 9)] == [Kind.ASSEMBLE]
    assert jobs.read(job_id).status is JobStatus.RUNNING


def test_an_assembly_whose_stream_was_lost_is_asked_for_again(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    job_id = made(jobs, LONG)
    for _ in range(jobs.read(job_id).total):
        work(stream)
    redis.delete(KEYS.bulk)
    assert beat(stream).put_back == 1
    (piece,) = take(stream, 9)
    assert (piece.job_id, piece.kind) == (job_id, Kind.ASSEMBLE)


def test_a_divided_piece_whose_stream_was_lost_is_put_back(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    job_id = made(jobs, *["马云"] * 3)
    (piece,) = take(stream)
    stream.split(piece)
    work(stream)
    redis.delete(KEYS.interactive)
    beat(stream)
    assert {item.text for each in take(stream, 9) for item in each.items} == {1, 2}
    assert jobs.read(job_id).done == 1


def test_a_job_that_expired_is_forgotten(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    job_id = made(jobs, "马云")
    redis.delete(*redis.keys(f"{JobKeys(job_id).job}*"))
    take(stream)
    beat(stream)
    assert jobs.count_open(MODEL) == 0


def test_jobs_of_more_than_one_heartbeat_are_put_back_by_several(
    jobs: JobStore, stream: PieceStream, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piece_stream, "LOOK", 2)
    ids = [made(jobs, "马云") for _ in range(5)]
    redis.delete(KEYS.interactive)
    while not all(jobs.read(job_id).status.ended for job_id in ids):
        assert beat(stream).put_back <= 2
        for piece in take(stream, 9):
            finish(stream, [piece])


# What nobody should have written


@pytest.mark.parametrize("fields", [{"what": "ever"}, {"job": "{id}"}, {"job": "{id}", "piece": "x"}])
def test_an_entry_that_cannot_be_read_is_passed_over(
    jobs: JobStore, stream: PieceStream, redis: Redis, fields: dict[str, str]
) -> None:
    stream.take(most=0, room=0)
    job_id = new_job("马云").id
    strange = {name: value.replace("{id}", job_id) for name, value in fields.items()}
    redis.xadd(KEYS.interactive, strange)
    made(jobs, "马云", id=job_id)
    assert [piece.number for piece in take(stream, 9)] == [0]
    redis.xadd(KEYS.interactive, strange)
    assert take(stream, 9, delivered=stream.wait(30)) == []
    assert len(pending(redis)) == 1


@pytest.mark.parametrize("items", ["", "{", "7", "[7]", "[[0,-1,0]]", '[[0,-1,"a","b",0,0,2]]'])
def test_a_piece_that_cannot_be_read_does_not_keep_others_from_theirs(
    jobs: JobStore, stream: PieceStream, redis: Redis, items: str
) -> None:
    damaged, well = made(jobs, "马云"), made(jobs, "马云")
    redis.hset(JobKeys(damaged).pieces, "0", items)
    pieces = take(stream, 9)
    assert [(piece.job_id, piece.kind) for piece in pieces] == [(damaged, Kind.UNREADABLE), (well, Kind.DO)]


# Signs of life


def test_a_heartbeat_tells_how_many_processes_the_model_has(redis: Redis) -> None:
    assert [beat(worker(redis, name)).peers for name in ("one", "two", "one")] == [1, 2, 2]
    assert beat(worker(redis, "other", "generic")).peers == 1


def test_every_key_of_the_queue_expires(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    stream.take(most=0, room=0, linger=60)
    made(jobs, LONG, idempotency_key="k")
    made(jobs, "马云")
    beat(stream, take(stream, 1, first=Lane.BULK))
    work(stream)
    stream.take(most=EVERYTHING, room=EVERYTHING)
    assert len(redis.keys("raner:*")) > 10
    assert [key for key in redis.keys("*") if redis.ttl(key) < 0] == []


def test_an_entry_names_its_lane(jobs: JobStore, stream: PieceStream) -> None:
    made(jobs, "马云")
    (piece,) = take(stream)
    assert piece.entry == Entry(Lane.INTERACTIVE, piece.entry.id)
    assert piece.bytes == 6
