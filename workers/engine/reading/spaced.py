"""The model reads spaced-out text, which has a space behind each character, without these spaces.

OCR writes such text, and some headings are set so: 阿 里 巴 巴 集 团. It may be one line or phrase of a text.
"""

from __future__ import annotations

import regex

from workers.engine.reading.view import View

_SPACE = r"[^\S\n\r\v\f\x85\u2028\u2029]"
# Between two spaces, such a text has an ideograph with the punctuation behind it, a digit or a capital letter.
_SINGLE = r"(?:[\p{Han}0-9A-Z]\p{P}*|\p{P}+)"
# A run with fewer ideographs is no spaced-out text: 赵 云 may be two columns of a table.
_LEAST = 3
_SPACED = regex.compile(rf"(?<!\S){_SINGLE}(?:{_SPACE}{{1,3}}{_SINGLE})+(?!\S)")
_IDEOGRAPH = regex.compile(r"\p{Han}")
_SPACES = regex.compile(rf"(?<![A-Z]){_SPACE}+|{_SPACE}+(?![A-Z])")


def without_spaces_between_characters(view: View) -> View:
    """The view without the spaces of spaced-out text."""
    dropped: list[int] = []
    for found in _SPACED.finditer(view.text):
        if len(_IDEOGRAPH.findall(found[0])) >= _LEAST:
            for spaces in _SPACES.finditer(view.text, found.start(), found.end()):
                dropped.extend(range(spaces.start(), spaces.end()))
    return view.without(dropped)
