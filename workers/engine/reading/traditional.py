"""The model reads traditional characters as simplified ones, one for one, by OpenCC's characters and phrases."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import regex
from opencc import OpenCC

from workers.engine.reading.view import View

_HAN = regex.compile(r"\p{Han}+")


def in_simplified(view: View) -> View:
    """The view with traditional characters as simplified ones, if it has a character that is only traditional.

    Some characters are both: 乾 is simplified in 乾隆 and traditional in 乾燥. A simplified text keeps them.
    """
    text = _HAN.sub(_simplified, view.text)
    if text == view.text or not any(
        sent != read and _is_only_traditional(sent) for sent, read in zip(view.text, text, strict=True)
    ):
        return view
    return replace(view, text=text)


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


def _simplified(run: regex.Match[str]) -> str:
    text: str = _converter().convert(run[0])
    # A phrase of another length would move what follows.
    return text if len(text) == len(run[0]) else "".join(map(_converter().convert, run[0]))


def _is_only_traditional(character: str) -> bool:
    """Whether the character is missing in GB 2312, which has the characters of simplified text."""
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return True
    return False
