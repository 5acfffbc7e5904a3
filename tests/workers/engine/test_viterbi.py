"""The best path."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.engine.viterbi import Crf


def crf_and_emissions(seed: int, labels: int, lengths: list[int]) -> tuple[Crf, list[np.ndarray]]:
    random = np.random.default_rng(seed)
    crf = Crf(
        random.normal(size=labels).astype(np.float32),
        random.normal(size=labels).astype(np.float32),
        random.normal(size=(labels, labels)).astype(np.float32),
    )
    return crf, [random.normal(size=(length, labels)).astype(np.float32) for length in lengths]


def score(crf: Crf, emissions: np.ndarray, path: tuple[int, ...]) -> float:
    total = crf.start[path[0]] + crf.end[path[-1]] + sum(emissions[step, label] for step, label in enumerate(path))
    return float(total + sum(crf.transitions[a, b] for a, b in pairwise(path)))


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 5))
def test_no_path_scores_higher(seed: int, labels: int, length: int) -> None:
    crf, (emissions,) = crf_and_emissions(seed, labels, [length])
    (path,) = crf.decode([emissions])
    best = max(score(crf, emissions, other) for other in product(range(labels), repeat=length))
    assert np.isclose(score(crf, emissions, tuple(path)), best, atol=1e-5)


@given(st.integers(0, 10_000), st.lists(st.integers(1, 30), min_size=1, max_size=8))
def test_a_path_does_not_depend_on_the_others(seed: int, lengths: list[int]) -> None:
    crf, emissions = crf_and_emissions(seed, 5, lengths)
    together = crf.decode(emissions)
    assert [len(path) for path in together] == lengths
    for sequence, path in zip(emissions, together, strict=True):
        assert crf.decode([sequence])[0].tolist() == path.tolist()


def test_nothing_to_decode() -> None:
    crf, _ = crf_and_emissions(0, 3, [])
    assert crf.decode([]) == []
