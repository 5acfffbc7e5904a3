"""The network: a BERT encoder with a linear layer and a CRF a head, as RaNER has one of."""

from __future__ import annotations

import json
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

    ``inner``: width between the two products of a layer's feed-forward part. ``heads``: of attention, a layer.
    ``positions``: most tokens that the encoder reads at once, [CLS] and [SEP] included.
    """

    layers: int = 6
    width: int = 384
    inner: int = 1_152
    heads: int = 12
    positions: int = 512

    def save(self, folder: Path) -> None:
        """Write ``shape.json`` into the folder of a run."""
        (folder / _SHAPE_FILE).write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Shape:
        """Read what :meth:`save` wrote."""
        return cls(**json.loads((folder / _SHAPE_FILE).read_text(encoding="utf-8")))

    def encoder(self, tokens: int, attention: str = PLAIN_ATTENTION) -> BertModel:
        """An encoder for a vocabulary of so many tokens, with random weights."""
        config = BertConfig(  # type: ignore[no-untyped-call]
            vocab_size=tokens,
            hidden_size=self.width,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            intermediate_size=self.inner,
            max_position_embeddings=self.positions,
            # As good without at this size, and half as fast again on a CPU.
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            attn_implementation=attention,
            initializer_range=_SPREAD,
        )
        encoder: Any = BertModel(config, add_pooling_layer=False)  # type: ignore[no-untyped-call]
        return cast(BertModel, encoder)


_SHAPE_FILE = "shape.json"
# Standard deviation of random weights.
_SPREAD = 0.04


def taken_from(state: Mapping[str, torch.Tensor], of_shape: Shape, shape: Shape) -> dict[str, torch.Tensor]:
    """The state of an encoder made smaller: every so manyth layer, and of a layer the inner values that weigh most.

    So begins a network that learns from a larger one (Sanh et al., 2019, "DistilBERT"). Both have the same width and
    heads.
    """
    kept = {name: tensor for name, tensor in state.items() if not name.startswith(_LAYER)}
    for layer in range(shape.layers):
        source = f"{_LAYER}{layer * of_shape.layers // shape.layers}."
        of_layer = {name[len(source) :]: tensor for name, tensor in state.items() if name.startswith(source)}
        into, out_of = of_layer[_INTO], of_layer[_OUT_OF]
        most = (into.norm(dim=1) * out_of.norm(dim=0)).topk(shape.inner).indices.sort().values
        of_layer |= {_INTO: into[most], _INTO_BIAS: of_layer[_INTO_BIAS][most], _OUT_OF: out_of[:, most]}
        kept |= {f"{_LAYER}{layer}.{name}": tensor for name, tensor in of_layer.items()}
    return kept


_LAYER = "encoder.layer."
_INTO = "intermediate.dense.weight"
_INTO_BIAS = "intermediate.dense.bias"
_OUT_OF = "output.dense.weight"


def hidden_states(
    encoder: BertModel, ids: torch.Tensor, mask: torch.Tensor | None, positions: torch.Tensor
) -> torch.Tensor:
    """Hidden states ``(batch, tokens, width)`` of ids, their mask and their positions, each ``(batch, tokens)``.

    Without a mask no token is padding.
    """
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
