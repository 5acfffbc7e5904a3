"""From an accepted request to a job: limits, cache, record, queue."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from shared.errors import IdempotencyConflict, InvalidRequest, QueueFull, TextTooLong
from shared.job_keys import ModelKeys
from shared.jobs import JobStatus, OffsetUnit
from shared.pieces import PIECE_CHARS, PIECE_TEXTS
from shared.queues import queue_name
from tests.support.redis_server import RedisServer
from tests.web.conftest import NAME, Worker
from web.farm import Farm
from web.submission import submission

TEXT = "马云在杭州。"


@pytest.fixture
def farm(redis: Redis) -> Iterator[Farm]:
    farm = Farm(redis)
    yield farm
    farm.ends.close()


@pytest.fixture
def queued(redis: Redis) -> Callable[[], list[str]]:
    """Says which pieces wait, the oldest first."""
    return lambda: [name.decode() for name in redis.lrange(ModelKeys(NAME).waiting, 0, -1)]


def turns(redis: Redis, model: str = NAME) -> int:
    """How many turns wait for a worker process."""
    return int(redis.llen(queue_name(model)))


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
    assert farm.jobs.texts(job_id) == [TEXT]


def test_many_short_texts_share_a_piece(farm: Farm, queued: Callable[[], list[str]]) -> None:
    job_id = send(farm, *[TEXT] * (PIECE_TEXTS + 1))
    assert queued() == [f"{job_id}:0", f"{job_id}:1"]
    assert farm.jobs.texts(job_id) == [TEXT] * (PIECE_TEXTS + 1)


def test_a_long_text_is_several_pieces(farm: Farm, queued: Callable[[], list[str]]) -> None:
    job_id = send(farm, "中" * (PIECE_CHARS + 1))
    assert len(queued()) == farm.jobs.read(job_id).total == 2


def test_no_turn_carries_a_text(farm: Farm, redis: Redis) -> None:
    send(farm, "secret")
    turn = json.loads(redis.lindex(queue_name(NAME), 0))
    assert "secret" not in base64.b64decode(turn["body"]).decode() + str(turn)


def test_one_turn_is_sent_for_all_that_waits(farm: Farm, redis: Redis) -> None:
    for _ in range(3):
        send(farm, *[TEXT] * 100)
    assert turns(redis) == 1
    redis.delete(queue_name(NAME))  # a worker process has it
    send(farm, TEXT)
    assert turns(redis) == 1


def test_what_the_cache_answers_needs_no_turn(farm: Farm, worker: Worker, redis: Redis) -> None:
    worker.do(send(farm, TEXT))
    redis.delete(queue_name(NAME))
    send(farm, TEXT)
    assert turns(redis) == 0


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
    assert farm.jobs.texts(send(farm, "中中中", "😀😀😀")) == ["中中中", "😀😀😀"]


def test_one_text_or_one_character_more_is_refused(
    farm: Farm, redis: Redis, with_settings: Callable[..., None]
) -> None:
    with_settings(max_texts=2, max_text_chars=3)
    with pytest.raises(TextTooLong, match="texts: 3 given, a job may have 2"):
        send(farm, "a", "b", "c")
    with pytest.raises(TextTooLong, match="text 1 has 4 characters, at most 3 are taken"):
        send(farm, "a", "bbbb")
    assert redis.keys() == []


def test_a_job_that_the_cache_answers_ends_at_once(
    farm: Farm, worker: Worker, redis: Redis, queued: Callable[[], list[str]]
) -> None:
    worker.do(send(farm, TEXT))
    job_id = send(farm, TEXT, TEXT)
    assert farm.jobs.read(job_id).status is JobStatus.SUCCEEDED
    assert [cached for _, _, cached in farm.jobs.results(job_id)] == [True, True]
    assert queued() == []
    assert farm.jobs.count_open(NAME) == 0


def test_only_what_the_cache_does_not_know_is_enqueued(farm: Farm, worker: Worker) -> None:
    worker.do(send(farm, TEXT))
    job_id = send(farm, *[TEXT] * PIECE_TEXTS, "新的")
    assert farm.jobs.read(job_id).total == 1
    worker.do(job_id)
    assert [cached for _, _, cached in farm.jobs.results(job_id)] == [True] * PIECE_TEXTS + [False]


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
    assert redis.keys("raner:job:*") == []


def test_a_full_queue_takes_no_job_and_no_part_of_one(
    farm: Farm, queued: Callable[[], list[str]], with_settings: Callable[..., None]
) -> None:
    with_settings(max_queue=2)
    first = send(farm, "a")
    with pytest.raises(QueueFull, match=f"1 pieces wait for model '{NAME}', of at most 2; try again later"):
        send(farm, *["b"] * (PIECE_TEXTS + 1))
    second = send(farm, "c")
    with pytest.raises(QueueFull, match="2 pieces wait"):
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


def test_a_job_whose_turn_the_broker_refuses_is_accepted_all_the_same(redis: Redis, own_redis: RedisServer) -> None:
    with Redis.from_url(own_redis.url) as records:
        farm = Farm(records)
        redis.config_set("maxmemory", 1)
        try:
            job_id = send(farm, TEXT)
        finally:
            redis.config_set("maxmemory", 0)
        assert farm.jobs.read(job_id).status is JobStatus.QUEUED
        assert farm.jobs.count_waiting(NAME) == 1  # for which the sweep sends a turn


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
    assert (turns(redis), turns(redis, "other")) == (0, 1)
    send(farm, TEXT, model=NAME)
    assert (turns(redis), turns(redis, "other")) == (1, 1)
    assert farm.jobs.count_waiting(NAME) == farm.jobs.count_waiting("other") == 1
