"""Embeddings to begin with: characters that stand in the same company are alike.

Positive pointwise mutual information with the two neighbours on either side, reduced by a singular value decomposition
(Levy and Goldberg, NeurIPS 2014, "Neural Word Embedding as Implicit Matrix Factorization"); the decomposition by
random projections (Halko, Martinsson and Tropp, 2011). It takes seconds, and from there masked-language modelling at
once gets on where it stays for hours, on a CPU, at the frequencies of characters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

_OFFSETS = (-2, -1, 1, 2)
# Rare contexts tell less than their counts say (Levy, Goldberg and Dagan, 2015).
_CONTEXT_SMOOTHING = 0.75


# Pairs that are counted at a time: what they take in memory does not grow with the text.
_AT_ONCE = 4_000_000


def company_embeddings(tokens: NDArray[Any], count: int, boundary: int, width: int) -> torch.Tensor:
    """Embeddings ``(count, width)`` of the token ids below ``count``; their standard deviation is 1.

    Args:
        tokens: token ids of texts, one text after the other.
        boundary: the token between two texts. What stands on its other side is no company.
    """
    information = hstack([_information(tokens, offset, count, boundary) for offset in _OFFSETS]).tocsr()
    left, values = _decompose(information, width)
    embeddings = np.zeros((count, width), np.float32)  # a small vocabulary has fewer dimensions
    embeddings[:, : len(values)] = left * np.sqrt(values)
    return torch.tensor(embeddings / embeddings.std(), dtype=torch.float32)


def _information(tokens: NDArray[Any], offset: int, count: int, boundary: int) -> csr_matrix:
    """Positive pointwise mutual information of a token with the one ``offset`` on: ``(count, count)``."""
    pairs = _pairs(tokens, abs(offset), count, boundary)
    if offset < 0:
        pairs = pairs.T
    first, second = np.nonzero(pairs)
    found = pairs[first, second]
    counts = np.bincount(tokens, minlength=count)
    context = counts**_CONTEXT_SMOOTHING
    expected = counts[first] / len(tokens) * context[second] / context.sum()
    information = np.log(found / found.sum() / expected)
    kept = information > 0
    return csr_matrix((information[kept], (first[kept], second[kept])), (count, count), dtype=np.float32)


def _pairs(tokens: NDArray[Any], offset: int, count: int, boundary: int) -> NDArray[np.int32]:
    """How often each token stands ``offset`` before each other one: ``(count, count)``."""
    pairs = np.zeros(count * count, np.int32)
    for begin in range(0, len(tokens), _AT_ONCE):
        part = tokens[begin : begin + _AT_ONCE + offset].astype(np.int64)
        apart = part == boundary
        crossing = apart[1:-1] if offset == 2 else np.zeros(max(len(part) - offset, 0), np.bool_)
        pairs += np.bincount((part[:-offset] * count + part[offset:])[~crossing], minlength=count * count).astype(
            np.int32
        )
    return pairs.reshape(count, count)


def _decompose(matrix: csr_matrix, rank: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The ``rank`` largest singular values and their left vectors ``(rows, rank)``."""
    random = np.random.default_rng(0)
    projected = matrix @ random.standard_normal((matrix.shape[1], rank + 20)).astype(np.float32)
    for _ in range(3):
        across = np.linalg.qr(matrix.T @ np.linalg.qr(projected)[0])[0]
        projected = matrix @ across
    basis = np.linalg.qr(projected)[0]
    left, values, _ = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    return (basis @ left)[:, :rank], values[:rank]
