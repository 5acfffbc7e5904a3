"""From FP32 to INT8.

Dynamic quantisation: weights are INT8 in the file, activations are quantised when the network runs, with a scale over
the whole of each tensor. Weights are signed, which is the faster kind on a CPU with VNNI, in their full range, and
scaled per channel. Attention and matrix products are quantised; embeddings stay FP32, since looking them up is no
arithmetic, and so does the last linear layer, which is small and has nothing behind it to even its errors out.

Measured: share of entities that differ from FP32, on a trained model of 4 layers, 192 wide, for the check sentences and
1,000 of MSRA's development set, and on a model of BERT-base size with random weights, which has no margins, for 60
check sentences.

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
"""

from __future__ import annotations

import logging
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from workers.preparation.export import is_large

# The last linear layer, by the name that the exporter makes of where it is in the original.
_LAST = "/linear/MatMul"


def quantise(fused: Path, path: Path) -> None:
    """Write the INT8 form of a fused network."""
    # It would have the graph go through its own optimiser first, which the fusions have made superfluous.
    logging.getLogger().addFilter(_no_advice)
    try:
        quantize_dynamic(
            fused,
            path,
            op_types_to_quantize=["MatMul", "Attention"],
            nodes_to_exclude=[_LAST],
            per_channel=True,
            weight_type=QuantType.QInt8,
            use_external_data_format=is_large(fused),
            # Shape inference does not know the fused operations, so their outputs have no type in the graph.
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
    finally:
        logging.getLogger().removeFilter(_no_advice)


def _no_advice(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Please consider to run pre-processing")
