"""Where and how a machine trains fastest: a GPU or not, float32 or bfloat16, plain or fused attention."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from training.network import FUSED_ATTENTION, PLAIN_ATTENTION, Shape, hidden_states

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# Sequences and tokens of what is measured, and how often.
_SEQUENCES, _TOKENS = 8, 128
_TIMES = 4
# A first measurement so many times as long as the best is not repeated: the first is slower, but not so much.
_HOPELESS = 4


class Precision(NamedTuple):
    """``products``: the type of matrix products. Weights are in float32 either way, so a checkpoint fits all."""

    products: torch.dtype
    attention: str

    def autocast(self) -> torch.autocast:
        """A context in which products are in this precision."""
        return torch.autocast(DEVICE.type, self.products, enabled=self.products != torch.float32)


ALL = tuple(
    Precision(products, attention)
    for products in (torch.float32, torch.bfloat16)
    for attention in (PLAIN_ATTENTION, FUSED_ATTENTION)
)


def fastest(shape: Shape) -> Precision:
    """What one layer takes the least time in, forward and backward, on this machine.

    With AMX, bfloat16 is several times faster than float32. With AVX2 alone it is ten times slower. On a GPU bfloat16
    and fused attention are taken without measuring.
    """
    if DEVICE.type == "cuda":
        return Precision(torch.bfloat16, FUSED_ATTENTION)
    best, seconds = ALL[0], math.inf
    for precision in ALL:
        took = _seconds(shape, precision, seconds)
        if took < seconds:
            best, seconds = precision, took
    return best


def _seconds(shape: Shape, precision: Precision, to_beat: float) -> float:
    """The shortest of a few measurements, or the first where that is far from ``to_beat``.

    It is processor time, so that other programs on the machine hardly count.
    """
    layer: Any = replace(shape, layers=1).encoder(8, precision.attention)
    ids = torch.ones(_SEQUENCES, _TOKENS, dtype=torch.long)
    positions = torch.arange(_TOKENS).expand_as(ids)
    shortest = math.inf
    for _ in range(_TIMES):
        begin = time.process_time()
        with precision.autocast():
            loss = hidden_states(layer, ids, ids, positions).float().square().mean()
        loss.backward()  # type: ignore[no-untyped-call]
        shortest = min(shortest, time.process_time() - begin)
        if shortest > _HOPELESS * to_beat:
            break
    return shortest
