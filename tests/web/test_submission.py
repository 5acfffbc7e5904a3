"""From an accepted request to a job: limits, cache, record, queue."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from shared import registry
from shared.errors import IdempotencyConflict, InvalidRequest, JobTooLarge, ModelUnserved, QueueFull, TextTooLong
from shared.jobs import JobStatus, Lane, OffsetUnit
from shared.keys import JobKeys, ModelKeys
from shared.pieces import PIECE_TEXTS, UNKNOWN_PACE_CHARS
from tests.support.redis_server import RedisServer
from tests.web.conftest import NAME, Worker, farm_on, in_streams, wakeups
from web.farm import Farm
from web.submission import LATEST, UNSERVED_AFTER, WINDOW_PER_WORKER, submission

TEXT = "马云在杭州。"
MIB = 2**20


@pytest.fixture
def farm(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Farm]:
    """A web process's view of the farm, always fresh."""
    monkeypatch.setattr("web.farm.MODELS_FRESH", 0.0)
    farm = farm_on(redis)
    yield farm
    farm.ends.close()


@pytest.fixture
def queued(redis: Redis) -> Callable[[], list[str]]:
    """Says which pieces wait, the oldest first."""
    return lambda: in_streams(redis)


def send(
    farm: Farm,
    *texts: str,
    types: list[str] | None = None,
    offsets: OffsetUnit = OffsetUnit.CODEPOINT,
    key: str | None = None,
    model: str | None = None,
) -> str:
    return submission(farm, list(texts), model, types, offsets).enqueue(farm, key)[0].id


def test_a_job_of_one_text_is_one_piece(farm: Farm, queued: Callable[[], list[str]]) -> None:
    job_id = send(farm, TEXT)
    assert queued() == [f"{job_id}:0"]
    job = farm.jobs.read(job_id)
    assert (job.status, job.model, job.done, job.total) == (JobStatus.QUEUED, NAME, 0, 1)
    assert farm.jobs.texts(job_id).sent == [TEXT]


def test_many_short_texts_share_a_piece(farm: Farm, queued: Callable[[], list[str]]) -> None:
    job_id = send(farm, *[TEXT] * (PIECE_TEXTS + 1))
    assert queued() == [f"{job_id}:0", f"{job_id}:1"]
    assert farm.jobs.texts(job_id).sent == [TEXT] * (PIECE_TEXTS + 1)


def test_a_long_text_is_several_pieces(farm: Farm, queued: Callable[[], list[str]]) -> None:
    job_id = send(farm, "中" * (UNKNOWN_PACE_CHARS + 1))
    assert len(queued()) == farm.jobs.read(job_id).total == 2


def test_no_wakeup_carries_a_text(farm: Farm, redis: Redis) -> None:
    send(farm, "secret")
    wakeup = json.loads(redis.lindex(ModelKeys(NAME).wakeups, 0))
    assert "secret" not in base64.b64decode(wakeup["body"]).decode() + str(wakeup)


def test_one_wakeup_is_sent_for_all_that_waits(farm: Farm, redis: Redis) -> None:
    for _ in range(3):
        send(farm, *[TEXT] * 100)
    assert wakeups(redis) == 1
    redis.delete(ModelKeys(NAME).wakeups)  # a worker process has it
    send(farm, TEXT)
    assert wakeups(redis) == 1


def test_what_the_cache_answers_needs_no_wakeup(farm: Farm, worker: Worker, redis: Redis) -> None:
    worker.do(send(farm, TEXT))
    redis.delete(ModelKeys(NAME).wakeups)
    send(farm, TEXT)
    assert wakeups(redis) == 0


def test_a_job_that_is_waited_for_comes_with_its_results(farm: Farm, worker: Worker) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(submission(farm, [TEXT], None, None, OffsetUnit.CODEPOINT).enqueue, farm, wait=30)
        worker.work(timeout=10)
        job, results = waiting.result(timeout=5)
    assert job.status is JobStatus.SUCCEEDED
    assert job == farm.jobs.read(job.id)
    assert results == farm.jobs.results(job.id)
    assert [entity.type for entity in results[0].entities] == ["PER", "LOC"]


