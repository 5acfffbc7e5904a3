from __future__ import annotations

import time

from benchmarks.timing import medians


def test_all_take_their_turn_in_each_round_and_the_first_round_is_not_counted() -> None:
    calls: list[str] = []

    def first() -> None:
        # Slow only once, as what has to warm up is.
        time.sleep(0 if "first" in calls else 0.1)
        calls.append("first")

    found = medians({"first": first, "second": lambda: calls.append("second")}, rounds=2)
    assert calls == ["first", "second"] * 3
    assert found.keys() == {"first", "second"}
    assert 0 < found["first"] < 0.05
