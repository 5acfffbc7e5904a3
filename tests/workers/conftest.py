"""What the tests of the workers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from redis import Redis

from tests.workers.rule import Rule, process_with
from workers.process import WorkerProcess


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Logs as the farm writes them: structlog's own show every variable of a traceback, which takes seconds."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.LogfmtRenderer()])
    yield
    structlog.reset_defaults()


@pytest.fixture
def rule() -> Rule:
    """What the worker process of a test recognises by, in place of a model."""
    return Rule()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn does not wait long for a further piece."""
    monkeypatch.setattr("workers.turn.LINGER", 0.02)


@pytest.fixture
def process(redis: Redis, rule: Rule, soon: None) -> WorkerProcess:
    """A worker process without a heartbeat, on the run's Redis."""
    return process_with(rule)
