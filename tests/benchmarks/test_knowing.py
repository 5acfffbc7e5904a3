"""How soon a client knows."""

from __future__ import annotations

import pytest

from benchmarks.knowing import Knowing


@pytest.mark.parametrize(("q", "seconds"), [(50, 0.2), (95, 0.4), (99, 0.4), (1, 0.1)])
def test_a_percentile_is_the_time_within_which_that_many_knew(q: float, seconds: float) -> None:
    assert Knowing("a way of asking", [0.3, 0.1, 0.4, 0.2]).percentile(q) == seconds