def test_a_job_that_was_known_by_its_key_is_waited_for_too(farm: Farm, worker: Worker) -> None:
    job_id = send(farm, TEXT, key="order-7")
    request = submission(farm, [TEXT], None, None, OffsetUnit.CODEPOINT)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(request.enqueue, farm, "order-7", wait=30)
        worker.work(timeout=10)
        job, results = waiting.result(timeout=5)
    assert (job.id, job.status, len(results)) == (job_id, JobStatus.SUCCEEDED, 1)


def test_texts_at_their_limits_are_taken(farm: Farm, with_settings: Callable[..., None]) -> None:
    with_settings(max_texts=2, max_text_chars=3)
    assert farm.jobs.texts(send(farm, "中中中", "😀😀😀")).sent == ["中中中", "😀😀😀"]


def test_one_character_more_is_refused(farm: Farm, redis: Redis, with_settings: Callable[..., None]) -> None:
    with_settings(max_texts=2, max_text_chars=3)
    with pytest.raises(TextTooLong, match="text 1 has 4 characters, at most 3 are taken"):
        send(farm, "a", "bbbb")
    assert redis.keys() == []


def test_a_job_that_the_cache_answers_ends_at_once(
    farm: Farm, worker: Worker, redis: Redis, queued: Callable[[], list[str]]
) -> None:
    worker.do(send(farm, TEXT))
    job_id = send(farm, TEXT, TEXT)
    assert farm.jobs.read(job_id).status is JobStatus.SUCCEEDED
    assert [result.cached for result in farm.jobs.results(job_id)] == [True, True]
    assert queued() == []
    assert farm.jobs.count_open(NAME) == 0


def test_only_what_the_cache_does_not_know_is_enqueued(farm: Farm, worker: Worker) -> None:
    worker.do(send(farm, TEXT))
    job_id = send(farm, *[TEXT] * PIECE_TEXTS, "新的")
    assert farm.jobs.read(job_id).total == 1
    worker.do(job_id)
    assert [result.cached for result in farm.jobs.results(job_id)] == [True] * PIECE_TEXTS + [False]


def test_the_smallest_difference_is_another_text_to_the_cache(farm: Farm, worker: Worker) -> None:
    worker.do(send(farm, TEXT))
    for other in (TEXT + " ", "\ufeff" + TEXT, TEXT.replace("。", "｡")):
        assert farm.jobs.read(send(farm, other)).status is JobStatus.QUEUED


def test_the_cache_can_be_switched_off(farm: Farm, worker: Worker, with_settings: Callable[..., None]) -> None:
    worker.do(send(farm, TEXT))
    with_settings(cache_ttl=0)
    assert farm.jobs.read(send(farm, TEXT)).status is JobStatus.QUEUED


def test_before_a_worker_has_said_what_the_model_is_any_type_can_be_asked_for(farm: Farm) -> None:
    assert farm.jobs.read(send(farm, TEXT, types=["CAT"])).types == ("CAT",)


def test_a_type_that_the_model_does_not_know_is_refused(farm: Farm, worker: Worker, redis: Redis) -> None:
    with pytest.raises(InvalidRequest, match=f"model '{NAME}' does not know CAT, DOG; it knows LOC, ORG, PER"):
        send(farm, TEXT, types=["PER", "DOG", "CAT"])
    assert redis.keys(JobKeys("*").job) == []


def test_a_full_queue_takes_no_job_and_no_part_of_one(
    farm: Farm, queued: Callable[[], list[str]], with_settings: Callable[..., None]
) -> None:
    with_settings(max_queue=2)
    first = send(farm, "a")
    with pytest.raises(
        QueueFull, match=f"jobs of model '{NAME}' have 1 pieces .* of at most 2 .* this job has 2 .*; try again"
    ):
        send(farm, *["b"] * (PIECE_TEXTS + 1))
    second = send(farm, "c")
    with pytest.raises(QueueFull, match="have 2 pieces"):
        send(farm, "d")
    assert queued() == [f"{first}:0", f"{second}:0"]
    assert farm.jobs.count_open(NAME) == 2


def test_what_the_cache_knows_is_answered_though_the_queue_is_full(
    farm: Farm, worker: Worker, with_settings: Callable[..., None]
) -> None:
    worker.do(send(farm, TEXT))
    send(farm, "别的")
    with_settings(max_queue=1)
    with pytest.raises(QueueFull):
        send(farm, "新的")
    assert farm.jobs.read(send(farm, TEXT)).status is JobStatus.SUCCEEDED


