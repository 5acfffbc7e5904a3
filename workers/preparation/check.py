"""Does the prepared network find what the original finds?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from shared.errors import UnsupportedModel
from shared.settings import BackendName
from workers.backends.base import Network
from workers.engine.tokens import SPECIAL_TOKENS
from workers.preparation.original import Original

# Largest difference between an emission of the exported network and PyTorch's; measured: below 1e-5.
EXPORT_LIMIT = 1e-3
# With fewer entities than this in either form, one entity would weigh too much.
FEWEST_ENTITIES = 20

_SENTENCES = Path(__file__).with_name("check_sentences.txt")


@dataclass(frozen=True)
class Difference:
    """How far INT8 is from FP32: ``differing`` of ``total`` units, 0 to 1 as ``share``.

    Units are entities, of both forms together; those differ that the other form has not at the same place with the
    same type, so that the share is 1 - F1 of one form against the other. Where either form finds fewer than
    :data:`FEWEST_ENTITIES`, units are the tokens and those differ that have another label.
    """

    unit: str
    differing: int
    total: int

    @property
    def share(self) -> float:
        """Share of the units that differ."""
        return self.differing / self.total

    def __str__(self) -> str:
        return f"{self.share:.2%} ({self.differing} of {self.total} {self.unit}) differ"


@lru_cache(maxsize=1)
def check_sentences() -> tuple[str, ...]:
    """Sentences in the manner of news, written for this check: Chinese, some with Latin words and full-width forms."""
    return tuple(_SENTENCES.read_text(encoding="utf-8").splitlines())


def check_ids(original: Original) -> list[NDArray[np.int64]]:
    """What the network reads of each check sentence: (tokens,)."""
    tokenizer = original.text_tokenizer()
    return [original.ids(tokenizer.encode(sentence).ids) for sentence in check_sentences()]


def export_difference(original: Original, network: Network) -> float:
    """Largest difference between an emission of the exported network and the original's, on the check sentences.

    Raises:
        UnsupportedModel: it is above :data:`EXPORT_LIMIT`.
    """
    largest = 0.0
    for ids in check_ids(original):
        with torch.inference_mode():
            expected = original.network(torch.from_numpy(ids[np.newaxis]))[0].numpy()
        largest = max(largest, float(np.abs(network.emissions(ids) - expected).max()))
    if not largest <= EXPORT_LIMIT:
        raise UnsupportedModel(
            f"its ONNX form differs from PyTorch by up to {largest:.2g} in an emission, more than {EXPORT_LIMIT:g}; "
            f"use RANER_BACKEND={BackendName.PYTORCH}"
        )
    return largest


def int8_difference(original: Original, fp32: Network, int8: Network) -> Difference:
    """How far INT8 is from FP32 on the check sentences."""
    expected, found = _entities(original, fp32), _entities(original, int8)
    if min(len(expected), len(found)) >= FEWEST_ENTITIES:
        return Difference("entities", len(expected ^ found), len(expected) + len(found))
    pairs = [
        (left, right)
        for path, other in zip(_paths(original, fp32), _paths(original, int8), strict=True)
        for left, right in zip(path.tolist(), other.tolist(), strict=True)
    ]
    return Difference("token labels", sum(left != right for left, right in pairs), len(pairs))


def _entities(original: Original, network: Network) -> set[tuple[int, int, int, str]]:
    found = original.recogniser(network).recognise(check_sentences())
    return {(index, e.start, e.end, e.type) for index, entities in enumerate(found) for e in entities}


def _paths(original: Original, network: Network) -> list[NDArray[np.intp]]:
    tokenizer = original.text_tokenizer()
    emissions = []
    for sentence in check_sentences():
        tokens = tokenizer.encode(sentence)
        of_sentence = network.emissions(original.ids(tokens.ids))
        # [CLS] has the first place.
        emissions.append(of_sentence[tokens.first[tokens.first < len(of_sentence) - SPECIAL_TOKENS] + 1])
    return original.crf.decode(emissions)
