"""ONNX Runtime on the CPU: the backends ``onnx-int8`` and ``onnx-fp32``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from workers.preparation.manifest import NETWORK


def session(network: Path, threads: int) -> onnxruntime.InferenceSession:
    """An ONNX file, ready to run on the CPU with so many threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that wait by spinning take the cores from the other worker processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        str(network),
        options,
        providers=["CPUExecutionProvider"],
        # It would undo what workers/preparation/export.py has left apart.
        disabled_optimizers=["SkipLayerNormFusion"],
    )


class OnnxNetwork:
    """The exported network. Which of the two forms it has is the prepared folder's affair."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._session = session(folder / NETWORK, threads)

    def emissions(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """See :class:`workers.backends.base.Network`."""
        emissions: NDArray[np.float32] = self._session.run(["emissions"], {"input_ids": ids[np.newaxis]})[0][0]
        return emissions
