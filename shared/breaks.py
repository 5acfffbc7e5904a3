"""Where a long text may be cut: into its sentences, and a sentence without an end in reach at the best break there is.

Workers read a long text by :func:`sentences`, and web cuts it into parts between them. So the entities of a text do not
depend on where web cut it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

import regex

from shared.text import encode_text

# A text of more bytes of UTF-8 than this is read by sentence, however few tokens it has. A shorter one is read at once
# if the model can. Web knows neither the model's tokens nor its limit, but by this it can tell which texts it may cut.
# The limit of BERT is 510 tokens beside [CLS] and [SEP]: 510 Chinese characters (1,530 bytes), or some 2,300 letters.
LONG_BYTES = 2_400
# A sentence has at most so many characters, else it is cut. BERT reads as many at once if each is a token.
SENTENCE_CHARS = 510
# The most characters before a cut in a sentence. BERT reads them at once with 64 tokens of context on either side.
CUT_CHARS = 382
# So much is read beyond a cut in a sentence: twice the longest entity of the training data, which has 60 characters. It
# lies in the sentence's part before or behind the cut, as it is no more than half of CUT_CHARS.
CONTEXT_CHARS = 128

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
_WORD = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{Nd}\p{M}_'’.@%&/+-]{2,}")
# \X alone counts back over all flags before this one, each time.
_GRAPHEME = regex.compile(rf"\p{{Regional_Indicator}}{{2}}{_EXTEND}*+|\X")
# Two characters that no rule of Unicode's joins, such as ideographs: most places can be told by this alone.
_APART = regex.compile(r"\p{GCB=Other}{2}")


class Sentence(NamedTuple):
    """``text[start:end]`` is a sentence with the space behind it, or part of one that is too long.

    ``text[left:right]`` is what has to be read to know its entities: more than itself only beyond a cut in a sentence.
    """

    start: int
    end: int
    left: int
    right: int


def is_long(text: str) -> bool:
    """Whether a text is read by sentence, however few tokens it has."""
    return len(text) > LONG_BYTES or len(encode_text(text)) > LONG_BYTES


def sentences(text: str, start: int = 0, stop: int | None = None) -> Iterator[Sentence]:
    """The sentences of a text, in order; they cover it. Each step looks at few characters.

    ``start`` and ``stop`` ask for those of ``text[start:stop]`` where both are ends of sentences of a longer text, of
    which ``text`` holds what the first and the last have to be read with. They are the same as in the longer text:
    each end depends only on what lies between the end before it and itself, and on the next character.
    """
    stop = len(text) if stop is None else stop
    left, held = max(0, start - CONTEXT_CHARS), start
    closed = True
    for end, end_closed in _ends(text, start, stop):
        if held > start:
            yield Sentence(start, held, left, held if closed else min(held + CONTEXT_CHARS, end))
            left = held if closed else held - CONTEXT_CHARS
        start, held, closed = held, end, end_closed
    if held > start:
        yield Sentence(start, held, left, held if closed else min(held + CONTEXT_CHARS, len(text)))


def _ends(text: str, start: int, stop: int) -> Iterator[tuple[int, bool]]:
    """Where the sentences of ``text[start:stop]`` end or are cut, and whether they end there."""
    while start < stop:
        seen = min(start + SENTENCE_CHARS + 1, len(text))
        for end in _sentence_ends(text, start, seen):
            if end > min(start + SENTENCE_CHARS, stop) or end == seen < len(text):
                break
            yield end, True
            start = end
        reach = min(start + SENTENCE_CHARS, stop)
        if start == stop or reach >= seen < len(text):
            continue
        # From `start` on there is no end within reach.
        if reach == stop == len(text):
            yield stop, True
            return
        # Two cuts in a row are further apart than CUT_CHARS: so a longer text's cut at `stop` was the next one.
        if reach == stop and stop - start <= CUT_CHARS:
            yield stop, False
            return
        start += best_break(text[start : start + CUT_CHARS + 1], CUT_CHARS // 2, CUT_CHARS)
        yield start, False


def _sentence_ends(text: str, low: int, high: int) -> Iterator[int]:
    for match in _SENTENCE_END.finditer(text, low, high):
        mark, end = match[0], match.end()
        sure = _SURE.search(mark) or (mark[-1].isspace() and _SURE_BEFORE_SPACE.search(mark))
        # What extends the last character would come apart from it.
        if sure and not _EXTENDS.match(text, end):
            yield end


def best_break(text: str, low: int, high: int) -> int:
    """Where to cut a short ``text``: the last of the best kind of break in ``(low, high]``, as an index.

    What surely ends a sentence comes before what may end one, that before clause ends, those before white space, that
    before any place that is not inside a word or number written without spaces. A grapheme cluster (an emoji sequence,
    a letter and its marks) is cut only where the whole range is one.

    Args:
        text: looked at as a whole where it holds what is joined to one character, such as emoji.
        low: at least 0.
        high: more than ``low``, at most ``len(text)``.
    """
    end = min(len(text), high + 1)
    joined = _Joined(text)
    kinds = [_sentence_ends(text, low, end), *((m.end() for m in kind.finditer(text, low, end)) for kind in _BREAKS)]
    for ends in kinds:
        for cut in reversed(list(ends)):
            if low < cut <= high and not joined.at(cut):
                return cut
    in_words = {cut for word in _WORD.finditer(text, low, end) for cut in range(word.start() + 1, word.end())}
    outside = (cut for cut in range(high, low, -1) if cut not in in_words and not joined.at(cut))
    whole = (cut for cut in range(high, low, -1) if not joined.at(cut))
    return next(outside, next(whole, high))


class _Joined:
    """Tells the places in a text that are inside a grapheme cluster."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends: set[int] | None = None

    def at(self, cut: int) -> bool:
        """Whether a cluster goes on at ``cut``."""
        if self._ends is None:
            if cut == len(self._text) or _APART.match(self._text, cut - 1):
                return False
            self._ends = set(accumulate(map(len, _GRAPHEME.findall(self._text))))
        return cut not in self._ends
