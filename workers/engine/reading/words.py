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
# A name of two characters that is set as wide as one of three: 马　云.
_PADDED = regex.compile(r"(?<!\S)\p{Han}\s+\p{Han}(?!\S)")


def without_spaces_between_words(view: View) -> View:
    """The view without the spaces between words, and with a tab for those between items."""
    text = view.text
    if not _SPACES.search(text):
        return view
    characters, dropped = list(text), list[int]()
    for line in _LINE.finditer(text):
        start, end = line.span()
        in_sentence = _SENTENCE.search(text, start, end) is not None
        padded = {name.start() + 1 for name in _PADDED.finditer(text, start, end)}
        for spaces in _SPACES.finditer(text, start, end):
            first, behind = spaces.span()
            if not in_sentence and first not in padded:
                if not (_WORD.match(text, first - 1) and _WORD.match(text, behind)):
                    continue
                characters[first] = "\t"
                first += 1
            dropped.extend(range(first, behind))
    return replace(view, text="".join(characters)).without(dropped)
