"""How soon a process is started again, and when that is given up."""

from __future__ import annotations

from deploy.restarts import HEALTHY_AFTER, LONGEST_PAUSE, MOST_FAILURES, Restarts


def test_pauses_double_until_it_is_given_up() -> None:
    restarts = Restarts()
    assert [restarts.pause_after(0.1) for _ in range(MOST_FAILURES)] == [0.5, 1, 2, 4, 8, None]


def test_a_process_that_is_well_now_and_then_is_never_given_up_and_waits_half_a_minute_at_most() -> None:
    restarts = Restarts()
    pauses = []
    for _ in range(20):
        restarts.well()
        pauses.append(restarts.pause_after(5.0))
    assert pauses[:8] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert set(pauses[8:]) == {LONGEST_PAUSE}


def test_pauses_begin_anew_after_a_minute() -> None:
    restarts = Restarts()
    for _ in range(5):
        restarts.well()
        restarts.pause_after(5.0)
    restarts.well()
    assert [restarts.pause_after(HEALTHY_AFTER), restarts.pause_after(5.0)] == [0.5, 1]


def test_failures_are_counted_from_when_it_was_well() -> None:
    restarts = Restarts()
    for _ in range(MOST_FAILURES - 1):
        assert restarts.pause_after(1.0) is not None
    restarts.well()
    for _ in range(MOST_FAILURES - 1):
        assert restarts.pause_after(1.0) is not None
    assert restarts.pause_after(1.0) is None
