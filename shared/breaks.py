"""Where a long text may be cut: into its sentences, and within one at the best break there is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import regex

_CLOSERS = r"[”’\"'」』】）》〉〕\])]*"

# What is one grapheme cluster with the character before it, such as an accent.
_EXTEND = r"[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]"
_EXTENDS = regex.compile(_EXTEND)
# Where a sentence surely ends, with the marks, quotes and brackets that go with it and the space behind it. ASCII's !
# and ? end one only before space: they also stand in Yahoo!奇摩 and a?b=c.
_SENTENCE_END = regex.compile(rf"(?:[。！？!?…]+{_EXTEND}*{_CLOSERS})+\s*|\n\s*\n\s*")
_SURE = re.compile(r"[。！？\n]")
_SURE_BEFORE_SPACE = re.compile(r"[!?]")
# Other breaks, from the best to the worst; a cut is at the end of a match.
_BREAKS = (
    # What may end a sentence: such as a line, which somebody may have wrapped by hand. A full stop does only before
    # space: it also stands in 3.14 and in modelscope.cn, and even so in George W. Bush.
    re.compile(rf"(?:[。！？!?；;…\n\r\v\f\x85\u2028\u2029]+{_CLOSERS})+|\.{_CLOSERS}\s+"),
    # Clause ends; not the comma of 1,000 nor the colon of 10:30.
    re.compile(rf"(?:[，、：—]|(?<!\d)[,:]|[,:](?!\d))+{_CLOSERS}"),
    re.compile(r"\s+"),
)
_WORD = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{Nd}\p{M}_'’.@%&/+-]")
_GRAPHEME = regex.compile(r"\X")
# How far beyond the range to look, for matches and clusters that begin before it or end after it.
_SIGHT = 64


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """The text's sentences as ``(start, end)``, each with the space behind it. They cover the text."""
    start = 0
    for end in _sentence_ends(text, 0, len(text)):
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


def _sentence_ends(text: str, low: int, high: int) -> Iterator[int]:
    for match in _SENTENCE_END.finditer(text, low, high):
        mark = match.group()
        if _EXTENDS.match(text, match.end()):
            continue  # it would come apart from what it is written on
        if _SURE.search(mark) or (mark[-1].isspace() and _SURE_BEFORE_SPACE.search(mark)):
            yield match.end()


def best_break(text: str, low: int, high: int) -> int:
    """Where to cut ``text``: the last of the best kind of break in ``(low, high]``, as an index.

    Ends of :func:`sentences` come before what may be one, that before clause ends, those before white space, that
    before any place that is not inside a word or number written without spaces. A grapheme cluster (an emoji sequence,
    a letter and its marks) is cut only where the whole range is one.

    Args:
        low: at least 0.
        high: more than ``low``, at most ``len(text)``.
    """
    start, end = max(0, low - _SIGHT), min(len(text), high + _SIGHT)
    graphemes = {match.end() for match in _GRAPHEME.finditer(text, start, end)}
    kinds = [_sentence_ends(text, low, end), *((m.end() for m in kind.finditer(text, low, end)) for kind in _BREAKS)]
    for ends in kinds:
        for cut in reversed(list(ends)):
            if low < cut <= high and cut in graphemes:
                return cut
    whole = [cut for cut in range(high, low, -1) if cut in graphemes]
    return next((cut for cut in whole if not _inside_word(text, cut)), whole[0] if whole else high)


def _inside_word(text: str, cut: int) -> bool:
    return cut < len(text) and bool(_WORD.match(text[cut - 1]) and _WORD.match(text[cut]))
