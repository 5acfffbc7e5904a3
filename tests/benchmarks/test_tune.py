from __future__ import annotations

import pytest

from benchmarks.tune import Measured, Served, Way, grid, ranked, recommended
from shared.settings import BackendName

ONE = Way(1, 1, BackendName.ONNX_INT8)
TWO = Way(2, 1, BackendName.ONNX_INT8)
FP32 = Way(2, 1, BackendName.ONNX_FP32)


@pytest.mark.parametrize(
    ("cores", "pairs"),
    [
        (1, [(1, 1)]),
        (2, [(1, 1), (2, 1), (1, 2)]),
        (6, [(1, 1), (3, 1), (6, 1), (1, 2), (3, 2), (1, 4)]),
        (8, [(1, 1), (4, 1), (8, 1), (1, 2), (2, 2), (4, 2), (1, 4), (2, 4), (1, 8)]),
    ],
)
def test_the_grid_never_asks_for_more_threads_than_cores(cores: int, pairs: list[tuple[int, int]]) -> None:
    assert grid(cores) == pairs


def test_the_fastest_way_ranks_first() -> None:
    found = [Measured(ONE, 50, 0.01, 100), Measured(FP32, 60, 0.01, 900), Measured(TWO, 100, 0.01, 200)]
    assert [each.way for each in ranked(found)] == [TWO, FP32, ONE]


def test_of_ways_that_are_alike_the_one_with_the_least_memory_ranks_first() -> None:
    found = [Measured(TWO, 100, 0.01, 200), Measured(ONE, 96, 0.01, 100), Measured(FP32, 94, 0.01, 50)]
    assert [each.way for each in ranked(found)] == [ONE, TWO, FP32]


def test_the_job_with_the_fewest_texts_is_recommended_that_is_as_good() -> None:
    served = [Served(TWO, 1, 60, 0.1), Served(TWO, 8, 97, 0.1), Served(TWO, 64, 100, 0.5)]
    assert recommended(served, [TWO]) == served[1]


def test_the_farm_has_the_last_word_on_the_way() -> None:
    served = [Served(ONE, 1, 50, 0.1), Served(ONE, 8, 60, 0.1), Served(TWO, 1, 80, 0.1), Served(TWO, 8, 100, 0.1)]
    assert recommended(served, [ONE, TWO]) == served[3]


def test_where_farms_are_alike_the_first_way_is_recommended() -> None:
    served = [Served(ONE, 8, 97, 0.1), Served(TWO, 8, 100, 0.1)]
    assert recommended(served, [ONE, TWO]).way == ONE
