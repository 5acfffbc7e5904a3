from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.growth import Drained
from benchmarks.simulated_node import ServiceTime, SimulatedRecogniser


def test_a_queue_that_empties_evenly_has_one_rate() -> None:
    drained = Drained()
    for second in range(11):
        drained.look(float(second), 1_000 - 100 * second)
    assert drained.rate(1_000, 100) == pytest.approx(100)
    assert drained.rate(100, 0) == pytest.approx(100)
    assert drained.rates[0] == (950, 100)


def test_the_time_before_the_first_job_is_done_does_not_count() -> None:
    drained = Drained()
    for second, still in [(0, 100), (1, 100), (2, 100), (3, 50), (4, 0)]:
        drained.look(float(second), still)
    assert drained.rate(100, 0) == pytest.approx(50)


def test_between_two_looks_the_queue_is_taken_to_empty_evenly() -> None:
    drained = Drained()
    drained.look(0.0, 100)
    drained.look(2.0, 0)
    assert drained.rate(50, 0) == pytest.approx(50)


def test_the_service_time_of_a_length_is_the_median_of_its_texts() -> None:
    times = ServiceTime.recorded(["一二", "三四", "五六", "七八九十"], [1.0, 9.0, 2.0, 4.0])
    assert (times.lengths, times.seconds) == ([2, 4], [2.0, 4.0])


@pytest.mark.parametrize(("text", "seconds"), [("一", 2.0), ("一二三", 3.0), ("一" * 100, 4.0)])
def test_other_lengths_lie_between(text: str, seconds: float) -> None:
    assert ServiceTime([2, 4], [2.0, 4.0]).of(text) == seconds


def test_it_can_be_written_and_read(tmp_path: Path) -> None:
    times = ServiceTime([2, 4], [2.0, 4.0])
    times.write(tmp_path / "times.json")
    assert ServiceTime.read(tmp_path / "times.json") == times


def test_a_simulated_engine_gives_entities_that_match_their_text() -> None:
    recogniser = SimulatedRecogniser(("LOC", "PER"), ServiceTime([0], [0.0]))
    (empty, found) = recogniser.recognise(["", "杭州"])
    assert empty == []
    assert [(entity.start, entity.end, entity.type) for entity in found] == [(0, 1, "LOC")]
