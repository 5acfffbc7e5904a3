"""Forms in which people paste a sentence: wrapped, spaced out, in a table, with markup, in other characters.

Each form keeps the entities, with their places in its text. ``training.evaluate`` measures the models on all of them,
and :mod:`training.views` shows some of them in training.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import zip_longest
from types import MappingProxyType

from opencc import OpenCC

from training.corpus import Sentence, Span, join

# What stands around a name in a form: before it, and behind it.
Marks = tuple[str, str]

SPACES: Marks = (" ", " ")
HTML_BOLD: Marks = ("<b>", "</b>")
HTML_LINK: Marks = ('<a href="https://example.com/names?id=7&amp;page=1">', "</a>")
MARKDOWN_BOLD: Marks = ("**", "**")
MARKDOWN_LINK: Marks = ("[", "](https://example.com/names)")
# Characters of a line, sentences whose names a table has, and names of a column or row.
WIDTH = 20
SENTENCES_OF_TABLE = 8
NAMES_OF_COLUMN = 8

_NOTHING: Mapping[int, str] = MappingProxyType({})
_HEADS = {"LOC": "地点", "ORG": "单位", "PER": "姓名"}
# What stands before a name in a form that somebody filled in, by the name's type.
_LABELS: Mapping[str, Sequence[str]] = {
    "COMPANY": ("甲方", "乙方", "公司名称", "供应商", "买方", "卖方", "开户行", "工作单位"),
    "GOV": ("主管部门", "发文机关", "受理机关", "工作单位"),
    "LOC": ("地点", "籍贯", "所在地", "发货地", "目的地", "户籍", "产地"),
    "ORG": (
        "甲方",
        "乙方",
        "丙方",
        "单位",
        "工作单位",
        "委托方",
        "承办单位",
        "主办方",
        "申请人",
        "买方",
        "卖方",
        "毕业院校",
    ),
    "PER": ("姓名", "联系人", "负责人", "法定代表人", "申请人", "被申请人", "经办人", "收件人", "作者", "甲方", "乙方"),
    "TIME": ("日期", "时间", "签订日期"),
    "TITLE": ("职务", "职位", "职称"),
    "WORK": ("作品", "书名", "片名"),
}
_LABEL = ("名称",)
_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_RADICALS = {unicodedata.normalize("NFKC", chr(point)): chr(point) for point in range(0x2F00, 0x2FD6)}
_FULL_WIDTH = {chr(point): chr(point + 0xFEE0) for point in range(0x21, 0x7F) if chr(point).isalnum()}


def with_added(sentence: Sentence, added: Mapping[int, str]) -> Sentence:
    """The sentence with more text at some places: what is added at the edge of a name is outside of it."""
    return _written(sentence, sentence.text, added)


def around_names(sentence: Sentence, marks: Marks) -> Sentence:
    """The sentence with marks around each name."""
    before: dict[int, str] = {}
    for start, end, _ in sentence.spans:
        before[start] = before.get(start, "") + marks[0]
        before[end] = marks[1]
    return with_added(sentence, before)


def behind_characters(sentence: Sentence, added: str) -> Sentence:
    """The sentence with ``added`` behind each character."""
    return with_added(sentence, dict.fromkeys(range(1, len(sentence.text) + 1), added))


def wrapped(sentence: Sentence, line_end: str, width: int = WIDTH) -> Sentence:
    """The sentence in lines of so many characters."""
    return with_added(sentence, dict.fromkeys(range(width, len(sentence.text), width), line_end))


def in_characters(sentence: Sentence, table: Mapping[str, str]) -> Sentence:
    """The sentence with the characters that ``table`` has written as it says."""
    return _written(sentence, [table.get(character, character) for character in sentence.text])


def traditional(sentence: Sentence) -> Sentence:
    """The sentence in traditional characters, one for one."""
    text: str = _to_traditional().convert(sentence.text)
    if len(text) != len(sentence.text):
        text = "".join(map(_to_traditional().convert, sentence.text))
    return sentence._replace(text=text)


def kangxi_radicals(sentence: Sentence) -> Sentence:
    """The sentence with Kangxi radicals in the place of the ideographs that look the same, as PDF files have them."""
    return in_characters(sentence, _RADICALS)


def full_width(sentence: Sentence) -> Sentence:
    """The sentence with ASCII's letters and digits in their full-width forms."""
    return in_characters(sentence, _FULL_WIDTH)


def html(sentence: Sentence, marks: Marks) -> Sentence:
    """The sentence in HTML, with tags around each name."""
    return around_names(in_characters(sentence, _REFERENCES), marks)


def html_paragraph(sentence: Sentence) -> Sentence:
    """The sentence as a paragraph of HTML."""
    escaped = in_characters(sentence, _REFERENCES)
    return with_added(escaped, {0: "<p>", len(escaped.text): "</p>"})


