from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.products import Run, onnx_dynamic, onnx_fp32, onnx_int8, torch_fp32
from benchmarks.shape import Shape
from shared.settings import BUNDLED_MODEL

SMALL = Shape(layers=2, width=8, heads=2, between=16, labels=3)


def test_the_shape_of_the_bundled_model() -> None:
    assert Shape.of(BUNDLED_MODEL) == Shape(layers=6, width=384, heads=12, between=1152, labels=13)


def test_operations_are_two_for_each_multiply_add_of_the_products() -> None:
    tokens = 5
    with_weights = sum(tokens * rows * columns for rows, columns in SMALL.weights.values())
    attention = 2 * SMALL.heads * tokens * tokens * SMALL.head_width
    of_labels = tokens * SMALL.width * SMALL.labels
    assert SMALL.operations(tokens) == 2 * (SMALL.layers * (with_weights + attention) + of_labels)


@pytest.mark.parametrize("make", [onnx_fp32, torch_fp32, onnx_int8, onnx_dynamic])
def test_the_bare_products_run_at_any_length(make: Callable[[Shape], Run]) -> None:
    run = make(SMALL)
    for tokens in (1, 5, 1):
        run(tokens)
