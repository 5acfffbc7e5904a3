"""A worker process: what it tells Redis, what its heartbeat keeps, and how it ends if a recognition takes too long."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from redis import Redis

from shared import keys, registry
from shared.job_store import JobStore
from shared.jobs import JobStatus
from shared.keys import GROUP, ModelKeys
from shared.piece_stream import CLAIM_AFTER, Piece
from shared.redis_client import redis_client
from tests.support.child import run_in_child
from tests.support.jobs import FOUND, LONG, MODEL, claim, made, new_job, pending, take, waiting, work, worker
from tests.support.redis_server import RedisServer
from tests.workers.rule import INFO, Rule, loaded, process_with
from workers.process import WorkerProcess
from workers.slots import Slots
from workers.turn import Turn

KEYS = ModelKeys(MODEL)
WITHIN = 30.0  # seconds
NAME = "node:0"


@pytest.fixture
def beats_often(with_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    with_settings(workers=1)
    monkeypatch.setattr("workers.process.LOOK_EVERY", 0.02)
    monkeypatch.setattr("shared.registry.HEARTBEAT", 0.02)


@pytest.fixture
def start(redis: Redis, rule: Rule, beats_often: None) -> Iterator[Callable[[], WorkerProcess]]:
    """Starts a worker process in this one, with its heartbeat."""
    started: list[WorkerProcess] = []

    def start_one() -> WorkerProcess:
        started.append(WorkerProcess.start("node", 0, Slots(1), loaded(rule)))
        return started[-1]

    yield start_one
    for process in started:
        process.stop()


def until(holds: Callable[[], object]) -> None:
    """Return once it holds; the heartbeat's thread tells of no event."""
    deadline = time.monotonic() + WITHIN
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def idle_ms(redis: Redis, piece: Piece) -> int:
    (of_piece,) = redis.xpending_range(KEYS.interactive, GROUP, piece.entry.id, piece.entry.id, 1)
    return int(of_piece["time_since_delivered"])


def alive(redis: Redis) -> list[str]:
    return [each.id for each in registry.crews(redis, [MODEL])[MODEL].workers]


# What it tells Redis


def test_a_process_is_known_until_it_stops(redis: Redis, start: Callable[[], WorkerProcess]) -> None:
    process = start()
    assert registry.models(redis) == {MODEL: INFO}
    assert registry.crews(redis, [MODEL])[MODEL].workers == (process.info(),)
    process.stop()
    assert alive(redis) == []
    assert registry.models(redis) == {MODEL: INFO}


def test_it_hands_back_what_its_predecessor_had(
    jobs: JobStore, redis: Redis, start: Callable[[], WorkerProcess]
) -> None:
    job_id = made(jobs, "马云")
    take(worker(redis, NAME))
    assert claim(worker(redis, "other:0")) == []
    start()
    assert redis.llen(KEYS.wakeups) == 1
    assert [piece.job_id for piece in claim(worker(redis, "other:0"))] == [job_id]


def test_its_heartbeat_keeps_what_it_has_in_hand(
    jobs: JobStore, redis: Redis, start: Callable[[], WorkerProcess]
) -> None:
    process = start()
    for _ in range(2):
        made(jobs, "马云")
    kept, dropped = take(process.stream, 2)
    ids = [kept.entry.id, dropped.entry.id]
    with process.hand.holding([kept]):
        redis.xclaim(KEYS.interactive, GROUP, NAME, 0, ids, idle=int(CLAIM_AFTER * 1000) - 1_000, justid=True)
        until(lambda: idle_ms(redis, kept) < 5_000)
        assert idle_ms(redis, dropped) > 5_000


def test_its_heartbeat_tells_what_it_has_done_and_learns_of_others(
    redis: Redis, start: Callable[[], WorkerProcess]
) -> None:
    process = start()
    process.count([], 0.5)
    process.pieces = 7
    other = process_with(Rule(), redis, "other:0")
    other._beat()
    until(lambda: [each.pieces for each in registry.crews(redis, [MODEL])[MODEL].workers if each.id == NAME] == [7])
    until(lambda: process.peers >= 2)


def test_its_heartbeat_wakes_whoever_is_free_if_pieces_wait(
    jobs: JobStore, redis: Redis, start: Callable[[], WorkerProcess]
) -> None:
    start()
    assert jobs.create(new_job("马云")).wake  # and web dies before it sends it
    until(lambda: redis.llen(KEYS.wakeups))


def test_whatever_redis_forgets_is_told_again(redis: Redis, start: Callable[[], WorkerProcess]) -> None:
    start()
    redis.flushall()
    until(lambda: alive(redis) == [NAME])
    until(lambda: registry.models(redis) == {MODEL: INFO})


def test_its_heartbeat_stamps_the_slot(redis: Redis, start: Callable[[], WorkerProcess]) -> None:
    process = start()
    process.slots._stamps[0] = 0.0
    until(lambda: process.slots._stamps[0] > 0)


