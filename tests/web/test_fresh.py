"""A value that one request reads for all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from web.fresh import Fresh

NEVER = 3600.0
WITHIN = 20.0


class Source:
    """Something to read, that may fail or take until it is let go on."""

    def __init__(self) -> None:
        self.reads = 0
        self.error: BaseException | None = None
        self.began = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def read(self) -> int:
        self.reads += 1
        number = self.reads
        self.began.set()
        assert self.go_on.wait(WITHIN)
        if self.error is not None:
            raise self.error
        return number

    def hold(self) -> None:
        self.began.clear()
        self.go_on.clear()


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the time on: ``clock(seconds)``."""
    now = 1000.0

    def advance(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr("web.fresh.time.monotonic", lambda: now)
    return advance


def test_it_is_read_once_until_it_is_old(source: Source, clock: Callable[[float], None]) -> None:
    fresh = Fresh(source.read, seconds=1.0, stale=NEVER)
    assert [fresh.get(), fresh.get()] == [1, 1]
    clock(1.5)
    assert [fresh.get(), fresh.get()] == [2, 2]


def test_forty_at_once_share_one_reading(source: Source) -> None:
    fresh = Fresh(source.read, seconds=NEVER, stale=NEVER)
    source.hold()
    with ThreadPoolExecutor(40) as pool:
        asked = [pool.submit(fresh.get) for _ in range(40)]
        assert source.began.wait(WITHIN)
        source.go_on.set()
        assert [each.result(WITHIN) for each in asked] == [1] * 40


def test_forty_at_once_share_one_error(source: Source) -> None:
    fresh = Fresh(source.read, seconds=1.0, stale=NEVER)
    source.hold()
    source.error = OSError("away")
    waiting = threading.Semaphore(0)

    def ask() -> int:
        waiting.release()
        return fresh.get()

    with ThreadPoolExecutor(40) as pool:
        asked = [pool.submit(ask) for _ in range(40)]
        for _ in asked:
            assert waiting.acquire(timeout=WITHIN)
        source.go_on.set()
        for each in asked:
            with pytest.raises(OSError, match="away"):
                each.result(WITHIN)
    assert source.reads < 10  # one, and some for those that came an instant late


def test_others_take_the_former_value_while_one_reads(source: Source, clock: Callable[[float], None]) -> None:
    fresh = Fresh(source.read, seconds=1.0, stale=10.0)
    assert fresh.get() == 1
    clock(2.0)
    source.hold()
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(fresh.get)
        assert source.began.wait(WITHIN)
        assert fresh.get() == 1
        source.go_on.set()
        assert reader.result(WITHIN) == 2


def test_the_former_value_serves_for_a_while_after_an_error(source: Source, clock: Callable[[float], None]) -> None:
    fresh = Fresh(source.read, seconds=1.0, stale=10.0)
    assert fresh.get() == 1
    source.error = OSError("away")
    clock(2.0)
    assert [fresh.get(), fresh.get()] == [1, 1]
    assert source.reads == 2  # the second did not try again so soon
    clock(8.5)
    with pytest.raises(OSError, match="away"):
        fresh.get()
    source.error = None
    assert fresh.get() == 4


def test_a_reader_that_is_ended_takes_nobody_along(source: Source) -> None:
    fresh = Fresh(source.read, seconds=NEVER, stale=NEVER)
    source.hold()
    source.error = SystemExit()
    with ThreadPoolExecutor(2) as pool:
        ended = pool.submit(fresh.get)
        assert source.began.wait(WITHIN)
        other = pool.submit(fresh.get)
        source.go_on.set()
        with pytest.raises(SystemExit):
            ended.result(WITHIN)
        # The other has read for itself, which ended it too, or it never saw the first.
        with pytest.raises(SystemExit):
            other.result(WITHIN)
        source.error = None
        assert fresh.get() == source.reads == 3
