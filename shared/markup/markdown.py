"""Markdown: the marks of headings, quotations, links, emphasis and code are not read.

The forms are those of CommonMark 0.31, of GitHub's tables and strikethrough, and of wikis' links. Expressions tell them
line by line: no parser that is kept tells where in the source each character of its text stood. Lists and tables are
left to the reading of lines, which knows their items and cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import regex

from shared.markup.edits import NOTHING, PARAGRAPH, Edit

# So many characters are looked through at once: it takes some milliseconds.
CHARS_AT_ONCE = 10_000

_URL = r"(?:[^()\s<>]|\([^()\s<>]{0,500}\)){0,2000}+"
_TITLE = r"(?:[ \t]++(?:\"[^\"\n]{0,500}\"|'[^'\n]{0,500}'))?"
# The text of a link may be an image.
_LINK = regex.compile(
    rf"!?\[(?P<text>[^\[\]\n]{{0,1000}}+|!\[[^\[\]\n]{{0,1000}}+\]\([^()\n]{{0,2000}}+\))\]\(<?{_URL}>?{_TITLE}[ \t]?\)"
)
_REFERRING = regex.compile(r"!?\[(?P<text>[^\[\]\n]{1,1000}+)\]\[(?P<name>[^\[\]\n]{0,200}+)\]")
# [[马云|他]] shows 他.
_WIKI = regex.compile(r"\[\[(?:[^\[\]|\n]{1,200}+\|)?(?P<text>[^\[\]|\n]{1,200}+)\]\]")
_DEFINITION = regex.compile(r"^[ ]{0,3}\[(?P<name>[^\[\]\n]{1,200}+)\]:[ \t]*+\S[^\n]*+$", regex.MULTILINE)
_HEADING = regex.compile(r"^[ ]{0,3}(?P<opening>#{1,6}[ \t]++)[^\n]*+(?P<closing>\n|\Z)", regex.MULTILINE)
_QUOTATION = regex.compile(r"^[ ]{0,3}(?:>[ ]?)++", regex.MULTILINE)
_RULE = regex.compile(
    r"^[ ]{0,3}(?:(?:-[ \t]*+){3,}+|(?:\*[ \t]*+){3,}+|(?:_[ \t]*+){3,}+|={3,}+[ \t]*+)$", regex.MULTILINE
)
_FENCE = regex.compile(r"^[ ]{0,3}(?:`{3,}+|~{3,}+)[^\n`]*+$", regex.MULTILINE)
_CODE = regex.compile(r"(?<![`\\])(?P<mark>`{1,2}+)[^`\n]{1,1000}+(?P=mark)(?!`)")
# CommonMark would not open emphasis behind a word and before a bracket (在**《三体》**), which Chinese writers mean. A
# single asterisk inside a word stands for a character of a name (李*明).
_EMPHASIS = regex.compile(
    r"(?<![*\\])(?P<mark>\*{2,3}+)(?![\s*，。、；：！？）》」』】”’,.;:!?)])[^*\n]{1,500}+(?<!\s)(?P=mark)(?!\*)"
    r"|(?<![~\\])(?P<mark>~~)(?![\s~])[^~\n]{1,500}+(?<!\s)~~(?!~)"
    r"|(?<![\w\\])(?P<mark>_{1,3}+)(?![\s_])[^_\n]{1,500}+(?<!\s)(?P=mark)(?!\w)"
    r"|(?<![\w*\\])(?P<mark>\*)(?![\s*])[^*\n]{1,500}+(?<!\s)\*(?!\*)"
    r"|(?<![*\\])(?P<mark>\*)(?![\s*])[^*\n]{1,500}+(?<!\s)\*(?![\w*])"
)
_ESCAPE = regex.compile(r"\\(?=[\\`*_{}\[\]()#+.!|~>-])")

# Two asterisks behind a surname hide the rest of the name (张**). These are China's most frequent surnames, without
# those that are often prepositions.
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭"
    "陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔汤某"
)
# What is seldom anything but Markdown: a link with an address, strong emphasis, a heading, a fence around code, the
# address of a link, a wiki's link.
_SIGN = regex.compile(
    r"!?\[[^\[\]\n]{0,1000}+\]\(<?(?:[a-z][a-z0-9+.-]{1,20}:|/|#|\.{1,2}/|www\.|[\w./-]{1,200}\.[a-z]{2,5}\b)"
    rf"{_URL}>?{_TITLE}[ \t]?\)"
    rf"|(?<![*\\{_SURNAMES}])(?P<mark>\*{{2,3}}+)[^\s*\p{{P}}][^*\n]{{0,200}}+(?<!\s)(?P=mark)(?!\*)"
    rf"|{_WIKI.pattern}"
    r"|^[ ]{0,3}#{1,6}[ ]\S"
    r"|^[ ]{0,3}```[^\n`]*+$"
    r"|^[ ]{0,3}\[[^\[\]\n]{1,200}+\]:[ \t]*+(?:https?:|/)",
    regex.MULTILINE,
)


def is_markdown(text: str) -> bool:
    """Whether a text has marks that are seldom anything but Markdown."""
    return any(mark in text for mark in ("](", "**", "# ", "```", "]:", "[[")) and _SIGN.search(text) is not None


def edits(text: str, pause: Callable[[], None]) -> Iterator[Edit]:
    """The marks of a text, in order of their beginnings. ``pause`` is called every few milliseconds."""
    names: set[str] = set()
    if "]:" in text:
        names = {found["name"].casefold() for found in _DEFINITION.finditer(text)}
    start = 0
    while start < len(text):
        # No mark goes on in the next line.
        end = text.find("\n", start + CHARS_AT_ONCE, start + 2 * CHARS_AT_ONCE) + 1
        end = end or min(start + 2 * CHARS_AT_ONCE, len(text))
        yield from sorted(_found(text, start, end, names))
        pause()
        start = end


def _found(text: str, start: int, end: int, names: set[str]) -> Iterator[Edit]:
    for link in _LINK.finditer(text, start, end, overlapped=True):
        yield from _around(link, "text")
    for link in _WIKI.finditer(text, start, end):
        yield from _around(link, "text")
    if names:
        yield from _referred(text, start, end, names)
    for heading in _HEADING.finditer(text, start, end):
        yield Edit(*heading.span("opening"), NOTHING)
        if heading["closing"]:
            yield Edit(*heading.span("closing"), PARAGRAPH)
    for unread in (_QUOTATION, _RULE, _FENCE, _ESCAPE):
        for found in unread.finditer(text, start, end):
            yield Edit(*found.span(), NOTHING)
    for paired in (_CODE, _EMPHASIS):
        for found in paired.finditer(text, start, end):
            size = len(found["mark"])
            yield Edit(found.start("mark"), found.start("mark") + size, NOTHING)
            yield Edit(found.end() - size, found.end(), NOTHING)


def _referred(text: str, start: int, end: int, names: set[str]) -> Iterator[Edit]:
    """Links whose addresses stand elsewhere in the text, and these addresses. They are found by their ``names``."""
    for found in _DEFINITION.finditer(text, start, end):
        yield Edit(*found.span(), NOTHING)
    for found in _REFERRING.finditer(text, start, end):
        if (found["name"] or found["text"]).casefold() in names:
            yield from _around(found, "text")


def _around(found: regex.Match[str], group: str) -> Iterator[Edit]:
    """What a match has before and behind the group."""
    if found.start() < found.start(group):
        yield Edit(found.start(), found.start(group), NOTHING)
    yield Edit(found.end(group), found.end(), NOTHING)
