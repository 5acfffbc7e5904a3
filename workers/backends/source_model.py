"""The model of a source as ModelScope's own loader gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from workers.backends import quiet  # noqa: F401


def load_model(folder: Path) -> Any:
    """ModelScope's model of a folder, a ``ModelForTokenClassificationWithCRF``, on the CPU and ready for inference."""
    from modelscope.models import Model

    return Model.from_pretrained(str(folder)).eval()


def load_preprocessor(folder: Path) -> Any:
    """The preprocessor of a folder, made the way ModelScope's pipeline makes it."""
    from modelscope.preprocessors import Preprocessor

    return Preprocessor.from_pretrained(str(folder), sequence_length=512)


class Emissions(torch.nn.Module):
    """The encoder and the linear layer: ids ``(1, tokens)`` to emissions ``(1, tokens, labels)``.

    There is no padding, so the attention mask is all ones; the token types are all zeros, the encoder's default.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.encoder = model.encoder
        self.linear = model.head.linear
        # Not only the parts: the exporter puts all of it back into the mode of the whole.
        self.eval()

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """See the class."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=torch.ones_like(input_ids)).last_hidden_state
        emissions: torch.Tensor = self.linear(hidden)
        return emissions
