"""A text as the windows that the network can read at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.breaks import best_break, sentences
from workers.engine.tokens import Tokens

# Tokens that a window reads on either side of its core, if they are there. No entity in the training data is longer
# than 60 characters.
CONTEXT_TOKENS = 64


@dataclass(frozen=True)
class Window:
    """Part of a text that the network reads at once.

    ``text`` is the whole text, ``tokens`` those of the window with places in that text, ``[core_start, core_end)`` the
    characters that this window answers for: the cores of a text's windows follow on one another from 0 to its length.
    """

    text: str
    tokens: Tokens
    core_start: int
    core_end: int


def windows(text: str, tokens: Tokens, limit: int) -> list[Window]:
    """The windows of a text: one where all of its tokens are within ``limit``, else one a sentence.

    A sentence that is not within the limit either is divided among as few as overlap with context.

    Args:
        limit: the most tokens a window may have, without [CLS] and [SEP]; more than twice the context.
    """
    if len(tokens.ids) <= limit:
        return [Window(text, tokens, 0, len(text))]
    return [
        window for start, end in sentences(text) for window in _windows_of_sentence(text, tokens, start, end, limit)
    ]


def _windows_of_sentence(text: str, tokens: Tokens, start: int, end: int, limit: int) -> Iterator[Window]:
    bounds = tokens.bounds
    first, last = (int(word) for word in np.searchsorted(tokens.starts, (start, end)))
    context = min(CONTEXT_TOKENS, limit // 4)

    begin, core_start = first, start
    while core_start < end:
        left = max(first, int(np.searchsorted(bounds, bounds[begin] - context)))
        if bounds[last] - bounds[left] <= limit:
            core_end, right = end, last
        else:
            latest = min(last, _last_within(bounds, int(bounds[begin]) + limit - 2 * context, begin))
            # Not much earlier: each core costs two contexts. Half of a core of 382 characters holds a good break.
            low = int(tokens.starts[(latest + begin) // 2])
            high = int(tokens.starts[latest]) if latest < last else end
            core_end = best_break(text, low, max(high, low + 1))
            begin = int(np.searchsorted(tokens.starts, core_end))
            right = min(last, _last_within(bounds, int(bounds[begin]) + context, begin - 1))
        yield Window(text, tokens.words(left, right, limit), core_start, core_end)
        core_start = core_end


def _last_within(bounds: NDArray[np.int64], most: int, begin: int) -> int:
    """The last word boundary that is not beyond ``most`` tokens, but at least one word on from ``begin``."""
    return max(int(np.searchsorted(bounds, most, side="right")) - 1, begin + 1)