def test_an_error_does_not_stop_the_heartbeat(
    redis: Redis, start: Callable[[], WorkerProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start()
    failed = threading.Event()

    def fail() -> None:
        failed.set()
        raise ZeroDivisionError("a mistake of ours")

    with monkeypatch.context() as failing:
        failing.setattr(process, "_beat", fail)
        assert failed.wait(WITHIN)
    redis.flushall()
    until(lambda: alive(redis) == [NAME])


def test_it_starts_while_redis_is_away_and_is_known_when_it_is_back(
    tmp_path: Path, rule: Rule, beats_often: None, with_settings: Callable[..., None]
) -> None:
    server = RedisServer(tmp_path / "redis")
    with_settings(redis_url=server.url)
    redis_client.cache_clear()
    process = WorkerProcess.start("node", 0, Slots(1), loaded(rule))
    try:
        with server, Redis(port=server.port) as redis:
            until(lambda: alive(redis) == [NAME])
            until(lambda: registry.models(redis) == {MODEL: INFO})
    finally:
        process.stop()
        redis_client.cache_clear()


def test_a_full_redis_takes_its_heartbeat(redis: Redis, full_redis: Callable[[], object]) -> None:
    """Else what the process has in hand would be claimed, and the model would seem to have no workers."""
    process = process_with(Rule())
    process._beat()
    redis.zincrby(KEYS.workers, -100, NAME)
    assert alive(redis) == []
    full_redis()
    process._beat()
    assert alive(redis) == [NAME]


# Its pace


def test_its_pace_is_that_of_late(jobs: JobStore, redis: Redis) -> None:
    process = process_with(Rule(), pace=0.0)
    made(jobs, "马云" * 50)
    pieces = take(process.stream)
    process.count(pieces, 1.0)
    assert process.pace == 100.0
    for _ in range(100):
        process.count(pieces, 0.5)
    assert process.pace == pytest.approx(200, rel=0.01)
    assert (process.pieces, process.characters, process.busy_seconds) == (101, 10_100, 51.0)


def test_the_error_of_a_part_is_one_of_its_text(jobs: JobStore, redis: Redis) -> None:
    process = process_with(Rule())
    job_id = made(jobs, LONG)
    (piece,) = take(process.stream)
    process.stream.finish([process.text_error(piece, "it cannot be done")])
    while jobs.read(job_id).done < jobs.read(job_id).total:
        work(process.stream)
    first, *others = jobs.parts(job_id)[0]
    assert [part.error for part in others] == [None] * len(others)
    assert first.error == "text 0: it cannot be done"


# When a recognition takes too long


def hang_on(text: str) -> Callable[[Sequence[str]], None]:
    def before(texts: Sequence[str]) -> None:
        if text in texts:
            threading.Event().wait()

    return before


@pytest.fixture
def short_limit(monkeypatch: pytest.MonkeyPatch, beats_often: None) -> None:
    monkeypatch.setattr(Turn, "_limit", lambda *_: 0.2)


def live(rule: Rule) -> int:
    """Start a worker process and let it do a turn. Returns its exit status."""

    def run() -> None:
        process = WorkerProcess.start("node", 0, Slots(1), loaded(rule))
        Turn(process).run()
        process.stop()

    return run_in_child(run)


def test_a_text_alone_ends_in_an_error_and_its_process_with_it(
    jobs: JobStore, redis: Redis, rule: Rule, short_limit: None
) -> None:
    rule.before = hang_on("坏")
    job_id = made(jobs, "坏")
    take(worker(redis, "dead"))
    worker(redis, "dead").hand_back()
    assert live(rule) == -signal.SIGKILL
    job = jobs.read(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error == (
        "text 0: its recognition took longer than 30 s (RANER_PIECE_TIMEOUT); send it in smaller parts"
    )
    assert (pending(redis), waiting(redis), jobs.load(MODEL)) == (set(), 0, (0, 0))


def test_several_are_handed_back_and_their_process_ends(
    jobs: JobStore, redis: Redis, rule: Rule, short_limit: None
) -> None:
    rule.before = hang_on("坏")
    ids = [made(jobs, text) for text in ("马云", "坏", "杭州")]
    assert live(rule) == -signal.SIGKILL
    assert [jobs.read(job_id).status for job_id in ids] == [JobStatus.RUNNING] * 3
    assert redis.llen(KEYS.wakeups) == 1
    two = worker(redis, "two")
    assert [piece.job_id for _ in range(3) for piece in claim(two)] == ids


def test_a_text_that_hangs_fails_and_its_neighbours_are_done(
    jobs: JobStore, redis: Redis, rule: Rule, short_limit: None
) -> None:
    """F8: it failed after four time limits, and took its neighbours with it for as long."""
    rule.before = hang_on("坏")
    together = made(jobs, "马云", "坏", "杭州")
    ids = [made(jobs, text) for text in ("马云", "坏", "杭州")]
    exits = []
    while not all(jobs.read(job_id).status.ended for job_id in [together, *ids]):
        exits.append(live(rule))
        assert len(exits) < 10
    assert [str(jobs.read(job_id).status) for job_id in ids] == ["succeeded", "failed", "succeeded"]
    first, bad, last = jobs.results(together)
    assert (first, last) == (FOUND, FOUND)
    assert bad.error is not None
    assert "text 1: its recognition took longer" in bad.error
    # Each of the two that hang ends at most a process that does others too, and then one that does it alone.
    assert exits.count(-signal.SIGKILL) <= 4


def test_a_process_that_ends_says_nothing_of_other_models(jobs: JobStore, redis: Redis, rule: Rule) -> None:
    registry.announce(redis, INFO.model_copy(update={"name": "generic"}))
    assert live(rule) == 0
    assert set(registry.models(redis)) == {"generic", MODEL}
    assert redis.hkeys(keys.workers()) == []
