"""How a job's texts are divided into pieces, each done as a whole by one worker process.

Many short texts share a piece; a long text is cut into several, between the sentences by which workers read it. So what
is found in a text depends neither on the size of its pieces nor on whether it was cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import NamedTuple

from shared.breaks import LONG_BYTES, Sentence, sentences
from shared.text import encode_text

# Seconds that a piece is to take: whoever comes next waits no longer than that.
PIECE_SECONDS = 0.4
# The size of a piece of a model of unknown pace: under three seconds with BERT-base (INT8, 750 characters a second on a
# core), 0.2 with the bundled model.
UNKNOWN_PACE_CHARS = 2_000
# A smaller piece would seldom be a smaller part: it is at least one sentence, and some have 500 characters.
LEAST_CHARS = 250
# Cutting and encoding so much takes web some milliseconds, in which it does nothing else. Larger pieces would save
# nothing either: taking and finishing one costs a worker half a millisecond.
MOST_CHARS = 5_000
# ModelScope's own pipeline takes a second for each text at BERT-base size, however short.
PIECE_TEXTS = 32

WHOLE = -1


class PieceItem(NamedTuple):
    """A text, or a part of a long one, as it stands in a piece.

    ``text`` is its index in the job. ``part`` is its place among the parts of that text, :data:`WHOLE` where the text
    is not cut. ``[byte_start, byte_end)`` is where the slice lies in the job's texts (:mod:`shared.job_texts`).
    ``start`` is the slice's first character in its text as it is read, ``[core_start, core_end)`` the range, within the
    slice, that this part answers for. The slice is more than that only where the text is cut within a sentence.
    """

    text: int
    part: int
    byte_start: int
    byte_end: int
    start: int
    core_start: int
    core_end: int


def piece_chars(chars_per_second: float | None) -> int:
    """How many characters a piece may have, at the pace of one worker process; None where that is unknown."""
    if chars_per_second is None:
        return UNKNOWN_PACE_CHARS
    return int(min(max(chars_per_second * PIECE_SECONDS, LEAST_CHARS), MOST_CHARS))


def plan(
    texts: Sequence[str], byte_ranges: Sequence[tuple[int, int]], wanted: Sequence[int], piece_chars: int
) -> Iterator[list[PieceItem]]:
    """Pieces that together cover the ``wanted`` texts (indexes, in order).

    Each is found as it is asked for, which takes milliseconds, so that the caller can let others run in between.

    Args:
        texts: as they are read.
        byte_ranges: where the UTF-8 of each stands in the job's texts (:mod:`shared.job_texts`).
        piece_chars: the most characters of a piece (:func:`piece_chars`); a text that is not long
            (:data:`shared.breaks.LONG_BYTES`) or a sentence of a long one may have more.
    """
    shared: list[PieceItem] = []
    chars = 0
    for index in wanted:
        text, (start, end) = texts[index], byte_ranges[index]
        if len(text) > piece_chars and end - start > LONG_BYTES:
            for item in _parts(index, text, start, piece_chars):
                yield [item]
            continue
        if shared and (chars + len(text) > piece_chars or len(shared) == PIECE_TEXTS):
            yield shared
            shared, chars = [], 0
        shared.append(PieceItem(index, WHOLE, start, end, 0, 0, len(text)))
        chars += len(text)
    if shared:
        yield shared


def _parts(index: int, text: str, byte_start: int, piece_chars: int) -> Iterator[PieceItem]:
    core_end, core_end_byte = 0, byte_start
    for part, of_part in enumerate(_divided(text, piece_chars)):
        core_start, left, right = core_end, of_part[0].left, of_part[-1].right
        core_end = of_part[-1].end
        left_byte = core_end_byte - len(encode_text(text[left:core_start]))
        core_end_byte += len(encode_text(text[core_start:core_end]))
        right_byte = core_end_byte + len(encode_text(text[core_end:right]))
        yield PieceItem(index, part, left_byte, right_byte, left, core_start - left, core_end - left)


def _divided(text: str, most: int) -> Iterator[list[Sentence]]:
    """The sentences of a text as parts of about one size; the last are not much smaller than half of ``most``."""
    held: list[Sentence] = []
    start = 0
    size = _size(len(text), most)
    for sentence in sentences(text):
        while held and sentence.end - start > size:
            count = _count(held, start + size * 3 // 4)
            yield held[:count]
            start = held[count - 1].end
            held = held[count:]
            size = _size(len(text) - start, most)
        held.append(sentence)
    if held:
        yield held


def _size(rest: int, most: int) -> int:
    return ceil(rest / ceil(rest / most))


def _count(held: Sequence[Sentence], least_end: int) -> int:
    """How many of the sentences to take: all, but if the last is cut and one ends shortly before, up to that one."""
    for count in range(len(held), 0, -1):
        last = held[count - 1]
        if last.end < least_end:
            break
        if last.right == last.end:
            return count
    return len(held)
