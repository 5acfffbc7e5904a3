"""How turns travel."""

from __future__ import annotations

import json

from redis import Redis

from shared.celery_app import app, send_turn
from shared.queues import RECOGNISE, queue_name
from shared.settings import settings


def test_a_turn_is_a_message_in_its_models_queue(redis: Redis) -> None:
    send_turn("news")
    (message,) = redis.lrange(queue_name("news"), 0, -1)
    assert json.loads(message)["headers"]["task"] == RECOGNISE


def test_nothing_is_pickled() -> None:
    assert app.conf.task_serializer == "json"
    assert set(app.conf.accept_content) == {"json"}


def test_a_turn_is_acknowledged_when_it_is_done() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1


def test_a_turn_ends_before_it_would_be_delivered_again() -> None:
    assert app.conf.task_time_limit <= app.conf.broker_transport_options["visibility_timeout"]
    assert app.conf.broker_transport_options["visibility_timeout"] == settings().visibility_timeout
