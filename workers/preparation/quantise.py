"""From FP32 to INT8.

Dynamic quantisation: weights are INT8 in the file, activations are quantised when the network runs, with a scale over
the whole of each tensor. Weights are signed, which is the faster kind on a CPU with VNNI, and scaled per channel. They
have 7 of the 8 bits: a CPU with AVX2 and without VNNI adds two products in 16 bits, where products of the full range
overflow. A folder that one machine prepared must be right on another. Attention and matrix products are quantised;
embeddings stay FP32, since looking them up is no arithmetic, and so does the last linear layer, which is small and has
nothing behind it to even its errors out. What is quantised is smoothed first (``smooth.py``).

Measured without smoothing and in the full range: share of entities that differ from FP32, on a trained model of 4
layers, 192 wide, for the check sentences and 1,000 of MSRA's development set, and on a model of BERT-base size with
random weights, which has no margins, for 60 check sentences.

    ==========================  =======  ======  ==========
    weights                     4x192    MSRA    BERT-base
    ==========================  =======  ======  ==========
    per channel                 0.0 %    0.07 %  11.6 %
    per channel, last in FP32   0.0 %    0.07 %  8.1 %
    per tensor                  0.6 %    0.0 %   16.4 %
    per tensor, last in FP32    0.15 %   0.0 %   16.0 %
    ==========================  =======  ======  ==========

All are as fast as one another: 1.6 times FP32 on the small model, 3.2 times at BERT-base size, one thread. Attention
left in FP32 is slower by 15 % on the small one.

What 7 bits change, on an AMD processor with AVX2 alone: root mean square of the error of an emission, as a share of
their deviation, for small models with random weights that are smoothed.

    =======================  ==========  ======  ===========
    weights                  characters  VECO    XLM-RoBERTa
    =======================  ==========  ======  ===========
    signed, 8 bits           0.111       0.060   0.190
    signed, 7 bits           0.017       0.014   0.018
    unsigned, 8 bits         0.010       0.011   0.010
    =======================  ==========  ======  ===========

Unsigned weights take a seventh more time there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic

from workers.preparation.export import is_large
from workers.preparation.smooth import smooth

# The operations that are quantised: both have an activation first and weights next.
_PRODUCTS = ("MatMul", "Attention")
# The last linear layer, by the name that the exporter makes of where it is in the original.
_LAST = "/linear/MatMul"


def quantise(fused: Path, path: Path, samples: Iterable[NDArray[np.int64]]) -> None:
    """Write the INT8 form of a fused network.

    Args:
        samples: ids of sentences, each (tokens,), which show how large its activations are.
    """
    nodes = onnx.load(str(fused), load_external_data=False).graph.node
    products = {node.name for node in nodes if node.op_type in _PRODUCTS and node.name != _LAST}
    smoothed = fused.with_name(f"smoothed.{fused.name}")
    smooth(fused, smoothed, products, samples)
    # It would have the graph go through its own optimiser first, which the fusions have made superfluous.
    logging.getLogger().addFilter(_no_advice)
    try:
        quantize_dynamic(
            smoothed,
            path,
            op_types_to_quantize=list(_PRODUCTS),
            nodes_to_exclude=[_LAST],
            per_channel=True,
            weight_type=QuantType.QInt8,
            reduce_range=True,
            use_external_data_format=is_large(fused),
            # Shape inference does not know the fused operations, so their outputs have no type in the graph.
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
    finally:
        logging.getLogger().removeFilter(_no_advice)


def _no_advice(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Please consider to run pre-processing")
