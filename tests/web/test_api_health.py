"""Liveness and readiness."""

from __future__ import annotations

import time

from flask.testing import FlaskClient
from redis import Redis

from shared import registry
from shared.registry import WorkerInfo
from tests.web.conftest import NAME


def test_it_is_alive(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}


def test_it_is_ready_once_a_worker_holds_each_model(client: FlaskClient, redis: Redis) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"] == {
        "redis": "ok",
        f"worker {NAME}": "no worker process has this model loaded",
    }
    registry.beat(redis, WorkerInfo(id="a:1", model=NAME, version="v1", started=0, seen=time.time()))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ready")


def test_a_worker_of_another_model_does_not_count(client: FlaskClient, redis: Redis) -> None:
    registry.beat(redis, WorkerInfo(id="a:1", model="other", version="v1", started=0, seen=time.time()))
    assert client.get("/readyz").status_code == 503
