"""A smoothed network computes the same, and loses less in INT8."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from workers.preparation import quantise
from workers.preparation.smooth import smooth

WIDTH = 32
TABLE, FIRST, SECOND = "embeddings", "first", "second"


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Embeddings with one channel that is fifty times as large as the others, and two products that share weights."""
    random = np.random.default_rng(1)
    table = random.normal(size=(100, WIDTH)).astype(np.float32)
    table[:, 3] *= 50
    weights = (random.normal(size=(WIDTH, WIDTH)) / WIDTH).astype(np.float32)
    weights[3] /= 50
    nodes = [
        helper.make_node("Gather", [TABLE, "input_ids"], ["embedded"], "look up"),
        helper.make_node("MatMul", ["embedded", "weights"], ["between"], FIRST),
        helper.make_node("MatMul", ["between", "weights"], ["emissions"], SECOND),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])],
        [helper.make_tensor_value_info("emissions", TensorProto.FLOAT, [1, "tokens", WIDTH])],
        [numpy_helper.from_array(table, TABLE), numpy_helper.from_array(weights, "weights")],
    )
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def samples() -> list[NDArray[np.int64]]:
    return list(np.random.default_rng(2).integers(0, 100, size=(5, 20)))


def emissions(path: Path) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found: NDArray[np.float32] = session.run(["emissions"], {"input_ids": np.arange(100)[np.newaxis]})[0]
    return found


def test_a_smoothed_network_computes_the_same(network: Path, tmp_path: Path) -> None:
    smooth(network, tmp_path / "smoothed.onnx", {FIRST, SECOND}, samples())
    assert emissions(tmp_path / "smoothed.onnx") == pytest.approx(emissions(network), abs=1e-5)


def test_only_the_named_products_are_smoothed(network: Path, tmp_path: Path) -> None:
    smooth(network, tmp_path / "smoothed.onnx", {SECOND}, samples())
    graph = onnx.load(str(tmp_path / "smoothed.onnx")).graph
    assert [node.op_type for node in graph.node] == ["Gather", "MatMul", "Mul", "MatMul"]
    # The first product still has the weights that the second had too; nothing that is not used is kept.
    assert len(graph.initializer) == 4
    smooth(network, tmp_path / "both.onnx", {FIRST, SECOND}, samples())
    assert "weights" not in {tensor.name for tensor in onnx.load(str(tmp_path / "both.onnx")).graph.initializer}


def test_a_large_channel_costs_the_others_less(network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def error() -> float:
        quantise.quantise(network, tmp_path / "int8.onnx", samples())
        return float(np.abs(emissions(tmp_path / "int8.onnx") - expected).mean())

    expected = emissions(network)
    smoothed = error()
    monkeypatch.setattr(quantise, "smooth", lambda fused, path, *_: shutil.copyfile(fused, path))
    assert smoothed < error() / 3
