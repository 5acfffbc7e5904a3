"""HTML and XML: tags are breaks or nothing, by what HTML says of the element; character references are characters.

No parser that is kept tells where in the source each character of its text stood, in time that grows as the source
does: html5lib's gives none, markdown-it-py's gives lines, and that of Python 3.11.2 takes quadratic time on unclosed
tags. This one knows tags, comments and references, and no tree.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from html import unescape

import regex

from shared.markup.edits import CELL, LINE, NOTHING, PARAGRAPH, Edit

_PARAGRAPHS = frozenset(
    """
    address article aside blockquote body button caption center dd details dialog dir div dl dt fieldset figcaption
    figure footer form frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe legend li main menu nav noscript
    object ol optgroup option p pre section select summary table tbody textarea tfoot thead title tr ul
    """.split()  # noqa: SIM905 - a list of so many strings is harder to read
)
_CELLS = frozenset(("td", "th"))
_INLINE = frozenset(
    """
    a abbr acronym area audio b base bdi bdo big canvas cite code col colgroup data datalist del dfn em embed font i
    img input ins kbd label link map mark meta meter nobr output param picture progress q ruby s samp small source
    span strike strong sub sup svg template time track tt u var video wbr
    """.split()  # noqa: SIM905
)
# What these hold is not shown, or says how to read what stands before it.
_UNREAD = frozenset(("script", "style", "rp", "rt"))
_KNOWN = _PARAGRAPHS | _CELLS | _INLINE | _UNREAD | {"br"}

_NAME = r"(?P<name>[\p{L}_][\w:.-]*+)"
_ATTRIBUTES = r"(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+"
_TAG = regex.compile(rf"<(?P<closing>/?+){_NAME}(?=[\s/>]){_ATTRIBUTES}>")
# One with a quote that is not closed.
_BROKEN_TAG = regex.compile(rf"<(?P<closing>/?+){_NAME}(?=[\s/>])[^<>]*+>")
# A tag has at most so many characters. Each of the first tags of a text that seem to go on for longer is followed so
# far; the others less, for their number has no bound.
_FAR, _NEAR, _FAR_TAGS = 65_536, 1_024, 64
_DECLARATION = regex.compile(r"<[!?][\p{L}\[][^<>]*+>")
_REFERENCE = regex.compile(
    r"&(?:#[0-9]{1,7}+|#[xX][0-9a-fA-F]{1,6}+|[A-Za-z][A-Za-z0-9]{1,31}+);|&nbsp(?![=A-Za-z0-9])"
)
_CDATA, _CDATA_END = "<![CDATA[", "]]>"
_MARK = regex.compile(r"<(?=[/!?\p{L}_])|&(?=[#A-Za-z])|\]\]>")
# So many marks are looked at at once: it takes some milliseconds.
MARKS_AT_ONCE = 1_000
_CLOSED = regex.compile(rf"</{_NAME}\s*>")

# What only HTML and XML have: a comment, a declaration; a closing tag of an element of HTML, one with an attribute and
# its value, one that stands for a break; an element of XML that is closed.
_DECLARED = ("<!--", "<!doctype html", "<?xml ", "<![cdata[")
_VALUE = r"(?:\"[^\"<]*+\"|'[^'<]*+'|[^\s\"'<>]++)"
_WELL_FORMED = regex.compile(rf"<(?P<closing>/?+){_NAME}(?P<attributes>(?:\s++[\w:.-]++\s*+=\s*+{_VALUE})*+)\s*+/?>")
_ALONE = _PARAGRAPHS | _CELLS | {"br", "img", "wbr"}
_CONTENT_AND_END = regex.compile(rf"[^<>]*+</{_NAME}\s*+>")


def is_html(text: str, pause: Callable[[], None]) -> bool:
    """Whether a text has marks that only HTML and XML have. ``pause`` is called every few milliseconds."""
    if "<" not in text and "&" not in text:
        return False
    for count, mark in enumerate(_MARK.finditer(text), 1):
        if _is_sign(text, mark.start(), mark[0]):
            return True
        if count % MARKS_AT_ONCE == 0:
            pause()
    return False


def _is_sign(text: str, start: int, mark: str) -> bool:
    if mark == "&":
        reference = _REFERENCE.match(text, start)
        return reference is not None and reference[0].endswith(";") and unescape(reference[0]) != reference[0]
    if text[start : start + 20].lower().startswith(_DECLARED):
        return True
    tag = _WELL_FORMED.match(text, start)
    if tag is None:
        return False
    name = tag["name"].lower()
    if name in _KNOWN:
        return bool(tag["closing"] or tag["attributes"]) or name in _ALONE
    end = _CONTENT_AND_END.match(text, tag.end(), tag.end() + _NEAR)
    return end is not None and end["name"] == tag["name"] and not tag["closing"]


def edits(text: str, pause: Callable[[], None]) -> Iterator[Edit]:
    """The marks of a text, in order. What only looks like one, such as ``a<b``, is none.

    Args:
        pause: called every few milliseconds.
    """
    marks, position = _Marks(text), 0
    for count in itertools.count(1):
        mark = _MARK.search(text, position)
        if mark is None:
            return
        edit = marks.edit(mark.start(), mark[0])
        if edit is not None:
            yield edit
        position = mark.end() if edit is None else edit.end
        if count % MARKS_AT_ONCE == 0:
            pause()


class _Marks:
    """The marks of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._far_tags = 0
        self._in_cdata = False
        self._absent: set[str] = set()  # what was looked for and is not in the rest of the text
        self._closed: set[str] | None = None
        self._tag_end = 0  # of the last tag of an element that HTML does not have

    def edit(self, start: int, mark: str) -> Edit | None:
        """What is read in the place of the mark that ``mark`` at ``start`` begins; None if that is none."""
        if mark == "&":
            return self._reference(start)
        if mark == _CDATA_END:
            return Edit(start, start + len(mark), NOTHING) if self._in_cdata else None
        if self._text.startswith("<!--", start):
            return self._up_to("-->", start, start + 4, NOTHING)
        if self._text.startswith(_CDATA, start):
            self._in_cdata = True
            return Edit(start, start + len(_CDATA), NOTHING)
        declaration = _DECLARATION.match(self._text, start)
        return Edit(*declaration.span(), PARAGRAPH) if declaration is not None else self._tag(start)

    def _reference(self, start: int) -> Edit | None:
        found = _REFERENCE.match(self._text, start)
        if found is None or (character := unescape(found[0])) == found[0]:
            return None
        return Edit(*found.span(), character)

    def _tag(self, start: int) -> Edit | None:
        reach = start + (_FAR if self._far_tags < _FAR_TAGS else _NEAR)
        tag = _TAG.match(self._text, start, reach)
        if tag is None:
            tag = _BROKEN_TAG.match(self._text, start)
            self._far_tags += 1
        if tag is None:
            return None
        name = tag["name"].lower()
        if name in _PARAGRAPHS:
            return Edit(*tag.span(), PARAGRAPH)
        if name in _CELLS:
            return Edit(*tag.span(), CELL)
        if name in _INLINE:
            return Edit(*tag.span(), NOTHING)
        if name == "br":
            return Edit(*tag.span(), LINE)
        if name in _UNREAD:
            return self._unread(tag, name)
        return self._foreign(tag)

    def _unread(self, tag: regex.Match[str], name: str) -> Edit:
        """The tag, with what it holds if it is closed."""
        if not tag["closing"]:
            read = PARAGRAPH if name in ("script", "style") else NOTHING
            return self._up_to(f"</{name}>", tag.start(), tag.end(), read) or Edit(*tag.span(), NOTHING)
        return Edit(*tag.span(), NOTHING)

    def _foreign(self, tag: regex.Match[str]) -> Edit | None:
        """The tag of an element of XML: beside another one it is the edge of a field, inside a sentence nothing."""
        if self._closed is None:
            self._closed = {found["name"] for found in _CLOSED.finditer(self._text)}
        if tag["name"] not in self._closed and not tag[0].endswith("/>"):
            return None
        is_field = not self._text[self._tag_end : tag.start()].strip() if self._tag_end else tag.start() == 0
        self._tag_end = tag.end()
        return Edit(*tag.span(), CELL if is_field else NOTHING)

    def _up_to(self, last: str, start: int, position: int, read: str) -> Edit | None:
        """What begins at ``start`` and ends with ``last``, which is looked for from ``position`` on."""
        if last in self._absent:
            return None
        found = regex.compile(regex.escape(last), regex.IGNORECASE).search(self._text, position)
        if found is None:
            self._absent.add(last)
            return None
        return Edit(start, found.end(), read)
