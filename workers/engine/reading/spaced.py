"""Text that is spaced out, a space behind each character, is read without these spaces.

Output of OCR and headings are written so: 阿 里 巴 巴 集 团, also in one line or phrase of a text.
"""

from __future__ import annotations

import numpy as np
import regex

from workers.engine.reading.view import View

_SPACE = r"[^\S\n\r\v\f\x85\u2028\u2029]"
# What stands alone between spaces in such a text: an ideograph with the marks behind it, a digit, a capital letter.
_SINGLE = r"(?:[\p{Han}0-9A-Z]\p{P}*|\p{P}+)"
# So many ideographs, at least, make it one: 赵 云 may be two columns of a table.
_LEAST = 3
_SPACED = regex.compile(rf"(?<!\S){_SINGLE}(?:{_SPACE}{{1,3}}{_SINGLE})+(?!\S)")
_IDEOGRAPH = regex.compile(r"\p{Han}")
_SPACES = regex.compile(rf"(?<![A-Z]){_SPACE}+|{_SPACE}+(?![A-Z])")


def without_spaces_between_characters(view: View) -> View:
    """The view without the spaces of what is spaced out."""
    dropped: list[int] = []
    for found in _SPACED.finditer(view.text):
        if len(_IDEOGRAPH.findall(found[0])) >= _LEAST:
            for spaces in _SPACES.finditer(view.text, found.start(), found.end()):
                dropped.extend(range(spaces.start(), spaces.end()))
    if not dropped:
        return view
    flags = np.zeros(len(view.text), bool)
    flags[dropped] = True
    return view.without(flags)
