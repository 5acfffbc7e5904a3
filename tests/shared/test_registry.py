"""Who is alive, and what each model is."""

from __future__ import annotations

import time

from redis import Redis

from shared import registry
from shared.registry import ALIVE, ModelInfo, WorkerInfo

MODEL = ModelInfo(name="news", version="abc", types=("LOC", "PER"), backend="onnx-int8")


def worker(worker_id: str, seen: float) -> WorkerInfo:
    return WorkerInfo(id=worker_id, model="news", version="abc", started=0, seen=seen)


def test_a_worker_that_beats_is_alive_until_it_leaves(redis: Redis) -> None:
    info = worker("news@here:1", time.time())
    registry.beat(redis, info)
    assert registry.workers(redis) == [info]
    registry.leave(redis, info.id)
    assert registry.workers(redis) == []


def test_one_that_stopped_beating_counts_as_dead_and_is_forgotten(redis: Redis) -> None:
    registry.beat(redis, worker("news@here:1", time.time() - ALIVE - 1))
    registry.beat(redis, worker("news@here:2", time.time()))
    assert [info.id for info in registry.workers(redis)] == ["news@here:2"]
    assert redis.hkeys("raner:workers") == [b"news@here:2"]


def test_a_model_is_known_while_no_worker_is_up(redis: Redis) -> None:
    registry.announce(redis, MODEL)
    assert registry.models(redis) == {"news": MODEL}


def test_nothing_is_kept_for_ever(redis: Redis) -> None:
    registry.announce(redis, MODEL)
    registry.beat(redis, worker("news@here:1", time.time()))
    assert all(redis.ttl(key) > 0 for key in redis.keys("*"))
