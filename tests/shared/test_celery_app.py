"""How wake-ups travel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

from redis import Redis

from shared.broker import Channel
from shared.celery_app import app, wake
from shared.job_store import JobStore
from shared.keys import ModelKeys
from shared.settings import PROJECT_ROOT
from shared.wakeup import RECOGNISE, is_wakeup
from tests.support.jobs import MODEL, beat, new_job, worker

WAKEUPS = ModelKeys(MODEL).wakeups


def test_a_wake_up_is_a_message_in_its_models_queue(redis: Redis) -> None:
    wake(MODEL)
    (message,) = redis.lrange(WAKEUPS, 0, -1)
    headers = json.loads(message)["headers"]
    assert (headers["task"], headers["argsrepr"], headers["kwargsrepr"]) == (RECOGNISE, "()", "{}")
    assert is_wakeup(json.loads(message))


def test_while_it_is_on_its_way_no_other_is_wanted(redis: Redis, jobs: JobStore) -> None:
    assert jobs.create(new_job("马云")).wake
    wake(MODEL)
    assert not jobs.create(new_job("马云")).wake
    assert not beat(worker(redis, "one")).wake


def test_a_wake_up_that_redis_does_not_take_is_only_noted(redis: Redis, full_redis: Callable[[], object]) -> None:
    wake(MODEL)  # a connection exists
    redis.delete(WAKEUPS)
    full_redis()
    wake(MODEL)
    assert not redis.exists(WAKEUPS)


def test_a_message_that_was_not_acknowledged_is_not_kept(redis: Redis) -> None:
    """Nothing is to be redelivered: the next heartbeat sends another."""
    with app.connection_for_read() as connection, connection.channel() as channel:
        assert isinstance(channel, Channel)
        wake(MODEL)
        message = channel.basic_get(f"ner.{MODEL}")  # type: ignore[no-untyped-call]
        assert message is not None
        assert redis.keys("*unacked*") == []
    assert not redis.exists(WAKEUPS)


def test_nothing_is_pickled() -> None:
    assert app.conf.task_serializer == "json"
    assert set(app.conf.accept_content) == {"json"}


def test_a_node_takes_a_wake_up_only_for_a_free_process() -> None:
    assert app.conf.task_acks_late
    assert app.conf.worker_prefetch_multiplier == 1


def test_celery_waits_for_redis_for_seconds_only() -> None:
    options = app.conf.broker_transport_options
    assert 0 < options["socket_timeout"] <= 5
    assert 0 < options["socket_connect_timeout"] <= 5


def test_celery_verifies_whom_it_talks_to() -> None:
    """kombu's own default for rediss:// is to verify nothing."""
    ask = "from shared.celery_app import app; print(repr(app.connection_for_write().ssl['ssl_cert_reqs']))"
    environment = {**os.environ, "RANER_REDIS_URL": "rediss://localhost:1/0"}
    said = subprocess.run(
        [sys.executable, "-c", ask], env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert "CERT_REQUIRED" in said.stdout