def tab_separated(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The names of the sentences in the rows of TSV tables, with a column for each type."""
    return [join(_cells(table, ("", "\t", "\n"))) for table in _groups(sentences, SENTENCES_OF_TABLE)]


def comma_separated(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The names of the sentences in the rows of CSV tables, with a column for each type."""
    return [join(_cells(table, ("", ",", "\n"))) for table in _groups(sentences, SENTENCES_OF_TABLE)]


def markdown_table(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The names of the sentences in the rows of Markdown tables, with a column for each type."""
    tables = []
    for table in _groups(sentences, SENTENCES_OF_TABLE):
        head, *rows = _cells(table, ("| ", " | ", " |\n"))
        tables.append(join([head, Sentence("|" + " --- |" * len(_types(table)) + "\n", ()), *rows]))
    return tables


def rows(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The names of the sentences in rows, with a space between two, each of names of one type."""
    return [_joined(group, " ") for group in _groups_of_names(sentences)]


def columns(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The names of the sentences in columns, each of names of one type."""
    return [_joined(group, "\n") for group in _groups_of_names(sentences)]


def labelled(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The names of the sentences in the lines of forms, each behind a label and a colon."""
    filled_in = []
    for group in _groups(sentences, SENTENCES_OF_TABLE):
        lines = []
        for index, (name, (span,)) in enumerate(name for kind in _types(group) for name in _names(group, kind)):
            labels = _LABELS.get(span.type, _LABEL)
            lines.append(join([Sentence(f"{labels[index % len(labels)]}：", ()), Sentence(f"{name}\n", (span,))]))
        filled_in.append(join(lines))
    return filled_in


def _each(form: Callable[[Sentence], Sentence]) -> Callable[[Sequence[Sentence]], list[Sentence]]:
    return lambda sentences: list(map(form, sentences))


Form = Callable[[Sequence[Sentence]], list[Sentence]]
"""Takes sentences to texts in a form."""

FORMS: Mapping[str, Form] = {
    "each name between spaces": _each(partial(around_names, marks=SPACES)),
    "a space behind each character": _each(partial(behind_characters, added=" ")),
    "a zero-width space behind each character": _each(partial(behind_characters, added="\u200b")),
    "traditional characters": _each(traditional),
    f"lines of {WIDTH} characters": _each(partial(wrapped, line_end="\n")),
    "the same with CRLF": _each(partial(wrapped, line_end="\r\n")),
    "the same, indented": _each(partial(wrapped, line_end="\n    ")),
    "TSV: names only": tab_separated,
    "CSV: names only": comma_separated,
    "Markdown table: names only": markdown_table,
    "columns: names only": columns,
    "rows, with spaces: names only": rows,
    "behind labels: names only": labelled,
    "HTML: each name bold": _each(partial(html, marks=HTML_BOLD)),
    "HTML: each name a link": _each(partial(html, marks=HTML_LINK)),
    "HTML: a paragraph": _each(html_paragraph),
    "Markdown: each name bold": _each(partial(around_names, marks=MARKDOWN_BOLD)),
    "Markdown: each name a link": _each(partial(around_names, marks=MARKDOWN_LINK)),
    "Kangxi radicals": _each(kangxi_radicals),
    "full-width letters and digits": _each(full_width),
}


def _written(sentence: Sentence, characters: Sequence[str], before: Mapping[int, str] = _NOTHING) -> Sentence:
    """The sentence with its characters written so, and with more ``before`` those at these indexes.

    What is added at the edge of a span is outside of it.
    """
    text = ""
    starts, ends = [], []
    for index in range(len(characters) + 1):
        ends.append(len(text))
        text += before.get(index, "")
        starts.append(len(text))
        text += characters[index] if index < len(characters) else ""
    return Sentence(text, tuple(Span(starts[start], ends[end], kind) for start, end, kind in sentence.spans))


def _cells(sentences: Sequence[Sentence], marks: tuple[str, str, str]) -> list[Sentence]:
    """The rows of a table: the head, then a name of each type a row. ``marks`` stand before, between, behind cells."""
    kinds = _types(sentences)
    head = [Sentence(_HEADS.get(kind, kind), ()) for kind in kinds]
    rows = zip_longest(*(_names(sentences, kind) for kind in kinds), fillvalue=Sentence("", ()))
    before, between, behind = (Sentence(mark, ()) for mark in marks)
    found = []
    for row in (head, *rows):
        parts = [before]
        for cell in row:
            parts += [cell, between]
        found.append(join([*parts[:-1], behind]))
    return found


def _names(sentences: Sequence[Sentence], kind: str) -> list[Sentence]:
    return [
        Sentence(text[start:end], (Span(0, end - start, kind),))
        for text, spans in sentences
        for start, end, of_span in spans
        if of_span == kind
    ]


def _groups_of_names(sentences: Sequence[Sentence]) -> Iterator[Sequence[Sentence]]:
    for kind in _types(sentences):
        yield from _groups(_names(sentences, kind), NAMES_OF_COLUMN)


def _joined(names: Sequence[Sentence], separator: str) -> Sentence:
    return join([name._replace(text=f"{name.text}{separator}") for name in names])


def _types(sentences: Sequence[Sentence]) -> list[str]:
    return sorted({kind for _, spans in sentences for _, _, kind in spans})


def _groups(sentences: Sequence[Sentence], size: int) -> Iterator[Sequence[Sentence]]:
    """Groups of so many sentences, without those in which there is no name."""
    for start in range(0, len(sentences), size):
        group = sentences[start : start + size]
        if _types(group):
            yield group


@cache
def _to_traditional() -> OpenCC:
    return OpenCC("s2t")
