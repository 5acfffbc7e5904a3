"""What a process does beside its tasks goes on whatever happens to one turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import structlog
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError, OutOfMemoryError
from structlog.testing import LogCapture

from workers import background
from workers.background import Background

TURNS = 3
WITHIN = 10.0  # seconds


class Turns:
    """Counts its calls, and raises in each of them."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.count = 0
        self.enough = threading.Event()

    def __call__(self) -> None:
        self.count += 1
        if self.count >= TURNS:
            self.enough.set()
        if self.error is not None:
            raise self.error


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> LogCapture:
    """What is logged, whatever other tests have made of the logs."""
    capture = LogCapture()
    monkeypatch.setattr(background, "log", structlog.wrap_logger(structlog.PrintLogger(), processors=[capture]))
    return capture


@pytest.fixture
def running(request: pytest.FixtureRequest, logged: LogCapture) -> Iterator[tuple[Background, Turns]]:
    turns = Turns(request.param)
    background = Background("turns", 0.01, turns)
    background.start()
    yield background, turns
    background.stop()


@pytest.mark.parametrize(
    ("running", "level"),
    [
        (ConnectionError("Redis is gone"), "warning"),
        (OutOfMemoryError("Redis is full"), "warning"),
        (OperationalError("the broker is gone"), "warning"),
        (ZeroDivisionError("a mistake of ours"), "error"),
    ],
    indirect=["running"],
)
def test_whatever_a_turn_raises_is_logged_and_the_next_one_comes(
    running: tuple[Background, Turns], logged: LogCapture, level: str
) -> None:
    background, turns = running
    assert turns.enough.wait(WITHIN)
    background.stop()
    assert len(logged.entries) == turns.count
    assert {(entry["what"], entry["log_level"]) for entry in logged.entries} == {("turns", level)}
    assert all(entry.get("exc_info") or entry["error"] == str(turns.error) for entry in logged.entries)


@pytest.mark.parametrize("running", [None], indirect=True)
def test_it_takes_no_turn_after_it_was_stopped(running: tuple[Background, Turns]) -> None:
    background, turns = running
    assert turns.enough.wait(WITHIN)
    background.stop()
    taken = turns.count
    assert not threading.Event().wait(0.1)
    assert turns.count == taken
