"""What a web process knows of the models."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from redis import Redis

from shared import registry
from tests.web.conftest import NAME, VERSION, Worker
from web.farm import Farm, ModelLoad


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
