"""The interface of a network."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Network(Protocol):
    """A transformer with the linear layer of its CRF head."""

    def emissions(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The score of each label at each token.

        Args:
            ids: ``(tokens,)``, [CLS] and [SEP] included.

        Returns:
            ``(tokens, labels)``.
        """
