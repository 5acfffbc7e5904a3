"""The arithmetic of a RaNER: which matrix products it is made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Shape:
    """Sizes of a BERT-like encoder and its linear layer."""

    layers: int
    width: int
    heads: int
    between: int
    labels: int

    @classmethod
    def of(cls, source: Path) -> Shape:
        """The shape that a ModelScope folder's ``config.json`` gives."""
        config = json.loads((source / "config.json").read_text(encoding="utf-8"))
        return cls(
            config["num_hidden_layers"],
            config["hidden_size"],
            config["num_attention_heads"],
            config["intermediate_size"],
            len(config["id2label"]),
        )

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads

    @property
    def weights(self) -> dict[str, tuple[int, int]]:
        """The matrices of each layer, from the tokens' side to the other: query, key and value in one, and so on."""
        return {
            "qkv": (self.width, 3 * self.width),
            "out": (self.width, self.width),
            "up": (self.width, self.between),
            "down": (self.between, self.width),
        }

    def operations(self, tokens: int) -> int:
        """Operations of the network on so many tokens: two for each multiply-add of its matrix products.

        In each layer 4·n·d² (query, key, value, output), 2·n²·d (attention) and 2·n·d·f (feed-forward); behind them
        n·d·labels. Softmax, normalisation and GELU are not counted.
        """
        n, d = tokens, self.width
        layer = 4 * n * d * d + 2 * n * n * d + 2 * n * d * self.between
        return 2 * (self.layers * layer + n * d * self.labels)
