"""From an accepted request to a job: limits, cache, record, queue."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from shared.errors import IdempotencyConflict, InvalidRequest, QueueFull, TextTooLong
from shared.jobs import JobStatus, OffsetUnit
from shared.pieces import PIECE_CHARS, PIECE_TEXTS
from shared.queues import queue_name, task_id
from tests.support.redis_server import RedisServer
from tests.web.conftest import NAME, Worker
from web.farm import Farm
from web.submission import submit

TEXT = "马云在杭州。"


@pytest.fixture
def farm(redis: Redis) -> Farm:
    return Farm(redis)


@pytest.fixture
def queued(redis: Redis) -> Callable[[], list[str]]:
    """Says which tasks are in the queue, the oldest first."""
    return lambda: [json.loads(task)["headers"]["id"] for task in reversed(redis.lrange(queue_name(NAME), 0, -1))]


def send(
    farm: Farm,
    *texts: str,
    types: list[str] | None = None,
    offsets: OffsetUnit = OffsetUnit.CODEPOINT,
    key: str | None = None,
) -> str:
    return submit(farm, list(texts), None, types, offsets, key)


def test_a_job_of_one_text_is_one_task(farm: Farm, queued: Callable[[], list[str]]) -> None:
    job_id = send(farm, TEXT)
    assert queued() == [task_id(job_id, 0)]
    job = farm.jobs.read(job_id)
    assert (job.status, job.model, job.done, job.total) == (JobStatus.QUEUED, NAME, 0, 1)
    assert farm.jobs.texts(job_id) == [TEXT]


def test_many_short_texts_share_a_task(farm: Farm, queued: Callable[[], list[str]]) -> None:
    job_id = send(farm, *[TEXT] * (PIECE_TEXTS + 1))
    assert queued() == [task_id(job_id, 0), task_id(job_id, 1)]
    assert farm.jobs.texts(job_id) == [TEXT] * (PIECE_TEXTS + 1)


def test_a_long_text_is_several_tasks(farm: Farm, queued: Callable[[], list[str]]) -> None:
    job_id = send(farm, "中" * (PIECE_CHARS + 1))
    assert len(queued()) == farm.jobs.read(job_id).total == 2


def test_no_task_carries_the_text(farm: Farm, redis: Redis) -> None:
    job_id = send(farm, "secret")
    task = json.loads(redis.lindex(queue_name(NAME), 0))
    arguments = base64.b64decode(task["body"]).decode()
    assert job_id in arguments
    assert "secret" not in arguments + str(task)


def test_the_job_is_known_to_be_enqueued(farm: Farm) -> None:
    assert farm.jobs.enqueued_at(send(farm, TEXT)) is not None


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
    redis.delete(queue_name(NAME))
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
    assert queued() == [task_id(first, 0), task_id(second, 0)]
    assert farm.jobs.count_open(NAME) == 2


def test_what_the_cache_knows_is_answered_though_the_queue_is_full(
    farm: Farm, worker: Worker, with_settings: Callable[..., None]
) -> None:
    worker.do(send(farm, TEXT))  # its task stays in the queue: this worker did not take it from there
    with_settings(max_queue=1)
    with pytest.raises(QueueFull):
        send(farm, "新的")
    assert farm.jobs.read(send(farm, TEXT)).status is JobStatus.SUCCEEDED


def test_the_same_request_with_a_key_makes_one_job(farm: Farm, queued: Callable[[], list[str]]) -> None:
    first = send(farm, TEXT, types=["PER"], key="order-7")
    assert send(farm, TEXT, types=["PER"], key="order-7") == first
    assert queued() == [task_id(first, 0)]


def test_without_a_key_each_request_makes_a_job(farm: Farm) -> None:
    assert send(farm, TEXT) != send(farm, TEXT)
    assert send(farm, TEXT, key="order-7") != send(farm, TEXT, key="order-8")


def test_a_key_sent_many_times_at_once_makes_one_job(farm: Farm, queued: Callable[[], list[str]]) -> None:
    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(lambda _: send(farm, TEXT, key="order-7"), range(8))
    assert set(others) == {first}
    assert queued() == [task_id(first, 0)]


def test_a_job_whose_tasks_the_broker_refuses_is_accepted_all_the_same(redis: Redis, own_redis: RedisServer) -> None:
    with Redis.from_url(own_redis.url) as records:
        farm = Farm(records)
        redis.config_set("maxmemory", 1)
        try:
            job_id = send(farm, TEXT)
        finally:
            redis.config_set("maxmemory", 0)
        assert farm.jobs.read(job_id).status is JobStatus.QUEUED
        assert farm.jobs.enqueued_at(job_id) is None  # which is what the sweep looks for


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
    submit(farm, [TEXT], None, None, OffsetUnit.CODEPOINT, "order-7")
    with pytest.raises(IdempotencyConflict):
        submit(farm, [TEXT], "other", None, OffsetUnit.CODEPOINT, "order-7")


def test_each_model_has_its_queue(farm: Farm, redis: Redis, with_settings: Callable[..., None]) -> None:
    with_settings(models=f"{NAME}=x,other=y", default_model="other")
    submit(farm, [TEXT], None, None, OffsetUnit.CODEPOINT)
    assert (redis.llen(queue_name(NAME)), redis.llen(queue_name("other"))) == (0, 1)
    submit(farm, [TEXT], NAME, None, OffsetUnit.CODEPOINT)
    assert (redis.llen(queue_name(NAME)), redis.llen(queue_name("other"))) == (1, 1)
