"""Liveness and readiness."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from redis import Redis

from shared import registry
from shared.keys import ModelKeys
from shared.piece_stream import PieceStream
from shared.redis_client import redis_client
from shared.registry import ALIVE, WorkerInfo
from tests.support.redis_server import RedisServer
from tests.web.conftest import NAME, Worker
from web.app import create_app


def test_it_is_alive(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}


def test_it_is_ready_once_a_worker_holds_the_model(client: FlaskClient, worker: Worker) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"] == {
        "redis": "ok",
        f"worker {NAME}": "no worker process has this model loaded",
    }
    assert answer.get_json()["status"] == "not ready"
    worker.beat()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {"status": "ready", "checks": {"redis": "ok", f"worker {NAME}": "ok"}}


def test_one_model_with_a_worker_is_enough(
    client: FlaskClient, worker: Worker, with_settings: Callable[..., None]
) -> None:
    with_settings(models=f"{NAME}=x,other=y")
    worker.beat()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json()["checks"] == {
        "redis": "ok",
        f"worker {NAME}": "ok",
        "worker other": "no worker process has this model loaded",
    }


def test_a_worker_that_fell_silent_does_not_count(client: FlaskClient, worker: Worker, redis: Redis) -> None:
    worker.beat()
    redis.zincrby(ModelKeys(NAME).workers, -ALIVE - 1, "a:1")  # as if its last sign of life had been earlier
    assert client.get("/readyz").status_code == 503


def test_a_worker_that_stopped_does_not_count(client: FlaskClient, worker: Worker) -> None:
    worker.beat()
    registry.leave(worker.redis, NAME, "a:1")
    assert client.get("/readyz").status_code == 503


def test_a_worker_of_another_model_does_not_count(client: FlaskClient, redis: Redis) -> None:
    other = WorkerInfo(id="a:1", model="other", version="v1", started=0)
    PieceStream(redis, "other", "a:1").beat(other, held=[])
    assert client.get("/readyz").status_code == 503


def test_asking_leaves_no_key(client: FlaskClient, redis: Redis) -> None:
    client.get("/readyz")
    assert redis.keys() == []


def refuse_for_want_of_replicas(server: RedisServer) -> None:
    redis_client().config_set("min-replicas-to-write", 1)


@pytest.mark.parametrize(
    ("refuse", "says"),
    [
        (RedisServer.refuse_for_memory, "takes nothing new: its memory is full"),
        (RedisServer.refuse_for_disk, "takes nothing new: it cannot write its disk"),
        (RedisServer.refuse_as_a_replica, "takes nothing new: it is a read-only replica"),
        (refuse_for_want_of_replicas, "takes nothing new: it has too few replicas"),
        (RedisServer.stop, "does not answer"),
        (RedisServer.suspend, "does not answer"),
    ],
    ids=["memory", "disk", "replica", "no replicas", "away", "stalled"],
)
def test_a_redis_that_takes_no_job_is_not_ready_and_its_address_is_not_told(
    own_redis: RedisServer, refuse: Callable[[RedisServer], None], says: str
) -> None:
    client = create_app().test_client()
    worker = Worker(redis_client(), lambda _: [])
    worker.beat()
    assert client.get("/readyz").status_code == 200
    refuse(own_redis)
    began = time.monotonic()
    answer = client.get("/readyz")
    assert time.monotonic() - began < 3.0
    assert answer.status_code == 503
    assert answer.get_json() == {"status": "not ready", "checks": {"redis": says}}
