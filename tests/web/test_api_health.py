"""Liveness and readiness."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask.testing import FlaskClient
from redis import Redis

from shared import registry
from shared.registry import ALIVE, WorkerInfo
from tests.web.conftest import NAME, VERSION, Worker


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


def test_every_served_model_needs_its_worker(
    client: FlaskClient, worker: Worker, with_settings: Callable[..., None]
) -> None:
    with_settings(models=f"{NAME}=x,other=y")
    worker.beat()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"] == {
        "redis": "ok",
        f"worker {NAME}": "ok",
        "worker other": "no worker process has this model loaded",
    }


def test_a_worker_that_fell_silent_does_not_count(client: FlaskClient, redis: Redis) -> None:
    silent = WorkerInfo(id="a:1", model=NAME, version=VERSION, started=0, seen=time.time() - ALIVE - 1)
    registry.beat(redis, silent)
    assert client.get("/readyz").status_code == 503


def test_a_worker_that_stopped_does_not_count(client: FlaskClient, worker: Worker) -> None:
    worker.beat()
    registry.leave(worker.redis, "a:1")
    assert client.get("/readyz").status_code == 503


def test_a_worker_of_another_model_does_not_count(client: FlaskClient, redis: Redis) -> None:
    registry.beat(redis, WorkerInfo(id="a:1", model="other", version="v1", started=0, seen=time.time()))
    assert client.get("/readyz").status_code == 503
