"""The application on the run's Redis, and somebody in the workers' role."""

from __future__ import annotations

import re
import threading
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
from shared.errors import FarmError
from shared.formats import TextResult
from shared.job_store import JobStore
from shared.jobs import JobStatus, Lane
from shared.keys import ModelKeys
from shared.piece_stream import JobState, Piece, PieceResult, PieceStream
from shared.redis_client import cache_client, redis_client
from shared.registry import ModelInfo, WorkerInfo
from shared.text import encode_text
from tests.support.redis_server import RedisServer
from web.app import create_app
from web.farm import Farm, farm

NAME = "raner-mini-news"
VERSION = "v1"
CONSUMER = "a:1"
Find = Callable[[str], Sequence[Entity]]


class Unrecognisable(FarmError):
    """What a rule raises for a text that it cannot recognise."""


class Worker:
    """Does pieces of whole texts as a worker process does, with a rule of the test's own in place of a model."""

    def __init__(self, redis: Redis, find: Find) -> None:
        self.redis = redis
        self.jobs = JobStore(redis)
        self.stream = PieceStream(redis, NAME, CONSUMER)
        self.find = find
        self._held: list[Piece] = []
        registry.announce(
            redis, ModelInfo(name=NAME, version=VERSION, types=("LOC", "ORG", "PER"), backend="onnx-int8")
        )

    def beat(self, number: int = 1, **done: float) -> None:
        """Say that a worker process with the model is alive, and what it has ``done``."""
        worker = f"a:{number}"
        info = WorkerInfo.model_validate({"id": worker, "model": NAME, "version": VERSION, "started": 0, **done})
        PieceStream(self.redis, NAME, worker).beat(info, held=[])

    def take(self, timeout: float = 10.0) -> Piece | None:
        """The next piece; None if none comes within ``timeout`` seconds. It is the worker's until it does it."""
        if not self._held:
            self._held = self.stream.take(most=1, room=0, linger=timeout).pieces
        if not self._held and timeout:
            self._held = self.stream.take(most=0, room=0, delivered=self.stream.wait(timeout)).pieces
        return self._held.pop(0) if self._held else None

    def do(self, job_id: str, number: int = 0) -> JobState | None:
        """Do a piece, before those that wait longer.

        Returns the state of its job; None if nobody wants the piece.
        """
        passed = []
        while (piece := self.take(timeout=0)) is not None and (piece.job_id, piece.number) != (job_id, number):
            passed.append(piece)
        self._held = passed
        return None if piece is None else self._do(piece)

    def work(self, timeout: float) -> None:
        """Do the next piece, if one comes within ``timeout`` seconds."""
        if (piece := self.take(timeout)) is not None:
            self._do(piece)

    def end(self, job_id: str, status: JobStatus, why: str = "it ended 4 worker processes") -> None:
        """End a job in another way than by its last piece."""
        if status is JobStatus.FAILED:
            self.jobs.fail(job_id, NAME, why)
        else:
            self.jobs.cancel(job_id)

    def _do(self, piece: Piece) -> JobState:
        texts = list(zip(piece.items, piece.slices, strict=True))
        results = {item.text: self._recognise(item.text, text) for item, text in texts}
        (state,) = self.stream.finish([PieceResult(piece, results, {})])
        found = [(encode_text(text), results[item.text]) for item, text in texts]
        cache.store(self.redis, VERSION, [(text, result.entities) for text, result in found if result.error is None])
        return state

    def _recognise(self, index: int, text: str) -> TextResult:
        try:
            return TextResult(tuple(self.find(text)), f"{NAME}@{VERSION}")
        except Unrecognisable as error:
            return TextResult((), f"{NAME}@{VERSION}", error=f"text {index}: {error}")


def in_streams(redis: Redis, lane: Lane | None = None, model: str = NAME) -> list[str]:
    """The pieces in a lane's stream, or in both, as ``{job id}:{piece}``; the oldest of each first."""
    of_model = ModelKeys(model)
    streams = {Lane.INTERACTIVE: of_model.interactive, Lane.BULK: of_model.bulk}
    return [
        f"{fields[b'job'].decode()}:{fields[b'piece'].decode()}"
        for each, stream in streams.items()
        if lane in (None, each)
        for _, fields in redis.xrange(stream)
    ]


def wakeups(redis: Redis, model: str = NAME) -> int:
    """How many wake-ups wait for a worker process."""
    return int(redis.llen(ModelKeys(model).wakeups))


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


def farm_on(redis: Redis) -> Farm:
    """A web process's view of the farm on one Redis."""
    return Farm(redis, quick=redis, cache=redis)


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
        cache_client.cache_clear()
        farm.cache_clear()
        yield server
        forget_farm()
        redis_client.cache_clear()
        cache_client.cache_clear()
