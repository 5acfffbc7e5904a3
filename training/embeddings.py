"""Embeddings to begin with: characters that stand in the same company are alike.

Positive pointwise mutual information with the two neighbours on either side, reduced by a singular value decomposition
(Levy and Goldberg, NeurIPS 2014, "Neural Word Embedding as Implicit Matrix Factorization"); the decomposition by
random projections (Halko, Martinsson and Tropp, 2011). It takes seconds, and from there masked-language modelling at
once gets on where it stays for hours, on a CPU, at the frequencies of characters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, hstack

_OFFSETS = (-2, -1, 1, 2)
# Rare contexts tell less than their counts say (Levy, Goldberg and Dagan, 2015).
_CONTEXT_SMOOTHING = 0.75


def company_embeddings(texts: Sequence[Sequence[int]], tokens: int, boundary: int, width: int) -> torch.Tensor:
    """Embeddings ``(tokens, width)`` of token ids that stand in ``texts``; their standard deviation is 1.

    Args:
        boundary: the token that is taken to stand between two texts.
    """
    between = [boundary] * max(_OFFSETS)
    flat = np.array([token for text in texts for token in (*text, *between)])
    information = hstack([_information(flat, offset, tokens) for offset in _OFFSETS]).tocsr()
    left, values = _decompose(information, width)
    embeddings = np.zeros((tokens, width), np.float32)  # a small vocabulary has fewer dimensions
    embeddings[:, : len(values)] = left * np.sqrt(values)
    return torch.tensor(embeddings / embeddings.std(), dtype=torch.float32)


def _information(flat: NDArray[np.int64], offset: int, tokens: int) -> csr_matrix:
    """Positive pointwise mutual information of a token with the one ``offset`` on: ``(tokens, tokens)``."""
    first, second = (flat[:-offset], flat[offset:]) if offset > 0 else (flat[-offset:], flat[:offset])
    pairs = coo_matrix((np.ones(len(first)), (first, second)), (tokens, tokens)).tocsr().tocoo()
    counts = np.bincount(flat, minlength=tokens)
    context = counts**_CONTEXT_SMOOTHING
    expected = counts[pairs.row] / len(flat) * context[pairs.col] / context.sum()
    information = np.log(pairs.data / len(first) / expected)
    kept = information > 0
    return csr_matrix((information[kept], (pairs.row[kept], pairs.col[kept])), (tokens, tokens), dtype=np.float32)


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
