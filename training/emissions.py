"""What a trained network says of many texts at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from training.network import TransformerCrf
from training.precision import DEVICE, Precision
from training.vocabulary import CLS, PAD, SEP, Vocabulary


def by_length(texts: Sequence[str], size: int) -> Iterator[list[int]]:
    """The places of the texts, shortest first, in groups that have at most ``size`` tokens with padding."""
    group: list[int] = []
    for place in sorted(range(len(texts)), key=lambda place: len(texts[place])):
        if group and (len(texts[place]) + 2) * (len(group) + 1) > size:
            yield group
            group = []
        group.append(place)
    if group:
        yield group


@torch.no_grad()
def emissions(
    network: TransformerCrf, head: str, vocabulary: Vocabulary, texts: Sequence[str], precision: Precision
) -> tuple[torch.Tensor, torch.Tensor]:
    """Emissions ``(texts, length, labels)`` of texts of about the same length, and the lengths ``(texts,)``."""
    lengths = [len(text) for text in texts]
    ids = torch.full((len(texts), max(lengths) + 2), PAD)
    for row, text in enumerate(texts):
        ids[row, : len(text) + 2] = torch.tensor([CLS, *vocabulary.encode(text), SEP])
    ids = ids.to(DEVICE)
    positions = torch.arange(ids.shape[1], device=DEVICE).expand(len(texts), -1)
    with precision.autocast():
        return network(ids, (ids != PAD).long(), positions, [head])[head], torch.tensor(lengths, device=DEVICE)
