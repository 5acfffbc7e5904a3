"""A node's places for its worker processes, with real processes in them."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from multiprocessing.context import ForkProcess
from multiprocessing.synchronize import Event

import pytest

from tests.support.child import WITHIN, run_in_child
from workers.slots import LOOK_EVERY, SILENT_FOR, Slots

FORK = multiprocessing.get_context("fork")


def stamp_and_hang(slots: Slots, slot: int, stamped: Event) -> None:
    slots.stamp(slot)
    stamped.set()
    FORK.Event().wait()


@pytest.fixture
def slots() -> Slots:
    return Slots(2)


@pytest.fixture
def child(slots: Slots) -> Iterator[ForkProcess]:
    """A process that gave one sign of life, in slot 1."""
    stamped = FORK.Event()
    process = FORK.Process(target=stamp_and_hang, args=(slots, 1, stamped), daemon=True)
    process.start()
    assert stamped.wait(WITHIN)
    yield process
    process.kill()
    process.join()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch, slots: Slots) -> None:
    """The time at which a process that has just stamped was silent too long; the parent looked a moment before."""
    now = time.monotonic() + SILENT_FOR + 1
    monkeypatch.setattr(time, "monotonic", lambda: now)
    slots._looked = now - LOOK_EVERY


def test_a_process_that_is_silent_too_long_is_killed(slots: Slots, child: ForkProcess, later: None) -> None:
    slots.kill_silent()
    child.join(WITHIN)
    assert child.exitcode == -signal.SIGKILL
    slots.kill_silent()  # it is forgotten


def test_a_process_that_gives_signs_of_life_is_left(slots: Slots, child: ForkProcess) -> None:
    slots.kill_silent()
    assert child.is_alive()


def test_a_process_that_left_its_slot_is_left(slots: Slots, child: ForkProcess, later: None) -> None:
    slots.leave(1)
    slots.kill_silent()
    assert child.is_alive()


def test_after_a_pause_of_the_parent_its_children_have_time_for_a_sign(
    slots: Slots, child: ForkProcess, later: None
) -> None:
    slots._looked -= 10 * LOOK_EVERY
    slots.kill_silent()
    assert child.is_alive()
    slots.kill_silent()
    child.join(WITHIN)
    assert child.exitcode == -signal.SIGKILL


def test_a_process_that_has_ended_by_itself_is_no_error(slots: Slots, child: ForkProcess, later: None) -> None:
    child.kill()
    child.join()
    slots.kill_silent()


def test_what_one_process_says_all_see(slots: Slots) -> None:
    def say() -> None:
        slots.end()
        slots.fail_model()

    assert (slots.ending, slots.model_failed) == (False, False)
    assert run_in_child(say) == 0
    assert (slots.ending, slots.model_failed) == (True, True)
