"""What a process does beside its tasks goes on whatever happens to one turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError, OutOfMemoryError

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
def running(request: pytest.FixtureRequest) -> Iterator[tuple[Background, Turns]]:
    turns = Turns(request.param)
    background = Background("turns", 0.01, turns)
    background.start()
    yield background, turns
    background.stop()


@pytest.mark.parametrize(
    "running",
    [
        None,
        ConnectionError("Redis is gone"),
        OutOfMemoryError("Redis is full"),
        OperationalError("the broker is gone"),
        ZeroDivisionError("a mistake of ours"),
    ],
    indirect=True,
    ids=lambda error: type(error).__name__,
)
def test_it_takes_its_next_turn(running: tuple[Background, Turns], capfd: pytest.CaptureFixture[str]) -> None:
    background, turns = running
    assert turns.enough.wait(WITHIN)
    background.stop()
    if turns.error is not None:
        assert str(turns.error) in "".join(capfd.readouterr())


@pytest.mark.parametrize("running", [None], indirect=True)
def test_it_takes_no_turn_after_it_was_stopped(running: tuple[Background, Turns]) -> None:
    background, turns = running
    assert turns.enough.wait(WITHIN)
    background.stop()
    taken = turns.count
    assert not threading.Event().wait(0.1)
    assert turns.count == taken
