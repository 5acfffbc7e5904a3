"""The number of a node among those of its host."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.child import WITHIN
from workers.seat import node_seat


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other nodes of this machine have theirs."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_nodes_of_one_model_have_different_numbers() -> None:
    with node_seat("news") as one, node_seat("news") as two, node_seat("news") as three:
        assert (one, two, three) == (1, 2, 3)


def test_a_number_is_free_again_when_its_node_has_ended() -> None:
    with node_seat("news"):
        with node_seat("news") as two:
            assert two == 2
        with node_seat("news") as two:
            assert two == 2
    with node_seat("news") as one:
        assert one == 1


def test_each_model_has_numbers_of_its_own() -> None:
    with node_seat("news"), node_seat("generic") as number:
        assert number == 1


def test_each_farm_has_numbers_of_its_own(with_settings: Callable[..., None]) -> None:
    with node_seat("news"):
        with_settings(key_prefix="other")
        with node_seat("news") as number:
            assert number == 1


def test_a_node_that_was_killed_does_not_keep_its_number() -> None:
    fork = multiprocessing.get_context("fork")
    seated = fork.Event()

    def sit() -> None:
        with node_seat("news"):
            seated.set()
            fork.Event().wait()

    child = fork.Process(target=sit, daemon=True)
    child.start()
    assert seated.wait(WITHIN)
    with node_seat("news") as number:
        assert number == 2
    child.kill()
    child.join()
    with node_seat("news") as number:
        assert number == 1
