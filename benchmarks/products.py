"""The matrix-product rate of this processor, on one thread.

It is measured with the network's own products and nothing between them: at each length, in each layer, the products
with that layer's weights, which are its own as in the network, and the two of attention. Beside it the rate of large
square products, which is the most that a library reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from benchmarks.shape import Shape

Run = Callable[[int], None]

SQUARE = 2048


def onnx_fp32(shape: Shape) -> Run:
    """The network's products by ONNX Runtime in FP32, whose weights it packs beforehand."""
    return _chain(shape, "MatMul")


def onnx_dynamic(shape: Shape) -> Run:
    """The network's products with INT8 weights, each with the quantising of its input before it; attention in FP32."""
    return _chain(shape, "DynamicQuantizeMatMul")


def onnx_int8(shape: Shape) -> Run:
    """The network's products of INT8 with INT8, and nothing but these; attention in FP32."""
    generator = np.random.default_rng(0)
    nodes, weights = _attention(shape), []
    # Outputs that nothing takes: ONNX Runtime computes them all the same where no optimisation is on.
    for layer in range(shape.layers):
        for name, (rows, columns) in shape.weights.items():
            weights.append(_int8(generator, f"{name}{layer}", rows, columns))
            nodes.append(helper.make_node("MatMulInteger", [f"u8_{rows}", f"{name}{layer}"], [f"{name}{layer}_out"]))
    integers = {
        f"u8_{rows}": helper.make_tensor_value_info(f"u8_{rows}", TensorProto.UINT8, ["tokens", rows])
        for rows in {rows for rows, _ in shape.weights.values()}
    }
    session = _session(nodes, weights, [*_attention_inputs(shape), *integers.values()], [_output(shape)])

    def feeds(tokens: int) -> dict[str, NDArray[Any]]:
        widths = {name: int(name.removeprefix("u8_")) for name in integers}
        return _attention_feeds(shape, tokens) | {
            name: generator.integers(0, 256, (tokens, width), np.uint8) for name, width in widths.items()
        }

    return _runner(session, feeds)


