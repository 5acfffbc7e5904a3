"""Whoever can write to the farm's Redis can put messages into Celery's queues. Workers refuse all but wake-ups."""

from __future__ import annotations

import base64
import json
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from shared.settings import BUNDLED_MODEL
from tests.support.farm import Farm, running_farm

QUEUE = f"raner:celery:ner.{BUNDLED_MODEL.name}"
NODE = f"worker-{BUNDLED_MODEL.name}"
CALL = [[], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
TOLD_WITHIN = 30.0  # seconds


class Code:
    """What runs code when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return open, (str(self.path), "w")


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Farm]:
    """A farm with one worker process, so that a single message that is kept would stop it."""
    with running_farm(tmp_path_factory.mktemp("foreign"), data_dir, RANER_LOG_LEVEL="DEBUG") as farm:
        yield farm


@pytest.fixture
def redis(farm: Farm) -> Iterator[Redis]:
    with Redis.from_url(farm.redis.url) as client:
        yield client


def message(body: Any = CALL, **changes: Any) -> dict[str, Any]:
    """A wake-up with changes; ``headers`` and ``properties`` are added to its own."""
    headers = {"lang": "py", "task": "ner.recognise", "id": "7b1f7a44-0b0e-4d59-8f3c-0123456789ab"}
    properties = {
        "delivery_tag": "tag",
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": f"ner.{BUNDLED_MODEL.name}"},
        "priority": 0,
        "body_encoding": "base64",
    }
    return {
        "body": base64.b64encode(json.dumps(body).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        **changes,
        "headers": {**headers, **changes.get("headers", {})},
        "properties": {**properties, **changes.get("properties", {})},
    }


def still_works(farm: Farm, redis: Redis, pid: int) -> None:
    """The node is the same process, it does a job, and Redis holds nothing of the message."""
    began = time.monotonic()
    job = farm.submit(text=f"马云在杭州，{began}。")
    assert farm.ended(job)["status"] == "succeeded"
    assert time.monotonic() - began < 10
    assert farm.processes[NODE].poll() is None, farm.log(NODE)[-3000:]
    assert farm.processes[NODE].pid == pid
    assert redis.llen(QUEUE) == 0
    assert redis.keys("*unacked*") == []


def refusals(farm: Farm) -> int:
    return farm.log(NODE).count("a message is refused")


def wait_for_refusals(farm: Farm, number: int) -> None:
    deadline = time.monotonic() + TOLD_WITHIN
    while refusals(farm) < number:
        assert farm.processes[NODE].poll() is None, farm.log(NODE)[-3000:]
        assert time.monotonic() < deadline, farm.log(NODE)[-3000:]
        time.sleep(0.1)  # the node tells nobody


FOREIGN: dict[str, bytes] = {
    "no JSON": b"secretly not JSON",
    "no UTF-8": b"\xff\xfe",
    "a number": b"1",
    "a list": b"[]",
    "an empty object": b"{}",
    "deep": b"[" * 100_000,
    "a type of kombu's": b'{"__type__": "datetime", "__value__": 5}',
    "no properties": json.dumps({**message(), "properties": None}).encode(),
    "no headers": json.dumps({**message(), "headers": None}).encode(),
    "another task": json.dumps(message(headers={"task": "os.system"})).encode(),
    "a task that is a list": json.dumps(message(headers={"task": ["ner.recognise"]})).encode(),
    "an old protocol": json.dumps(
        message({"task": "ner.recognise", "id": "1", "args": []}, headers={"task": None})
    ).encode(),
    "arguments": json.dumps(message([["text"], {}, {}])).encode(),
    "a callback": json.dumps(message([[], {}, {"callbacks": [{"task": "other", "args": [], "options": {}}]}])).encode(),
    "a body that is no base64": json.dumps({**message(), "body": "%"}).encode(),
    "a body of a megabyte": json.dumps({**message(), "body": "A" * 2**20}).encode(),
    "packed": json.dumps(message(headers={"compression": "application/x-gzip"})).encode(),
    "another content type": json.dumps({**message(), "content-type": "application/x-yaml"}).encode(),
    "for next year": json.dumps(message(headers={"eta": "2099-01-01T00:00:00+00:00"})).encode(),
    "with a time limit": json.dumps(message(headers={"timelimit": [0.001, 0.001]})).encode(),
    "with a long header": json.dumps(message(headers={"origin": "A" * 2**20})).encode(),
    "a group": json.dumps(message(headers={"group": "g"})).encode(),
}


@pytest.mark.parametrize("sent", FOREIGN.values(), ids=FOREIGN)
def test_a_message_that_is_no_wake_up_is_refused_and_kept_nowhere(farm: Farm, redis: Redis, sent: bytes) -> None:
    pid, before = farm.processes[NODE].pid, refusals(farm)
    for _ in range(3):
        redis.lpush(QUEUE, sent)
    wait_for_refusals(farm, before + 3)
    still_works(farm, redis, pid)
    assert "secretly" not in farm.log(NODE)


def test_a_pickled_message_runs_no_code(farm: Farm, redis: Redis, tmp_path: Path) -> None:
    pid, before, made = farm.processes[NODE].pid, refusals(farm), tmp_path / "made"
    pickle.loads(pickle.dumps(Code(tmp_path / "tried"))).close()
    assert (tmp_path / "tried").exists()  # so it would
    body = base64.b64encode(pickle.dumps(Code(made))).decode()
    for content_type in ("application/x-python-serialize", "application/json"):
        changed = {**message(), "body": body, "content-type": content_type, "content-encoding": "binary"}
        redis.lpush(QUEUE, json.dumps(changed))
    wait_for_refusals(farm, before + 2)
    still_works(farm, redis, pid)
    assert not made.exists()


def test_so_is_one_that_celery_itself_sent(farm: Farm, redis: Redis) -> None:
    """A client of Celery's that pickles, and a task that the farm does not have."""
    pid, before = farm.processes[NODE].pid, refusals(farm)
    options = {"global_keyprefix": "raner:celery:"}
    with Celery(broker=farm.redis.url) as stranger:
        stranger.conf.update(broker_transport_options=options, accept_content=["json", "pickle"])
        queue = f"ner.{BUNDLED_MODEL.name}"
        stranger.send_task("ner.recognise", queue=queue, serializer="pickle")
        stranger.send_task("tasks.add", args=[1, 2], queue=queue)
        stranger.send_task("ner.recognise", queue=queue, countdown=3600)
    wait_for_refusals(farm, before + 3)
    still_works(farm, redis, pid)


def test_control_commands_are_not_obeyed(farm: Farm, redis: Redis) -> None:
    pid = farm.processes[NODE].pid
    with Celery(broker=farm.redis.url) as stranger:
        stranger.conf.update(broker_transport_options={"global_keyprefix": "raner:celery:"})
        control = stranger.control
        control.shutdown()
        control.pool_shrink(1)
        control.cancel_consumer(f"ner.{BUNDLED_MODEL.name}")
        control.time_limit("ner.recognise", soft=0.001, hard=0.001)
        control.rate_limit("ner.recognise", "1/h")
        control.purge()
        answers = control.inspect(timeout=5).ping()
    assert list((answers or {}).values()) == [{"ok": "pong"}]  # which Flower asks
    still_works(farm, redis, pid)


@pytest.mark.parametrize("sent", [b"x", b"\xff", b"[]", b"{}", b'{"properties": {}}', json.dumps(message()).encode()])
def test_garbage_among_the_control_messages_is_not_minded(farm: Farm, redis: Redis, sent: bytes) -> None:
    pid = farm.processes[NODE].pid
    for _ in range(3):
        redis.publish("raner:celery:/0.celery.pidbox", sent)
        redis.publish("raner:celery:/0.celeryev/worker.heartbeat", sent)
    still_works(farm, redis, pid)
    assert farm.processes["flower"].poll() is None
    assert farm.http.get(f"{farm.flower_url}/workers", timeout=30).status_code == 200
