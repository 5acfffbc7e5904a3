"""A worker process whose model is a rule, so that tests know what it finds and can make it fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from redis import Redis

from shared.entities import Entity
from shared.redis_client import redis_client
from shared.registry import ModelInfo
from tests.support.jobs import MODEL
from workers.engine.merge import Part, merge
from workers.engine.recogniser import Recogniser
from workers.loading import LoadedModel
from workers.process import WorkerProcess
from workers.slots import Slots

INFO = ModelInfo(name=MODEL, version="v1", types=("PER",), backend="onnx-int8")


class Rule:
    """In place of a model: marks the first two characters of each text."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.before: Callable[[Sequence[str]], object] = lambda _: None  # called with the texts; may raise

    def recognise(self, texts: Sequence[str]) -> list[list[Entity]]:
        """What is in each text."""
        if texts:
            self.calls.append(list(texts))
            self.before(texts)
        return [[Entity(0, 2, "PER", 0.9)] if len(text) > 1 else [] for text in texts]

    def recognise_part(self, text: str, core_start: int, core_end: int) -> list[Part]:
        """What is in a part of a long text."""
        return [Part(core_start, core_end, found) for found in self.recognise([text])]

    def join(self, text: str, parts: Sequence[Part]) -> list[Entity]:
        """What is in the whole of it."""
        return merge(parts)


def process_with(rule: Rule, redis: Redis | None = None, name: str = "node:0", pace: float = 1e6) -> WorkerProcess:
    """A worker process without a heartbeat. At this pace short pieces are done together."""
    client = redis or redis_client(5.0)
    return WorkerProcess(
        model=INFO,
        recogniser=cast(Recogniser, rule),
        redis=client,
        cache=client,
        id=name,
        slot=0,
        slots=Slots(1),
        pace=pace,
    )


def loaded(rule: Rule, pace: float = 1e6) -> LoadedModel:
    """The rule as a node has loaded it."""
    return LoadedModel(INFO, cast(Recogniser, rule), pace)


class Death(BaseException):
    """The process is gone: nothing after it runs."""


def dies_of(text: str) -> Callable[[Sequence[str]], None]:
    """What the process does with texts if it dies of this one."""

    def before(texts: Sequence[str]) -> None:
        if text in texts:
            raise Death

    return before


def fails_with(text: str) -> Callable[[Sequence[str]], None]:
    """What recognition does with texts if this one makes it raise."""

    def before(texts: Sequence[str]) -> None:
        if text in texts:
            raise ValueError("cannot")

    return before
