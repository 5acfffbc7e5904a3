"""The names of keys: two farms with different prefixes share a Redis and do not meet."""

from __future__ import annotations

from collections.abc import Callable

from redis import Redis

from shared import cache, keys, registry
from shared.entities import Entity
from shared.job_store import JobStore
from shared.jobs import Lane
from shared.keys import JobKeys, ModelKeys
from shared.piece_stream import backlog
from shared.registry import ModelInfo
from tests.support.jobs import FOUND, LONG, MODEL, beat, made, new_job, take, work, worker


def use_every_key(redis: Redis) -> None:
    """Do what a farm does in its days."""
    jobs, stream = JobStore(redis), worker(redis, "one")
    registry.announce(redis, ModelInfo(name=MODEL, version="v1", types=("PER",), backend="onnx-int8"))
    stream.take(most=0, room=0, linger=60)
    cut = made(jobs, LONG, idempotency_key="k")
    while jobs.read(cut).done < jobs.read(cut).total:
        work(stream)
    jobs.succeed(cut, MODEL, {0: FOUND}, Lane.BULK, take(stream)[0].entry.id)
    cache.store(redis, "v1", [(b"text", [Entity(0, 2, "PER", 0.9)])])
    made(jobs, LONG)
    work(stream)
    beat(stream)


def test_every_key_begins_with_the_prefix(redis: Redis, with_settings: Callable[..., None]) -> None:
    with_settings(key_prefix="theirs")
    use_every_key(redis)
    assert len(redis.keys("*")) >= 12
    assert {key.split(b":")[0] for key in redis.keys("*")} == {b"theirs"}


def test_two_farms_on_one_redis_do_not_meet(redis: Redis, with_settings: Callable[..., None]) -> None:
    with_settings(key_prefix="theirs")
    use_every_key(redis)
    before = {key: redis.dump(key) for key in redis.keys("*")}
    with_settings(key_prefix="ours")
    ours = JobStore(redis)
    assert take(worker(redis, "one"), 99) == []
    assert (ours.count_open(MODEL), ours.load(MODEL)) == (0, (0, 0))
    assert set(backlog(redis, MODEL).values()) == {(0, 0)}
    assert registry.models(redis) == {}
    assert registry.crews(redis, [MODEL])[MODEL].workers == ()
    assert cache.look_up(redis, "v1", [b"text"]) == {}
    assert ours.create(new_job("马云", idempotency_key="k")).created is not None
    work(worker(redis, "one"))
    redis.delete(keys.idempotency("k"))
    use_every_key(redis)
    assert {key: redis.dump(key) for key in redis.keys("theirs:*")} == before


def test_a_job_and_a_model_have_their_keys_under_their_names(with_settings: Callable[..., None]) -> None:
    assert JobKeys("id").texts == "raner:job:id:texts"
    assert ModelKeys("news").bulk == "raner:model:news:pieces:bulk"
    assert ModelKeys("news").wakeups == "raner:celery:ner.news"
    with_settings(key_prefix="a:b")
    assert keys.workers() == "a:b:workers"


def test_a_cached_result_belongs_to_a_text_a_version_and_a_format() -> None:
    names = {keys.cached(version, text) for version in ("v1", "v2") for text in (b"one", b"two")}
    assert len(names) == 4
    assert all(f":cache:{keys.SCHEMA}:" in name for name in names)