def test_the_same_request_with_a_key_makes_one_job(farm: Farm, queued: Callable[[], list[str]]) -> None:
    first = send(farm, TEXT, types=["PER"], key="order-7")
    assert send(farm, TEXT, types=["PER"], key="order-7") == first
    assert queued() == [f"{first}:0"]


def test_without_a_key_each_request_makes_a_job(farm: Farm) -> None:
    assert send(farm, TEXT) != send(farm, TEXT)
    assert send(farm, TEXT, key="order-7") != send(farm, TEXT, key="order-8")


def test_a_key_sent_many_times_at_once_makes_one_job(farm: Farm, queued: Callable[[], list[str]]) -> None:
    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(lambda _: send(farm, TEXT, key="order-7"), range(8))
    assert set(others) == {first}
    assert queued() == [f"{first}:0"]


def test_a_job_whose_wakeup_the_broker_refuses_is_accepted_all_the_same(redis: Redis, own_redis: RedisServer) -> None:
    with Redis.from_url(own_redis.url) as records:
        farm = farm_on(records)
        redis.config_set("maxmemory", 1)
        try:
            job_id = send(farm, TEXT)
        finally:
            redis.config_set("maxmemory", 0)
            farm.ends.close()
        assert farm.jobs.read(job_id).status is JobStatus.QUEUED
        assert len(in_streams(records)) == 1  # for which a heartbeat sends a wake-up


@pytest.mark.parametrize(
    ("texts", "types", "offsets"),
    [
        (["ab", "d"], None, OffsetUnit.CODEPOINT),
        (["a", "bc"], None, OffsetUnit.CODEPOINT),  # the same characters, divided otherwise
        (["ab", "c", ""], None, OffsetUnit.CODEPOINT),
        (["ab", "c"], ["PER"], OffsetUnit.CODEPOINT),
        (["ab", "c"], None, OffsetUnit.UTF16),
    ],
)
def test_another_request_with_the_key_is_refused(
    farm: Farm, texts: list[str], types: list[str] | None, offsets: OffsetUnit
) -> None:
    send(farm, "ab", "c", key="order-7")
    with pytest.raises(IdempotencyConflict, match="use a new key for a new request"):
        send(farm, *texts, types=types, offsets=offsets, key="order-7")


def test_another_model_with_the_key_is_refused(farm: Farm, with_settings: Callable[..., None]) -> None:
    with_settings(models=f"{NAME}=x,other=y")
    send(farm, TEXT, key="order-7")
    with pytest.raises(IdempotencyConflict):
        send(farm, TEXT, key="order-7", model="other")


def test_each_model_has_its_queue(farm: Farm, redis: Redis, with_settings: Callable[..., None]) -> None:
    with_settings(models=f"{NAME}=x,other=y", default_model="other")
    send(farm, TEXT)
    assert (wakeups(redis), wakeups(redis, "other")) == (0, 1)
    send(farm, TEXT, model=NAME)
    assert (wakeups(redis), wakeups(redis, "other")) == (1, 1)
    assert len(in_streams(redis)) == len(in_streams(redis, model="other")) == 1


# Lanes, the size of pieces, and how many of a job are in the stream at a time.


@pytest.mark.parametrize(
    ("texts", "lane"),
    [
        ([TEXT], Lane.INTERACTIVE),
        (["乙"] * PIECE_TEXTS, Lane.INTERACTIVE),
        ([""], Lane.INTERACTIVE),
        (["乙"] * (PIECE_TEXTS + 1), Lane.BULK),
        (["中" * (UNKNOWN_PACE_CHARS + 1)], Lane.BULK),
    ],
)
def test_a_job_of_one_piece_is_interactive_and_a_larger_one_bulk(
    farm: Farm, redis: Redis, texts: list[str], lane: Lane
) -> None:
    send(farm, *texts)
    other = Lane.BULK if lane is Lane.INTERACTIVE else Lane.INTERACTIVE
    assert (len(in_streams(redis, lane)) > 0, in_streams(redis, other)) == (True, [])


