"""A text as the windows that the network can read at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.breaks import Sentence, best_break, is_long, sentences
from workers.engine.reading.reader import Reader
from workers.engine.tokens import Tokens

# The most tokens that a window reads on either side of its core, if they are there. No entity in the training data is
# longer than 60 characters.
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


def windows(text: str, reader: Reader, limit: int) -> list[Window]:
    """The windows of a text: one if it is not long and its tokens are within ``limit``, else those of its sentences.

    Args:
        limit: the most tokens a window may have, without [CLS] and [SEP].
    """
    if not is_long(text):
        tokens = reader.encode(text)
        if len(tokens.ids) <= limit:
            return [Window(text, tokens, 0, len(text))]
    return windows_of_part(text, 0, len(text), reader, limit)


def windows_of_part(text: str, core_start: int, core_end: int, reader: Reader, limit: int) -> list[Window]:
    """The windows of a part of a long text: one a sentence, or as few as overlap with context.

    They are those of the whole text: a window depends on its sentence and what that has to be read with, no more.

    Args:
        text: the part, with what it has to be read with before and behind its core (:func:`shared.breaks.sentences`).
    """
    return [
        window
        for sentence in sentences(text, core_start, core_end)
        for window in _windows_of_sentence(text, sentence, reader, limit)
    ]


def _windows_of_sentence(text: str, sentence: Sentence, reader: Reader, limit: int) -> Iterator[Window]:
    read = text[sentence.left : sentence.right]
    tokens = reader.encode(read)
    if len(read) == sentence.end - sentence.start and len(tokens.ids) <= limit:
        yield Window(text, tokens.moved(sentence.left), sentence.start, sentence.end)
        return
    start, end = sentence.start - sentence.left, sentence.end - sentence.left
    for core_start, core_end, left, right in _ranges(read, tokens, start, end, limit):
        yield Window(
            text,
            tokens.words(left, right, limit).moved(sentence.left),
            core_start + sentence.left,
            core_end + sentence.left,
        )


def _ranges(text: str, tokens: Tokens, start: int, end: int, limit: int) -> Iterator[tuple[int, int, int, int]]:
    """The windows of ``text[start:end]``: the characters of the core, and the words that are read."""
    bounds = tokens.bounds
    begin, last = (int(word) for word in np.searchsorted(tokens.starts, (start, end)))
    context = min(CONTEXT_TOKENS, limit // 4)
    final = _last_within(bounds, int(bounds[last]) + context, last - 1)
    core_start = start
    while core_start < end:
        left = int(np.searchsorted(bounds, bounds[begin] - context))
        if bounds[final] - bounds[left] <= limit:
            core_end, right = end, final
        else:
            latest = min(last, _last_within(bounds, int(bounds[begin]) + limit - 2 * context, begin))
            # Not much earlier: each core costs two contexts. Half of a core of 382 characters holds a good break.
            low = int(tokens.starts[(latest + begin) // 2])
            high = int(tokens.starts[latest]) if latest < last else end
            core_end = best_break(text, low, max(high, low + 1))
            begin = int(np.searchsorted(tokens.starts, core_end))
            right = min(final, _last_within(bounds, int(bounds[begin]) + context, begin - 1))
        yield core_start, core_end, left, right
        core_start = core_end


def _last_within(bounds: NDArray[np.int64], most: int, begin: int) -> int:
    """The last word boundary that is not beyond ``most`` tokens, but at least one word on from ``begin``."""
    return max(int(np.searchsorted(bounds, most, side="right")) - 1, begin + 1)
