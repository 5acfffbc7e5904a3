"""The application on the run's Redis, and somebody in the workers' role."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from redis import Redis
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from shared import cache, registry
from shared.entities import Entity
from shared.job_keys import ModelKeys
from shared.job_store import JobStore
from shared.jobs import TextResult
from shared.piece_queue import Piece, PieceQueue, PieceResult
from shared.redis_client import redis_client
from shared.registry import ModelInfo, WorkerInfo
from shared.text import encode_text
from tests.support.redis_server import RedisServer
from web.app import create_app
from web.farm import farm

NAME = "raner-mini-news"
VERSION = "v1"
Find = Callable[[str], Sequence[Entity]]


class Worker:
    """Does pieces as a worker process does, with a rule of the test's own in place of a model."""

    def __init__(self, redis: Redis, find: Find) -> None:
        self.redis = redis
        self.jobs = JobStore(redis)
        self.queue = PieceQueue(redis, NAME)
        self.find = find
        registry.announce(
            redis, ModelInfo(name=NAME, version=VERSION, types=("LOC", "ORG", "PER"), backend="onnx-int8")
        )

    def beat(self, number: int = 1) -> None:
        """Say that a worker process with the model is alive."""
        info = WorkerInfo(id=f"a:{number}", model=NAME, version=VERSION, started=0, seen=time.time())
        registry.beat(self.redis, info)

    def do(self, job_id: str, number: int = 0) -> str | None:
        """Do a piece of whole texts, before those that wait longer.

        Returns the state that follows; None where nobody wants the piece.
        """
        name, waiting = f"{job_id}:{number}", ModelKeys(NAME).waiting
        self.redis.lrem(waiting, 1, name)
        self.redis.lpush(waiting, name)
        taken = self.queue.take("turn", most_pieces=1, most_bytes=0).pieces
        return self._do(taken[0]) if taken else None

    def take(self, timeout: float = 10) -> Piece | None:
        """The next piece; None where none came within ``timeout`` seconds."""
        return self.queue.take_held("turn") if self.queue.wait("turn", timeout) else None

    def work(self, timeout: float) -> None:
        """Do the next piece, if one comes within ``timeout`` seconds."""
        if (piece := self.take(timeout)) is not None:
            self._do(piece)

    def _do(self, piece: Piece) -> str:
        found = {}
        for item, text in zip(piece.items, piece.slices, strict=True):
            encoded = cache.encode_entities(self.find(text))
            found[item.text] = TextResult(encoded, f"{NAME}@{VERSION}", cached=False)
            cache.store(self.redis, VERSION, [(encode_text(text), encoded)])
        (state,) = self.queue.finish("turn", [PieceResult(piece, found, {})])
        return state


class HeldClient(FlaskClient):
    """A client that holds every answer to the application's own OpenAPI document."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request; fails where the document does not declare the answer's status, media type or body."""
        answer = super().open(*args, **kwargs)
        assert isinstance(self.application, OpenAPI)
        document = self.application.api_doc
        try:
            rule, _ = self.application.url_map.bind("localhost").match(
                answer.request.path, answer.request.method, return_rule=True
            )
        except HTTPException:  # nothing takes this request
            return answer
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        operation = document["paths"].get(path, {}).get(answer.request.method.lower())
        if operation is not None:
            said = f"{answer.request.method} {path} answered {answer.status_code} {answer.mimetype}"
            declared = operation["responses"].get(str(answer.status_code))
            assert declared is not None, f"{said}: not among {', '.join(operation['responses'])}"
            assert answer.mimetype in declared["content"], f"{said}: not among {', '.join(declared['content'])}"
            if answer.is_json:
                schema = declared["content"][answer.mimetype]["schema"]
                jsonschema.validate(answer.get_json(), {**schema, "components": document["components"]})
        return answer


def find_ma_yun(text: str) -> list[Entity]:
    """马云 is a person, 杭州 a place."""
    found = []
    for name, kind in (("马云", "PER"), ("杭州", "LOC")):
        if (start := text.find(name)) >= 0:
            found.append(Entity(start, start + 2, kind, 0.99))
    return found


@pytest.fixture(autouse=True)
def one_model(with_settings: Callable[..., None]) -> None:
    """Serves one model, where a test says nothing else."""
    with_settings(models=f"{NAME}=models/{NAME}")


@pytest.fixture
def worker(redis: Redis) -> Worker:
    """A worker that has announced its model."""
    return Worker(redis, find_ma_yun)


@pytest.fixture
def at_work(worker: Worker) -> Iterator[Worker]:
    """A worker that does whatever comes into the queue while the test runs."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            worker.work(timeout=0.1)

    worker.beat()
    thread = threading.Thread(target=work)
    thread.start()
    yield worker
    over.set()
    thread.join()


def forget_farm() -> None:
    """Let the process's view of the farm begin anew."""
    if farm.cache_info().currsize:
        farm().ends.close()
    farm.cache_clear()


@pytest.fixture
def app(redis: Redis) -> Iterator[OpenAPI]:
    """The application. The process's view of the farm begins anew."""
    farm.cache_clear()
    app = create_app()
    app.test_client_class = HeldClient
    yield app
    forget_farm()


@pytest.fixture
def client(app: OpenAPI) -> FlaskClient:
    """A client of the application that holds it to its OpenAPI document."""
    return app.test_client()


@pytest.fixture
def own_redis(with_settings: Callable[..., None], tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that the test may stop, and the settings that point to it."""
    with RedisServer(tmp_path) as server:
        with_settings(redis_url=server.url)
        redis_client.cache_clear()
        farm.cache_clear()
        yield server
        forget_farm()
        redis_client.cache_clear()