def test_only_what_the_cache_does_not_know_decides_on_the_lane(farm: Farm, worker: Worker, redis: Redis) -> None:
    worker.do(send(farm, TEXT))
    job_id = send(farm, *[TEXT] * 10 * PIECE_TEXTS, "新的")
    assert in_streams(redis, Lane.INTERACTIVE) == [f"{job_id}:0"]


def test_the_slower_the_model_reads_the_smaller_are_its_pieces(farm: Farm, worker: Worker) -> None:
    text = "马云在杭州出席了技术峰会。" * 1_000
    totals = []
    for pace in (200.0, 2_000.0, 200_000.0):
        worker.beat(characters_per_second=pace)
        totals.append(farm.jobs.read(send(farm, text + str(pace))).total)
    assert totals == sorted(totals, reverse=True)
    assert totals[0] > 5 * totals[-1]
    assert totals[1] > len(text) / 1_000  # 0.4 s of work at most


def test_the_more_workers_the_more_pieces_of_a_job_are_in_the_stream(
    farm: Farm, worker: Worker, redis: Redis, with_settings: Callable[..., None]
) -> None:
    with_settings(models=f"{NAME}=x", workers=1)
    texts = ["乙"] * PIECE_TEXTS * 30
    of_first = send(farm, *texts)
    for number in range(1, 6):
        worker.beat(number)
    of_second = send(farm, *texts)
    for job_id, workers in ((of_first, 1), (of_second, 5)):
        waiting = [piece for piece in in_streams(redis, Lane.BULK) if piece.startswith(job_id)]
        assert waiting == [f"{job_id}:{number}" for number in range(WINDOW_PER_WORKER * workers)]


def test_as_many_are_as_if_all_workers_of_the_setting_were_alive(
    farm: Farm, redis: Redis, with_settings: Callable[..., None]
) -> None:
    with_settings(models=f"{NAME}=x", workers=4)
    send(farm, *["乙"] * PIECE_TEXTS * 30)
    assert len(in_streams(redis)) == 4 * WINDOW_PER_WORKER


# What is refused.


def test_the_queue_is_bounded_in_bytes(farm: Farm, redis: Redis, with_settings: Callable[..., None]) -> None:
    with_settings(models=f"{NAME}=x", max_queue_mb=1)
    send(farm, "a" * 600_000)
    with pytest.raises(QueueFull, match=r"and 0\.6 MiB of text, of at most 100000 and 1; .* try again later"):
        send(farm, "b" * 600_000)
    send(farm, "c" * 400_000)
    assert farm.jobs.load(NAME)[1] == 1_000_000


@pytest.mark.parametrize(
    ("texts", "limits", "says"),
    [
        (
            ["a"] * 100,
            {"max_queue": 3},
            "4 pieces and 0.0 MiB of text; this farm's queue takes 3 and 256 in all",
        ),
        (["a" * (MIB - 1), "bb"], {"max_queue_mb": 1}, "1.0 MiB of text; this farm's queue takes 100000 and 1 in all"),
    ],
)
def test_a_job_that_could_never_be_queued_is_refused_as_too_large(
    farm: Farm, redis: Redis, with_settings: Callable[..., None], texts: list[str], limits: dict[str, int], says: str
) -> None:
    with_settings(models=f"{NAME}=x", max_text_chars=2 * MIB, **limits)
    with pytest.raises(JobTooLarge, match=f"{says}; send several jobs"):
        send(farm, *texts)
    assert redis.keys() == []


def test_a_job_of_just_the_queues_size_is_taken(farm: Farm, with_settings: Callable[..., None]) -> None:
    with_settings(models=f"{NAME}=x", max_queue=4)
    assert farm.jobs.read(send(farm, *["a"] * 4 * PIECE_TEXTS)).total == 4


def test_a_job_of_just_the_queues_bytes_is_taken(farm: Farm, with_settings: Callable[..., None]) -> None:
    with_settings(models=f"{NAME}=x", max_text_chars=2 * MIB, max_queue_mb=1)
    send(farm, "a" * MIB)
    assert farm.jobs.load(NAME)[1] == MIB


def test_what_the_cache_knows_is_never_too_large(
    farm: Farm, worker: Worker, with_settings: Callable[..., None]
) -> None:
    worker.do(send(farm, "a" * 2_000))
    with_settings(models=f"{NAME}=x", max_queue_mb=1)
    assert farm.jobs.read(send(farm, *["a" * 2_000] * 600)).status is JobStatus.SUCCEEDED


