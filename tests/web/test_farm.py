"""What a web process knows of the models."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from redis import Redis
from redis.exceptions import TimeoutError

from shared import keys, registry
from shared.errors import StoreFull
from shared.keys import ModelKeys
from shared.redis_client import redis_client
from tests.support.redis_server import RedisServer
from tests.web.conftest import NAME, VERSION, Worker, farm_on
from web.farm import ModelLoad, farm


def test_a_model_is_unknown_until_a_worker_has_loaded_it(redis: Redis) -> None:
    assert farm_on(redis).model(NAME) is None


def test_a_model_is_known_as_its_worker_announced_it(worker: Worker, redis: Redis) -> None:
    model = farm_on(redis).model(NAME)
    assert model is not None
    assert (model.version, model.types) == (VERSION, ("LOC", "ORG", "PER"))
    assert farm_on(redis).model("other") is None


def test_redis_is_not_asked_for_every_text(worker: Worker, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.farm.MODELS_FRESH", 3600.0)
    seen = farm_on(redis)
    seen.model(NAME)
    redis.delete(keys.models())
    assert seen.model(NAME) is not None


def test_a_new_version_is_seen_once_the_old_knowledge_is_stale(
    worker: Worker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.farm.MODELS_FRESH", 0.0)
    seen = farm_on(redis)
    before = seen.model(NAME)
    assert before is not None
    registry.announce(redis, before.model_copy(update={"version": "v2"}))
    after = seen.model(NAME)
    assert after is not None
    assert after.version == "v2"


@pytest.mark.parametrize("record", ["{}", "no JSON", '{"id": "a:2", "model": 7}', "null"])
@pytest.mark.parametrize("path", ["/readyz", "/metrics", "/api/v1/farm", "/api/v1/models"])
def test_a_record_that_cannot_be_read_is_left_out(
    client: FlaskClient, worker: Worker, redis: Redis, path: str, record: str
) -> None:
    worker.beat()
    redis.hset(keys.workers(), "a:2", record)
    redis.zadd(ModelKeys(NAME).workers, {"a:2": time.time()})
    redis.hset(keys.models(), "other", record)
    assert client.get(path).status_code == 200
    assert [info.id for info in farm().crew(NAME).workers] == ["a:1"]
    assert farm().model(NAME) is not None
    assert client.post("/api/v1/jobs", json={"text": "马云"}).status_code == 202


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
    farm_on(redis).check_room()


def test_a_redis_that_holds_more_than_the_setting_allows_has_no_room(
    redis: Redis, with_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.farm.MEMORY_FRESH", 0.0)
    with_settings(max_store_mb=10)
    seen = farm_on(redis)
    seen.check_room()
    hold(redis, 11)
    with pytest.raises(StoreFull, match=r"holds \d+ MB, and new jobs are taken up to 10 MB; try again later"):
        seen.check_room()
    redis.flushall()
    seen.check_room()


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
    seen = farm_on(redis)
    seen.check_room()
    hold(redis, 11)
    seen.check_room()  # within a second of the last look


def test_each_served_model_has_its_load(
    client: FlaskClient, worker: Worker, redis: Redis, with_settings: Callable[..., None]
) -> None:
    with_settings(models=f"{NAME}=x,idle=y")
    for number in (1, 2):
        worker.beat(number)
    client.post("/api/v1/jobs", json={"texts": ["马云"] * 40})
    seen = farm_on(redis)
    assert seen.loads(seen.crews()) == [
        ModelLoad(NAME, workers=2, queue=2, open_jobs=1),
        ModelLoad("idle", workers=0, queue=0, open_jobs=0),
    ]
