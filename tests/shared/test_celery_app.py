"""How pieces travel."""

from __future__ import annotations

import json

from redis import Redis

from shared.celery_app import app, enqueue
from shared.queues import RECOGNISE
from shared.settings import settings


def test_each_piece_is_a_message_in_its_models_queue(redis: Redis) -> None:
    enqueue("news", "job1", [0, 2])
    assert redis.llen("ner.news") == 2
    # The oldest is at the right end.
    headers = [json.loads(message)["headers"] for message in reversed(redis.lrange("ner.news", 0, -1))]
    assert [header["id"] for header in headers] == ["job1.0", "job1.2"]
    assert {header["task"] for header in headers} == {RECOGNISE}


def test_nothing_is_pickled() -> None:
    assert app.conf.task_serializer == "json"
    assert set(app.conf.accept_content) == {"json"}


def test_a_piece_is_acknowledged_when_it_is_done() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1


def test_a_piece_ends_before_it_would_be_delivered_again() -> None:
    assert app.conf.task_time_limit <= app.conf.broker_transport_options["visibility_timeout"]
    assert app.conf.broker_transport_options["visibility_timeout"] == settings().visibility_timeout
