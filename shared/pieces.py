"""How a job's texts are divided into pieces, each done as a whole by one worker process.

Many short texts share a piece; a long text is cut into several, at sentence ends where it can be, with context on both
sides of each cut so that the worker can tell what an entity at the cut is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from shared.breaks import best_break
from shared.text import encode_text

# A BERT-base INT8 model reads about 750 characters a second on one core: a piece stays under ten seconds even on a
# slow one, well below the visibility timeout.
PIECE_CHARS = 4_000
# ModelScope's own pipeline takes a second for each text at that size, however short.
PIECE_TEXTS = 32
# No entity in the training data is longer than 60 characters; twice that on either side of a cut.
CONTEXT_CHARS = 128

WHOLE = -1


class PieceItem(NamedTuple):
    """A text, or a part of a long one, as it stands in a piece.

    ``text`` is its index in the job. ``part`` is its place among the parts of that text, :data:`WHOLE` where the text
    is not cut. ``[byte_start, byte_end)`` is where the slice lies in the job's joined texts. ``start`` is the slice's
    first character in its text, ``[core_start, core_end)`` the range, within the slice, that this part answers for.
    """

    text: int
    part: int
    byte_start: int
    byte_end: int
    start: int
    core_start: int
    core_end: int


def plan(texts: Sequence[str], byte_starts: Sequence[int], wanted: Sequence[int]) -> list[list[PieceItem]]:
    """Pieces that together cover the ``wanted`` texts (indexes, in order).

    ``byte_starts`` says where each text begins in the joined UTF-8 of all.
    """
    pieces: list[list[PieceItem]] = []
    shared: list[PieceItem] = []
    chars = 0
    for index in wanted:
        text = texts[index]
        if len(text) > PIECE_CHARS:
            pieces.extend([item] for item in _cut(index, text, byte_starts[index]))
            continue
        if shared and (chars + len(text) > PIECE_CHARS or len(shared) == PIECE_TEXTS):
            pieces.append(shared)
            shared, chars = [], 0
        start = byte_starts[index]
        shared.append(PieceItem(index, WHOLE, start, start + len(encode_text(text)), 0, 0, len(text)))
        chars += len(text)
    if shared:
        pieces.append(shared)
    return pieces


def _cut(index: int, text: str, byte_start: int) -> list[PieceItem]:
    cuts = [0]
    while (rest := len(text) - cuts[-1]) > PIECE_CHARS:
        # Of one size, about: they end together, and none is so short that it would be read as one window.
        size = ceil(rest / ceil(rest / PIECE_CHARS))
        cuts.append(best_break(text, cuts[-1] + size * 3 // 4, cuts[-1] + size))
    cuts.append(len(text))

    items = []
    position, position_byte = 0, byte_start
    for part, (core_start, core_end) in enumerate(pairwise(cuts)):
        start = max(0, core_start - CONTEXT_CHARS)
        end = min(len(text), core_end + CONTEXT_CHARS)
        position_byte += len(encode_text(text[position:start]))
        position = start
        size = len(encode_text(text[start:end]))
        items.append(
            PieceItem(index, part, position_byte, position_byte + size, start, core_start - start, core_end - start)
        )
    return items
