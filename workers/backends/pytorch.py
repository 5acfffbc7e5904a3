"""PyTorch, on CUDA where there is one: the backend ``pytorch``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from workers.backends.source_model import Emissions, load_model
from workers.preparation.manifest import SOURCE


class PyTorchNetwork:
    """The network as ModelScope loads it. Sets the number of PyTorch's threads for the whole process."""

    def __init__(self, folder: Path, threads: int) -> None:
        torch.set_num_threads(threads)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = Emissions(load_model(folder / SOURCE)).to(self._device)

    def emissions(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """See :class:`workers.backends.base.Network`."""
        with torch.inference_mode():
            emissions = self._network(torch.from_numpy(ids[np.newaxis]).to(self._device))
        result: NDArray[np.float32] = emissions[0].float().cpu().numpy()
        return result
