"""The model reads over spaces between the words of a sentence, and a tab for those between the items of a line.

Text that a program took to words has spaces in its sentences (中国 人民 银行 今天 宣布), and people set names apart by
them. Names in a row, and columns that spaces align, are separate: :mod:`workers.engine.reading.lines` has tabs
separate them. What else stands in the line tells the two kinds apart.
"""

from __future__ import annotations

from dataclasses import replace

import regex

from workers.engine.reading.view import View

# Spaces in a line, between two characters that are not ASCII: words in Latin letters need theirs.
_SPACES = regex.compile(r"(?<=[^\x00-\x7f\s])[^\S\t\n\r\v\f\x85\u2028\u2029]+(?=[^\x00-\x7f\s])")
_LINE = regex.compile(r"[^\n\r\v\f\x85\u2028\u2029]+")
# What a row of items lacks: punctuation of sentences, or a word of one character that only sentences have.
_SENTENCE = regex.compile(r"[，。！？；、：,;!?:]|(?<!\S)[的了在和与是对为从到向及等被将把不也就都而以于](?!\S)")
_WORD = regex.compile(r"[\p{L}\p{N}]")
# What of that a line of labels and values has not: 姓名：马云　　单位：阿里巴巴.
_PROSE = regex.compile(r"[，。！？；,;!?]|(?<!\S)[的了在和与是对为从到向及等被将把不也就都而以于](?!\S)")
# A name of two characters, or a label, that is set as wide as one of three: 马　云, 姓　名：马　云.
_PADDED = regex.compile(r"(?<![\p{L}\p{N}])\p{Han}\s++\p{Han}(?![\p{L}\p{N}])")
_WIDE = regex.compile(r"\s{2}|\u3000")
_WORD_BEFORE, _WORD_BEHIND = regex.compile(r"(?<=\p{L}{2})"), regex.compile(r"\p{L}{2}")


def without_spaces_between_words(view: View) -> View:
    """The view without the spaces between words, and with a tab for those between items."""
    text = view.text
    if not _SPACES.search(text):
        return view
    characters, dropped = list(text), list[int]()
    for line in _LINE.finditer(text):
        start, end = line.span()
        in_sentence = _SENTENCE.search(text, start, end) is not None
        in_prose = _PROSE.search(text, start, end) is not None
        names = [name.span() for name in _PADDED.finditer(text, start, end)]
        inside = {begin + 1 for begin, _ in names}
        edges = {place for name in names for place in name}
        for spaces in _SPACES.finditer(text, start, end):
            first, behind = spaces.span()
            # Wide spaces beside a padded name are between columns in any line, and between two words where the line is
            # no prose.
            are_columns = _WIDE.search(text, first, behind) and (
                not edges.isdisjoint((first, behind))
                or (not in_prose and _WORD_BEFORE.match(text, first) and _WORD_BEHIND.match(text, behind))
            )
            if first not in inside and (are_columns or not in_sentence):
                if not (_WORD.match(text, first - 1) and _WORD.match(text, behind)):
                    continue
                characters[first] = "\t"
                first += 1
            dropped.extend(range(first, behind))
    return replace(view, text="".join(characters)).without(dropped)
