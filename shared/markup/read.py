"""A text as its markup means it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from heapq import merge
from typing import NamedTuple

from shared.markup import html, markdown
from shared.markup.edits import Edit
from shared.markup.places import Places


class Markup(StrEnum):
    """What a text is to be read as."""

    AUTO = "auto"  # as HTML, XML or Markdown where it clearly is one of them
    NONE = "none"  # as it stands
    HTML = "html"  # as HTML or XML
    MARKDOWN = "markdown"  # as Markdown, which may hold HTML


class Read(NamedTuple):
    """What markup shows: its ``text``, and the places of that in the source."""

    text: str
    places: Places


def read(text: str, markup: Markup, pause: Callable[[], None] = lambda: None) -> Read | None:
    """The text that ``text`` shows when it is read as ``markup``; None if that is ``text`` itself.

    It is never longer than ``text``. The time that it takes grows as the text does, whatever the text is.

    Args:
        pause: called every few milliseconds.
    """
    places, parts, length, position = Places(), [], 0, 0
    for edit in _edits(text, markup, pause):
        if edit.start < position:  # a mark inside another, such as an asterisk in an attribute
            continue
        if position < edit.start:
            places.add(length, position)
            parts.append(text[position : edit.start])
            length += edit.start - position
        if edit.text:
            places.add(length, edit.start, edit.end - edit.start)
            parts.append(edit.text)
            length += len(edit.text)
        position = edit.end
    if position == 0:
        return None
    if position < len(text):
        places.add(length, position)
        parts.append(text[position:])
    return Read("".join(parts), places)


def _edits(text: str, markup: Markup, pause: Callable[[], None]) -> Iterator[Edit]:
    is_auto = markup is Markup.AUTO
    if markup in (Markup.HTML, Markup.MARKDOWN) or (is_auto and html.is_html(text, pause)):
        found: Iterator[Edit] = html.edits(text, pause)
    else:
        found = iter(())
    if markup is Markup.MARKDOWN or (is_auto and markdown.is_markdown(text)):
        return merge(found, markdown.edits(text, pause))
    return found