def refused(farm: Farm, text: str = "新的") -> QueueFull:
    """How a full queue refuses a job."""
    with pytest.raises(QueueFull) as caught:
        send(farm, text)
    return caught.value


def test_a_full_queue_says_when_to_come_again_by_what_waits_and_the_workers_pace(
    farm: Farm, worker: Worker, with_settings: Callable[..., None]
) -> None:
    with_settings(models=f"{NAME}=x", max_queue_mb=1)
    send(farm, "中" * 340_000)  # nearly a mebibyte
    text = "中" * 20_000
    worker.beat(1, characters_per_second=1_000)
    alone = refused(farm, text).retry_after
    assert 136 <= alone <= 204  # half of 340 seconds, a fifth more or less
    for number in (2, 3, 4):
        worker.beat(number, characters_per_second=1_000)
    assert 34 <= refused(farm, text).retry_after <= 51
    for number in (1, 2, 3, 4):
        worker.beat(number, characters_per_second=10)
    assert refused(farm, text).retry_after >= 0.8 * LATEST
    for number in (1, 2, 3, 4):
        worker.beat(number, characters_per_second=1_000_000)
    assert refused(farm, text).retry_after <= 1.2


@pytest.mark.parametrize("pace", [1.0, 1_000.0, 1_000_000.0])
def test_not_all_who_were_refused_come_again_at_once(
    farm: Farm, worker: Worker, with_settings: Callable[..., None], pace: float
) -> None:
    with_settings(models=f"{NAME}=x", max_queue_mb=1)
    send(farm, "中" * 340_000)
    worker.beat(characters_per_second=pace)
    said = {refused(farm, "中" * 20_000).retry_after for _ in range(20)}
    assert max(said) > 1.05 * min(said)


def silent_for(redis: Redis, seconds: float) -> None:
    """Let the last sign of life of the model's worker process be so long ago."""
    redis.zadd(ModelKeys(NAME).workers, {"a:1": -seconds}, xx=True, incr=True)


def test_a_model_that_nobody_has_served_for_long_takes_no_jobs(farm: Farm, worker: Worker, redis: Redis) -> None:
    worker.beat()
    silent_for(redis, UNSERVED_AFTER + 60)
    with pytest.raises(ModelUnserved, match=rf"no worker has held model '{NAME}' for 11 minutes; start one") as caught:
        send(farm, TEXT)
    assert caught.value.retry_after == 60
    assert redis.keys(JobKeys("*").job) == []
    worker.beat()
    send(farm, TEXT)


def test_a_model_whose_workers_were_stopped_takes_no_jobs_after_a_while_either(
    farm: Farm, worker: Worker, redis: Redis
) -> None:
    worker.beat()
    registry.leave(redis, NAME, "a:1")
    send(farm, TEXT)
    silent_for(redis, UNSERVED_AFTER)
    with pytest.raises(ModelUnserved):
        send(farm, TEXT)


def test_a_job_that_was_taken_before_is_told_again_where_no_new_one_is_taken(
    farm: Farm, worker: Worker, redis: Redis
) -> None:
    worker.beat()
    silent_for(redis, UNSERVED_AFTER - 60)
    job_id = send(farm, TEXT, key="order-7")
    silent_for(redis, 120)
    with pytest.raises(ModelUnserved):
        send(farm, TEXT)
    assert send(farm, TEXT, key="order-7") == job_id


def test_jobs_are_taken_while_workers_are_away_for_minutes(farm: Farm, worker: Worker, redis: Redis) -> None:
    worker.beat()
    silent_for(redis, UNSERVED_AFTER - 60)
    send(farm, TEXT)


def test_jobs_are_taken_before_the_first_worker_is_up(farm: Farm) -> None:
    send(farm, TEXT)


def test_what_the_cache_knows_is_answered_though_nobody_serves_the_model(
    farm: Farm, worker: Worker, redis: Redis
) -> None:
    worker.beat()
    worker.do(send(farm, TEXT))
    silent_for(redis, UNSERVED_AFTER + 60)
    assert farm.jobs.read(send(farm, TEXT)).status is JobStatus.SUCCEEDED
