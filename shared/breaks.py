"""Where a long text may be cut: at a sentence end, else at the best break there is."""

from __future__ import annotations

import re

import regex

_CLOSERS = r"[”’\"'」』】）》〉〕\])]*"

# From the best break to the worst; a cut is at the end of a match.
_BREAKS = (
    # Sentence ends, with the quotes and brackets that close behind them. A full stop ends a sentence only before
    # space: it also stands in 3.14 and in modelscope.cn.
    re.compile(rf"(?:[。！？!?；;…\n\r\v\f\x85\u2028\u2029]+{_CLOSERS})+|\.{_CLOSERS}\s+"),
    # Clause ends; not the comma of 1,000 nor the colon of 10:30.
    re.compile(rf"(?:[，、：—]|(?<!\d)[,:]|[,:](?!\d))+{_CLOSERS}"),
    re.compile(r"\s+"),
)
_WORD = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{Nd}\p{M}_'’.@%&/+-]")
_GRAPHEME = regex.compile(r"\X")
# How far beyond the range to look, for matches and clusters that begin before it or end after it.
_SIGHT = 64


def best_break(text: str, low: int, high: int) -> int:
    """Where to cut ``text``: the last of the best kind of break in ``(low, high]``, as an index.

    Sentence ends come before clause ends, those before white space, that before any place that is not inside a word or
    number written without spaces. A grapheme cluster (an emoji sequence, a letter and its marks) is cut only where the
    whole range is one.

    Args:
        low: at least 0.
        high: more than ``low``, at most ``len(text)``.
    """
    start, end = max(0, low - _SIGHT), min(len(text), high + _SIGHT)
    graphemes = {match.end() for match in _GRAPHEME.finditer(text, start, end)}
    for pattern in _BREAKS:
        ends = [match.end() for match in pattern.finditer(text, low, end)]
        for cut in reversed(ends):
            if low < cut <= high and cut in graphemes:
                return cut
    whole = [cut for cut in range(high, low, -1) if cut in graphemes]
    return next((cut for cut in whole if not _inside_word(text, cut)), whole[0] if whole else high)


def _inside_word(text: str, cut: int) -> bool:
    return cut < len(text) and bool(_WORD.match(text[cut - 1]) and _WORD.match(text[cut]))
