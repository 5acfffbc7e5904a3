"""The network: a BERT encoder with a linear layer and a CRF a head, as RaNER has one of."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from transformers import BertConfig, BertModel

from training.crf import Crf

# Attention as products of its own, and as PyTorch's fused function. On CPUs, training with the fused one is slower in
# bfloat16 and faster in float32.
PLAIN_ATTENTION = "eager"
FUSED_ATTENTION = "sdpa"


@dataclass(frozen=True)
class Shape:
    """Size of an encoder. With 6,250 characters it has 11.5 million weights: 22 MiB in half precision.

    ``inner``: width between the two products of a layer's feed-forward part. ``positions``: most tokens that the
    encoder reads at once, [CLS] and [SEP] included.
    """

    layers: int = 6
    width: int = 384
    inner: int = 1_152
    positions: int = 512

    def save(self, folder: Path) -> None:
        """Write ``shape.json`` into the folder of a run."""
        (folder / _SHAPE_FILE).write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Shape:
        """Read what :meth:`save` wrote."""
        return cls(**json.loads((folder / _SHAPE_FILE).read_text(encoding="utf-8")))

    def encoder(self, tokens: int, attention: str = PLAIN_ATTENTION) -> BertModel:
        """An encoder for a vocabulary of so many tokens, its heads 64 wide."""
        config = BertConfig(  # type: ignore[no-untyped-call]
            vocab_size=tokens,
            hidden_size=self.width,
            num_hidden_layers=self.layers,
            num_attention_heads=self.width // _HEAD,
            intermediate_size=self.inner,
            max_position_embeddings=self.positions,
            # As good without at this size, and half as fast again on a CPU.
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            attn_implementation=attention,
            initializer_range=_SPREAD,
        )
        encoder: Any = BertModel(config, add_pooling_layer=False)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            encoder.embeddings.position_embeddings.weight.copy_(waves(self.positions, self.width))
            for layer, offsets in zip(encoder.encoder.layer, _LOOKING_AT, strict=False):
                for head, offset in enumerate(offsets[: self.width // _HEAD]):
                    look_at(layer.attention.self, head, offset)
        return cast(BertModel, encoder)


_SHAPE_FILE = "shape.json"
# Width of an attention head.
_HEAD = 64
# Standard deviation of weights at the beginning: at BERT's 0.02 so narrow a network attends to everything alike.
_SPREAD = 0.04
# The same of embeddings, those of characters and those of positions.
EMBEDDING_SPREAD = 0.1
# Where the heads of the first layers look at the beginning: so many characters on. From random weights, masked-language
# modelling stays at the frequencies of characters for hours on a CPU before it finds out that neighbours matter.
_LOOKING_AT = ((-1, 1, -2, 2), (-1, 1, -3, 3))
_SHARPNESS = 1.5


def waves(positions: int, width: int) -> torch.Tensor:
    """Positions as sines and cosines (Vaswani et al., 2017), which are learnt from there: ``(positions, width)``.

    From the first step on, the offset between two positions can be told wherever they are.
    """
    angles = torch.arange(positions)[:, None] * _rates(width)
    return torch.cat([angles.sin(), angles.cos()], dim=1) * (EMBEDDING_SPREAD * math.sqrt(2))


def _rates(width: int) -> torch.Tensor:
    return math.pi * torch.exp(torch.arange(0, width, 2) * (-math.log(10_000) / width))


def look_at(attention: Any, head: int, offset: int) -> None:
    """Have an attention head look at the token that is ``offset`` on, as far as positions are :func:`waves`."""
    width = attention.query.in_features
    rates = _rates(width)[: _HEAD // 2]
    count = len(rates)
    sines = torch.zeros(count, width)
    sines[range(count), range(count)] = _SHARPNESS
    cosines = sines.roll(width // 2, dims=1)
    turn, lean = torch.cos(rates * offset)[:, None], torch.sin(rates * offset)[:, None]
    rows = slice(head * _HEAD, (head + 1) * _HEAD)
    # A position's waves turned by the offset are those of the position that is so far on.
    attention.query.weight[rows] += torch.cat([sines * turn + cosines * lean, cosines * turn - sines * lean])
    attention.key.weight[rows] += torch.cat([sines, cosines])


def hidden_states(encoder: BertModel, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Hidden states ``(batch, tokens, width)`` of ids, their mask and their positions, each ``(batch, tokens)``."""
    states: torch.Tensor = encoder(input_ids=ids, attention_mask=mask, position_ids=positions).last_hidden_state
    return states


class Head(nn.Module):
    """From hidden states to label paths."""

    def __init__(self, width: int, labels: Sequence[str]) -> None:
        super().__init__()
        self.linear = nn.Linear(width, len(labels))
        self.crf = Crf(labels)


class TransformerCrf(nn.Module):
    """One encoder with a head for each set of labels that it learns."""

    def __init__(self, encoder: BertModel, labels: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(0.1)
        self.heads = nn.ModuleDict(
            {name: Head(encoder.config.hidden_size, of_head) for name, of_head in labels.items()}
        )

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, heads: Sequence[str] | None = None
    ) -> dict[str, torch.Tensor]:
        """The emissions of all heads, or of these: ``(batch, tokens - 2, labels)``, as [CLS] and [SEP] have none."""
        hidden = self.dropout(hidden_states(self.encoder, ids, mask, positions))[:, 1:-1]
        return {head: self.head(head).linear(hidden).float() for head in heads or self.heads}

    def head(self, name: str) -> Head:
        """One of the heads."""
        return cast(Head, self.heads[name])
