"""The application on the run's Redis, and somebody in the workers' role."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from flask.testing import FlaskClient
from redis import Redis

from shared import cache, registry
from shared.entities import Entity
from shared.job_store import JobStore, PieceWork
from shared.jobs import TextResult
from shared.queues import queue_name
from shared.registry import ModelInfo, WorkerInfo
from web.app import create_app
from web.farm import farm

NAME = "raner-mini"
VERSION = "v1"
Find = Callable[[str], Sequence[Entity]]


class Worker:
    """Does pieces as a worker process does, with a rule of the test's own in place of a model."""

    def __init__(self, redis: Redis, find: Find) -> None:
        self.redis = redis
        self.jobs = JobStore(redis)
        self.find = find
        registry.announce(
            redis, ModelInfo(name=NAME, version=VERSION, types=("LOC", "ORG", "PER"), backend="onnx-int8")
        )

    def do(self, job_id: str, piece: int = 0) -> str:
        """Do a piece of whole texts. Returns the state that follows."""
        work = self.jobs.start_piece(job_id, NAME, piece)
        assert isinstance(work, PieceWork)
        found = {}
        for item, text in zip(work.items, work.slices, strict=True):
            encoded = cache.encode_entities(self.find(text))
            found[item.text] = TextResult(encoded, f"{NAME}@{VERSION}", cached=False)
            cache.store(self.redis, VERSION, [(cache.encode_text(text), encoded)])
        return self.jobs.finish_piece(job_id, NAME, piece, found, {})


def find_ma_yun(text: str) -> list[Entity]:
    """马云 is a person, 杭州 a place."""
    found = []
    for name, kind in (("马云", "PER"), ("杭州", "LOC")):
        if (start := text.find(name)) >= 0:
            found.append(Entity(start, start + 2, kind, 0.99))
    return found


@pytest.fixture
def worker(redis: Redis) -> Worker:
    """A worker that has announced its model."""
    return Worker(redis, find_ma_yun)


@pytest.fixture
def at_work(worker: Worker, redis: Redis) -> Iterator[Worker]:
    """A worker that does whatever comes into the queue while the test runs."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            if (taken := redis.brpop(queue_name(NAME), timeout=0.1)) is not None:
                job_id, _, piece = json.loads(taken[1])["headers"]["id"].partition(".")
                worker.do(job_id, int(piece))

    registry.beat(redis, WorkerInfo(id="a:1", model=NAME, version=VERSION, started=0, seen=time.time()))
    thread = threading.Thread(target=work)
    thread.start()
    yield worker
    over.set()
    thread.join()


@pytest.fixture
def client(redis: Redis) -> Iterator[FlaskClient]:
    """A client of the application. The process's view of the farm begins anew."""
    farm.cache_clear()
    yield create_app().test_client()
    farm.cache_clear()
