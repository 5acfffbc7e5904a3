"""What a web process knows of the models."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from redis import Redis
from redis.exceptions import TimeoutError

from shared import registry
from shared.errors import StoreFull
from shared.redis_client import redis_client
from tests.support.redis_server import RedisServer
from tests.web.conftest import NAME, VERSION, Worker
from web.farm import Farm, ModelLoad, farm


def test_a_model_is_unknown_until_a_worker_has_loaded_it(redis: Redis) -> None:
    assert Farm(redis).model(NAME) is None


def test_a_model_is_known_as_its_worker_announced_it(worker: Worker, redis: Redis) -> None:
    model = Farm(redis).model(NAME)
    assert model is not None
    assert (model.version, model.types) == (VERSION, ("LOC", "ORG", "PER"))
    assert Farm(redis).model("other") is None


def test_redis_is_not_asked_for_every_text(worker: Worker, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.farm.MODELS_FRESH", 3600.0)
    farm = Farm(redis)
    farm.model(NAME)
    redis.delete("raner:models")
    assert farm.model(NAME) is not None


def test_a_new_version_is_seen_once_the_old_knowledge_is_stale(
    worker: Worker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.farm.MODELS_FRESH", 0.0)
    farm = Farm(redis)
    before = farm.model(NAME)
    assert before is not None
    registry.announce(redis, before.model_copy(update={"version": "v2"}))
    after = farm.model(NAME)
    assert after is not None
    assert after.version == "v2"


def test_what_is_known_serves_while_redis_is_stalled(own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.farm.MODELS_FRESH", 0.1)
    monkeypatch.setattr("web.farm.STALE", 2.0)
    Worker(redis_client(), lambda _: [])
    assert farm().model(NAME) is not None
    own_redis.suspend()
    time.sleep(0.2)
    assert farm().model(NAME) is not None
    time.sleep(2.0)
    with pytest.raises(TimeoutError):
        farm().model(NAME)
    own_redis.resume()


def hold(redis: Redis, megabytes: int) -> None:
    """Have Redis hold so much more."""
    for number in range(megabytes):
        redis.set(f"large:{number}", b"x" * 1_000_000)


def test_there_is_room(redis: Redis) -> None:
    Farm(redis).check_room()


def test_a_redis_that_holds_more_than_the_setting_allows_has_no_room(
    redis: Redis, with_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.farm.MEMORY_FRESH", 0.0)
    with_settings(max_store_mb=10)
    farm = Farm(redis)
    farm.check_room()
    hold(redis, 11)
    with pytest.raises(StoreFull, match=r"holds \d+ MB, and new jobs are taken up to 10 MB; try again later"):
        farm.check_room()
    redis.flushall()
    farm.check_room()


def test_a_redis_near_its_own_limit_has_no_room(own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.farm.MEMORY_FRESH", 0.0)
    client = redis_client()
    client.config_set("maxmemory", 100_000_000)
    farm().check_room()
    hold(client, 85)
    with pytest.raises(StoreFull, match=r"new jobs are taken up to 76 MB"):
        farm().check_room()


def test_redis_is_not_asked_for_its_memory_by_every_job(redis: Redis, with_settings: Callable[..., None]) -> None:
    with_settings(max_store_mb=10)
    farm = Farm(redis)
    farm.check_room()
    hold(redis, 11)
    farm.check_room()  # within a second of the last look


def test_each_served_model_has_its_load(
    client: FlaskClient, worker: Worker, redis: Redis, with_settings: Callable[..., None]
) -> None:
    with_settings(models=f"{NAME}=x,idle=y")
    for number in (1, 2):
        worker.beat(number)
    client.post("/api/v1/jobs", json={"texts": ["马云"] * 40})
    loads = Farm(redis).loads(registry.workers(redis))
    assert loads == [
        ModelLoad(NAME, workers=2, queue=2, open_jobs=1),
        ModelLoad("idle", workers=0, queue=0, open_jobs=0),
    ]