def torch_fp32(shape: Shape) -> Run:
    """The network's products by PyTorch, which has them done by MKL where it is built with that. Sets its threads."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    layers = [
        {
            name: torch.randn(rows, columns, generator=generator) / rows**0.5
            for name, (rows, columns) in shape.weights.items()
        }
        for _ in range(shape.layers)
    ]
    prepared: dict[int, tuple[torch.Tensor, ...]] = {}

    def run(tokens: int) -> None:
        if tokens not in prepared:
            feeds = {name: torch.from_numpy(array) for name, array in _attention_feeds(shape, tokens).items()}
            x = torch.randn(tokens, shape.width, generator=generator)
            prepared[tokens] = (x, feeds["context"], feeds["keys"], feeds["values"])
        x, context, keys, values = prepared[tokens]
        with torch.inference_mode():
            for weights in layers:
                x @ weights["qkv"]
                context = (context @ keys) @ values
                x = ((x @ weights["out"]) @ weights["up"]) @ weights["down"]

    return run


def squares() -> dict[str, Callable[[], object]]:
    """One product of two large squares, by each library and in INT8; :data:`SQUARE`³ multiply-adds each."""
    torch.set_num_threads(1)
    generator = np.random.default_rng(0)
    size = SQUARE
    left = generator.standard_normal((size, size), np.float32)
    right = generator.standard_normal((size, size), np.float32)
    fp32 = _session(
        [helper.make_node("MatMul", ["left", "right"], ["out"])],
        [numpy_helper.from_array(right, "right")],
        [helper.make_tensor_value_info("left", TensorProto.FLOAT, [size, size])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [size, size])],
    )
    int8 = _session(
        [helper.make_node("MatMulInteger", ["left", "right"], ["out"])],
        [_int8(generator, "right", size, size)],
        [helper.make_tensor_value_info("left", TensorProto.UINT8, [size, size])],
        [helper.make_tensor_value_info("out", TensorProto.INT32, [size, size])],
    )
    tensors = torch.from_numpy(left), torch.from_numpy(right)
    integers = generator.integers(0, 256, (size, size), np.uint8)
    return {
        "ONNX Runtime FP32": lambda: fp32.run(None, {"left": left}),
        "PyTorch FP32": lambda: tensors[0] @ tensors[1],
        "ONNX Runtime INT8": lambda: int8.run(None, {"left": integers}),
    }


def _chain(shape: Shape, product: str) -> Run:
    """The products of all layers one behind the other, as far as their shapes fit; values keep their size."""
    generator = np.random.default_rng(0)
    quantised = product != "MatMul"
    nodes, weights = _attention(shape), []
    x = "x"
    for layer in range(shape.layers):
        source = {"qkv": x, "out": x, "up": f"out{layer}_out", "down": f"up{layer}_out"}
        for name, (rows, columns) in shape.weights.items():
            weight, output = f"{name}{layer}", f"{name}{layer}_out"
            if quantised:
                scale = numpy_helper.from_array(np.full(columns, 1 / (73 * rows**0.5), np.float32), f"{weight}_scale")
                weights += [_int8(generator, weight, rows, columns), scale]
                inputs, domain = [source[name], weight, scale.name], "com.microsoft"
            else:
                values = generator.standard_normal((rows, columns), np.float32) / np.float32(rows**0.5)
                weights.append(numpy_helper.from_array(values, weight))
                inputs, domain = [source[name], weight], ""
            nodes.append(helper.make_node(product, inputs, [output], domain=domain))
        x = f"down{layer}_out"
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["tokens", shape.width])
    session = _session(nodes, weights, [*_attention_inputs(shape), value], [_output(shape)])

    def feeds(tokens: int) -> dict[str, NDArray[Any]]:
        return _attention_feeds(shape, tokens) | {"x": generator.standard_normal((tokens, shape.width), np.float32)}

    return _runner(session, feeds)


def _attention(shape: Shape) -> list[Any]:
    """Of each layer, queries by keys and what comes of that by values; the next layer's queries are its result."""
    nodes = []
    context = "context"
    for layer in range(shape.layers):
        nodes.append(helper.make_node("MatMul", [context, "keys"], [f"scores{layer}"]))
        context = f"context{layer}"
        nodes.append(helper.make_node("MatMul", [f"scores{layer}", "values"], [context]))
    return nodes


def _attention_inputs(shape: Shape) -> Iterator[Any]:
    heads, width = shape.heads, shape.head_width
    inputs: dict[str, list[str | int | None]] = {
        "context": [heads, "tokens", width],
        "keys": [heads, width, "tokens"],
        "values": [heads, "tokens", width],
    }
    for name, sizes in inputs.items():
        yield helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes)


def _attention_feeds(shape: Shape, tokens: int) -> dict[str, NDArray[Any]]:
    generator = np.random.default_rng(0)
    heads, width = shape.heads, shape.head_width
    # Scaled so that values keep their size through any number of layers.
    return {
        "context": generator.standard_normal((heads, tokens, width), np.float32),
        "keys": generator.standard_normal((heads, width, tokens), np.float32) / np.float32(width**0.5),
        "values": generator.standard_normal((heads, tokens, width), np.float32) / np.float32(tokens**0.5),
    }


def _output(shape: Shape) -> Any:
    return helper.make_tensor_value_info(
        f"context{shape.layers - 1}", TensorProto.FLOAT, [shape.heads, "tokens", shape.head_width]
    )


def _int8(generator: np.random.Generator, name: str, rows: int, columns: int) -> Any:
    return numpy_helper.from_array(generator.integers(-127, 128, (rows, columns), np.int8), name)


def _session(nodes: Sequence[Any], weights: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    graph = helper.make_graph(nodes, "products", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # It would leave out products whose outputs nothing takes, and take equal ones together.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _runner(session: Any, feeds_of: Callable[[int], dict[str, NDArray[Any]]]) -> Run:
    """Runs a session on inputs of so many tokens, which are made once for each length."""
    feeds: dict[int, dict[str, NDArray[Any]]] = {}

    def run(tokens: int) -> None:
        if tokens not in feeds:
            feeds[tokens] = feeds_of(tokens)
        session.run(None, feeds[tokens])

    return run
