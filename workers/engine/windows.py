"""A text as the windows that the network can read at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.breaks import best_break
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
    """The windows of a text: one where all of its tokens are within ``limit``, else as few as overlap with context.

    Args:
        limit: the most tokens a window may have, without [CLS] and [SEP]; more than twice the context.
    """
    bounds = tokens.bounds()
    count, total = len(tokens.first), len(tokens.ids)
    if total <= limit:
        return [Window(text, tokens, 0, len(text))]
    context = min(CONTEXT_TOKENS, limit // 4)

    found = []
    begin, core_start = 0, 0
    while core_start < len(text):
        left = int(np.searchsorted(bounds, bounds[begin] - context))
        if total - bounds[left] <= limit:
            core_end, right = len(text), count
        else:
            latest = _last_within(bounds, int(bounds[begin]) + limit - 2 * context, begin)
            # Not much earlier: each core costs two contexts. Half of a core of 382 characters holds a sentence end.
            low = int(tokens.starts[(latest + begin) // 2])
            high = int(tokens.starts[latest]) if latest < count else len(text)
            core_end = best_break(text, low, max(high, low + 1))
            begin = int(np.searchsorted(tokens.starts, core_end))
            right = _last_within(bounds, int(bounds[begin]) + context, begin - 1)
        found.append(Window(text, tokens.words(left, right, limit), core_start, core_end))
        core_start = core_end
    return found


def _last_within(bounds: NDArray[np.int64], most: int, begin: int) -> int:
    """The last word boundary that is not beyond ``most`` tokens, but at least one word on from ``begin``."""
    return max(int(np.searchsorted(bounds, most, side="right")) - 1, begin + 1)
