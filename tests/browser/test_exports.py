"""What is copied and downloaded: JSON, CSV, and a page of its own."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route

from tests.browser.complaints import Complaints
from tests.browser.hostile_texts import HOSTILE_TEXTS, KNOWN
from tests.browser.modules import as_javascript_has_it, call, page_of, texts_of
from tests.support.farm import Farm
from web.schemas import FoundEntity, Money

TYPES = ["PER", "LOC", "ORG", "COMPANY", "GOV", "SCENE", "TIME", "MONEY", "TITLE", "PRODUCT", "WORK", "GAME", "其他"]
LABELS = {"PER": "PER 人名", "LOC": 'LOC <b>"地名"</b>'}
# What the page's input never has, but a job's text may have, comes on top.
HOSTILE = {**HOSTILE_TEXTS, "carriage returns": f"\r{KNOWN}\r\n\r\r\n{KNOWN}\n\r"}
# Signs that begin a formula, and what a spreadsheet may drop before it looks.
FORMULA_SIGNS = tuple("=+-@＝＋－＠")
INVISIBLE = re.compile(r"[\s\x00-\x1f\x7f-\xa0\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*")
CELLS = texts_of("=+-@＝\t\r\n,;\"' 马a1\u200b\0\ud83d\ude00", st.characters(exclude_categories=()))


@pytest.fixture(scope="module")
def maker(browser: Browser, farm: Farm) -> Iterator[Page]:
    """A page on which every module can be had."""
    with page_of(browser, farm.url) as page:
        yield page


@pytest.fixture(scope="module")
def viewer(browser: Browser, farm: Farm) -> Iterator[Page]:
    """A page to look at exported pages with."""
    with page_of(browser, farm.url) as page:
        yield page


@pytest.fixture
def page(page: Page, farm: Farm) -> Page:
    """The page, for a test that does something with it."""
    page.goto(farm.url)
    return page


def run_of(text: str, *found: tuple[str, str]) -> dict[str, Any]:
    """A run in which parts of the text, in order, are entities of a type."""
    entities = []
    place = 0
    for number, (part, kind) in enumerate(found):
        start = text.index(part, place)
        place = start + len(part)
        entities.append(
            {
                "text": part,
                "type": kind,
                "start": units(text[:start]),
                "end": units(text[:place]),
                "score": 1 - number / 8,
                "source": "rule" if kind == "MONEY" else "model",
                **({"value": "3.5", "currency": "CNY"} if kind == "MONEY" else {}),
            }
        )
    return {
        "text": text,
        "entities": entities,
        "model": "raner-mini-news@local-1",
        "counts": dict(Counter(kind for _, kind in found)),
    }


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


RUN = run_of(
    "😀马云在杭州花了-3.5元，\n见“=1+1”公司。", ("马云", "PER"), ("杭州", "LOC"), ("-3.5元", "MONEY"), ("=1+1", "ORG")
)


def exported(page: Page, name: str, *given: object) -> str:
    answer: str = call(page, "export", name, *given)
    return answer


def rows_of(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    assert text == "\ufeff" or text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))


def test_csv_comes_back_and_has_no_formula(maker: Page) -> None:
    @settings(max_examples=80, deadline=None)
    @given(st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=4))
    @example([["=1+1", "+1", "-1", "@a"], ["\t=1", "\r1", "\n1", " =1"], ["\u200b=1", "＝1", "'=1", '"=1']])
    @example([['=HYPERLINK("http://a","b")', "=cmd|' /C calc'!A0", "a;=1", "a\t=1", "a\n=1", "a\r\n=1"]])
    def comes_back(rows: list[list[str]]) -> None:
        got = rows_of(call(maker, "csv", "toCsv", rows))
        assert [len(row) for row in got] == [len(row) for row in rows]
        for cell, text in zip((c for row in got for c in row), (t for row in rows for t in row), strict=True):
            clean = as_javascript_has_it(text).replace("\0", "\ufffd")
            assert cell in (clean, f"'{clean}")
            begins_like_a_formula = INVISIBLE.sub("", clean, count=1).startswith(FORMULA_SIGNS)
            assert cell.startswith("'") or not (begins_like_a_formula or clean.startswith(("\t", "\r", "\n")))

    comes_back()


@pytest.mark.parametrize("text", ["马云", "1=1", "a-b", "2024-01-05", "'马云", '"', "，=", "", "🚀+"])
def test_csv_leaves_harmless_texts_alone(maker: Page, text: str) -> None:
    assert rows_of(call(maker, "csv", "toCsv", [[text, text]])) == [[text, text]]


def test_csv_numbers_stay_numbers(maker: Page) -> None:
    text = call(maker, "csv", "toCsv", [[-1, 0, 0.9987, "-1"], [1e-7, 300_000, "0", ""]])
    assert text == '\ufeff-1,0,0.9987,"\'-1"\r\n1e-7,300000,"0",""\r\n'
    numbers = csv.reader(io.StringIO(text.removeprefix("\ufeff").replace("'", "")), quoting=csv.QUOTE_NONNUMERIC)
    assert [type(cell) for row in numbers for cell in row] == [float, float, float, str, float, float, str, str]


def test_a_run_as_csv(maker: Page) -> None:
    header, *rows = rows_of(exported(maker, "asCsv", RUN))
    assert header == ["text", "type", "start", "end", "score", "source", "value", "low", "high", "currency"]
    assert rows == [
        ["马云", "PER", "2", "4", "1", "model", "", "", "", ""],
        ["杭州", "LOC", "5", "7", "0.875", "model", "", "", "", ""],
        ["'-3.5元", "MONEY", "9", "14", "0.75", "rule", "3.5", "", "", "CNY"],
        ["'=1+1", "ORG", "18", "22", "0.625", "model", "", "", "", ""],
    ]
    assert rows_of(exported(maker, "asCsv", run_of("嗯"))) == [header]


def run_of_hostile(text: str) -> dict[str, Any]:
    """A run of a hostile text, which is also what its entities' type is called."""
    return run_of(text, ("马云" if "马云" in text else "杭州", text))


@pytest.mark.parametrize("what", HOSTILE)
def test_a_run_as_json(maker: Page, what: str) -> None:
    run = run_of_hostile(HOSTILE[what])
    got = json.loads(exported(maker, "asJson", run))
    assert got == {**run, "offsets": "utf16"}
    [entity] = got["entities"]
    assert set(entity) == set(FoundEntity.model_fields) - set(Money.model_fields)
    encoded = got["text"].encode("utf-16-le", "surrogatepass")
    assert encoded[2 * entity["start"] : 2 * entity["end"]].decode("utf-16-le") == entity["text"]


def test_a_text_that_could_not_be_read_is_exported_with_the_reason(maker: Page) -> None:
    reason = "text 1: it ended <4> worker processes"
    run = {**run_of("马云"), "error": reason}
    assert json.loads(exported(maker, "asJson", run))["error"] == reason
    assert '<p class="error">text 1: it ended &lt;4&gt; worker processes</p>' in exported(maker, "asHtml", run, {})
    assert len(rows_of(exported(maker, "asCsv", run))) == 1


class Exported(HTMLParser):
    """An exported page: its elements, its text, and what is marked in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.legend: list[str] = []
        self.marks: list[tuple[str, int, int]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag == "mark" and "div" in self._open:
            self.marks.append((attributes["data-label"] or "", units(self.text), -1))
        elif tag == "li":
            self.legend.append("")
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "mark" and "div" in self._open:
            label, start, _ = self.marks.pop()
            self.marks.append((label, start, units(self.text)))

    def handle_data(self, data: str) -> None:
        if "div" in self._open:
            self.text += data
        elif "li" in self._open:
            self.legend[-1] += data


def test_a_run_as_a_page(maker: Page) -> None:
    got = Exported(exported(maker, "asHtml", RUN, LABELS))
    assert got.text == RUN["text"]
    assert got.marks == [(entity["type"], entity["start"], entity["end"]) for entity in RUN["entities"]]
    assert got.legend == ["PER 人名 1", 'LOC <b>"地名"</b> 1', "ORG 1", "MONEY 1"]
    tags = [tag for tag, _ in got.elements]
    assert set(tags) == {"html", "head", "meta", "title", "style", "body", "h1", "p", "ul", "li", "mark", "div"}
    # What is said of a page's contents counts from there on.
    policy = tags.index("meta") + 1
    assert got.elements[policy][1] == {
        "http-equiv": "Content-Security-Policy",
        "content": "default-src 'none'; style-src 'unsafe-inline'",
    }
    assert policy < tags.index("style")


def show(viewer: Page, farm: Farm, html: str, media: Literal["screen", "print"] = "screen") -> None:
    """Open an exported page in the browser, from the bytes that would be in its file."""
    address = f"{farm.url}/exported.html"
    body = html.encode()
    viewer.emulate_media(media=media)
    viewer.unroute_all()
    viewer.route(address, lambda route: route.fulfill(body=body, content_type="text/html"))
    viewer.goto(address)


SEE_EXPORTED = """
() => JSON.stringify({
  text: document.querySelector(".text").textContent,
  marks: [...document.querySelectorAll(".text mark")].map((mark) => [mark.textContent, mark.dataset.label, mark.title]),
  model: document.querySelector(".model").textContent,
  legend: document.querySelector(".legend").textContent,
  elements: [...document.querySelectorAll("*")].map(({ localName }) => localName),
  attributes: [...document.querySelectorAll("body, body *")].flatMap((element) => element.getAttributeNames()),
})
"""


# Of an exported page with one entity.
ELEMENTS = "html head meta meta meta title style body h1 p ul li mark div mark".split()  # noqa: SIM905


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_text_is_text_on_the_exported_page(maker: Page, viewer: Page, farm: Farm, what: str) -> None:
    text = HOSTILE[what]
    run = run_of_hostile(text)
    show(viewer, farm, exported(maker, "asHtml", {**run, "model": text}, {text: text}))
    got = json.loads(viewer.evaluate(SEE_EXPORTED))
    clean = as_javascript_has_it(text).replace("\0", "\ufffd")
    assert got["text"] == got["model"] == clean
    assert got["marks"] == [[run["entities"][0]["text"], clean, f"{clean} · 100.0%"]]
    assert got["legend"] == f"{clean} 1"
    assert got["elements"] == ELEMENTS
    assert set(got["attributes"]) == {"class", "data-label", "title"}
    assert viewer.evaluate("() => window.hacked") is None


MARK_STYLES = """
() => [...document.querySelectorAll(".text mark")].map((mark) => {
  const [own, label] = [getComputedStyle(mark), getComputedStyle(mark, "::after")];
  return {
    underline: [own.textDecorationLine, own.textDecorationStyle, own.textDecorationThickness].join(" "),
    colour: own.textDecorationColor, paper: own.backgroundColor, ink: own.color,
    label: label.content, labelInk: label.color, adjust: own.printColorAdjust,
  };
})
"""


@pytest.mark.parametrize("media", ["screen", "print"])
def test_types_differ_by_colour_label_and_underline(
    maker: Page, viewer: Page, farm: Farm, media: Literal["screen", "print"]
) -> None:
    run = run_of("".join(TYPES), *((kind, kind) for kind in TYPES))
    show(viewer, farm, exported(maker, "asHtml", run, {}), media)
    styles = viewer.evaluate(MARK_STYLES)
    assert [json.loads(style["label"]) for style in styles] == TYPES
    for name in ("underline", "colour", "paper"):
        assert len({style[name] for style in styles}) == len(TYPES), name
    assert all("underline" in style["underline"] and style["adjust"] == "exact" for style in styles)
    for style in styles:
        assert contrast(style["ink"], style["paper"]) >= 7
        assert contrast(style["labelInk"], style["paper"]) >= 4.5
        assert contrast(style["labelInk"], "rgb(255, 255, 255)") >= 4.5


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2 defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)]
    assert len(channels) == 3
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_exported_page_keeps_line_breaks_and_wraps(maker: Page, viewer: Page, farm: Farm) -> None:
    show(viewer, farm, exported(maker, "asHtml", run_of("一\n二\n\n三" + "很" * 2_000 + "w" * 2_000), {}))
    lines, wide = viewer.evaluate(
        """() => {
            const text = document.querySelector(".text");
            const range = new Range();
            const top = (place) => {
              range.setStart(text.firstChild, place);
              range.setEnd(text.firstChild, place + 1);
              return range.getBoundingClientRect().top;
            };
            return [[top(0), top(2), top(5)], document.documentElement.scrollWidth > window.innerWidth];
        }"""
    )
    height = lines[1] - lines[0]
    assert height > 0
    assert lines[2] - lines[1] == pytest.approx(2 * height, abs=1)
    assert not wide


COPY = "async (text) => (await import('/assets/js/export.js')).copy(text)"
COPIED = f"\ufeff{RUN['text']}\n“二”"


def pasted(page: Page) -> str:
    """What comes out of the clipboard."""
    page.locator("#text").fill("")
    page.locator("#text").press("Control+V")
    text: str = page.locator("#text").input_value()
    return text


def test_copying(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("() => { document.execCommand = () => false; }")
    page.evaluate(COPY, COPIED)
    assert page.evaluate("() => navigator.clipboard.readText()") == COPIED.removeprefix("\ufeff")
    assert pasted(page) == COPIED.removeprefix("\ufeff")


def test_copying_where_the_clipboard_is_refused(page: Page) -> None:
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    page.locator("#run").focus()
    before = page.locator("body *").count()
    page.evaluate(COPY, COPIED)
    assert page.locator("body *").count() == before
    assert page.evaluate("() => document.activeElement.id") == "run"
    assert pasted(page) == COPIED.removeprefix("\ufeff")


def test_copying_on_a_page_over_plain_http(page: Page, farm: Farm, complaints: Complaints) -> None:
    complaints.expect("http://farm.example")

    def from_the_farm(route: Route) -> None:
        address = urlsplit(route.request.url)._replace(netloc=urlsplit(farm.url).netloc)
        route.fulfill(response=route.fetch(url=address.geturl()))

    page.route("http://farm.example/**", from_the_farm)
    page.goto("http://farm.example/")
    assert page.evaluate("() => [isSecureContext, navigator.clipboard === undefined]") == [False, True]
    page.evaluate(COPY, COPIED)
    assert pasted(page) == COPIED.removeprefix("\ufeff")


def test_copying_that_does_not_work_says_so(page: Page) -> None:
    page.evaluate(
        """() => {
            navigator.clipboard.writeText = () => Promise.reject(new Error("refused"));
            document.execCommand = () => false;
        }"""
    )
    before = page.locator("body > *").count()
    with pytest.raises(Error, match="does not let the page copy"):
        page.evaluate(COPY, COPIED)
    assert page.locator("body > *").count() == before


SAVE = """
async (sent) => {
  const [name, mime, make, run] = JSON.parse(sent);
  const module = await import("/assets/js/export.js");
  const create = URL.createObjectURL;
  URL.createObjectURL = (blob) => (window.saved = create(blob));
  module.save(name, mime, module[make](run, {}));
}
"""


def saved(page: Page, name: str, mime: str, make: str, run: dict[str, Any]) -> bytes:
    with page.expect_download() as downloading:
        page.evaluate(SAVE, json.dumps([name, mime, make, run]))
    download = downloading.value
    assert download.suggested_filename == name
    return Path(download.path()).read_bytes()


ODD = {name: HOSTILE[name] for name in ("null bytes", "surrogates the wrong way round", "formula", "carriage returns")}


@pytest.mark.parametrize("what", ODD)
def test_saved_files_have_the_text(page: Page, what: str) -> None:
    text = ODD[what]
    run = run_of(f"{text}|马云", (text, "PER"), ("马云", "PER"))
    clean = as_javascript_has_it(text).replace("\0", "\ufffd")
    assert json.loads(saved(page, "a.json", "application/json", "asJson", run).decode()) == {**run, "offsets": "utf16"}
    table = saved(page, "a.csv", "text/csv", "asCsv", run)
    assert table.startswith(b"\xef\xbb\xbf")
    assert rows_of(table.decode())[1][0] in (clean, f"'{clean}")
    assert Exported(saved(page, "结果.html", "text/html", "asHtml", run).decode()).text == f"{clean}|马云"


def test_a_saved_file_is_let_go_of(page: Page, farm: Farm) -> None:
    page.clock.install()
    page.goto(farm.url)
    page.evaluate(
        """() => {
            window.revoked = [];
            const revoke = URL.revokeObjectURL;
            URL.revokeObjectURL = (address) => { window.revoked.push(address); revoke(address); };
        }"""
    )
    saved(page, "a.json", "application/json", "asJson", RUN)
    page.clock.fast_forward(5_000)
    assert page.evaluate("() => window.revoked") == []
    page.clock.fast_forward(15_000)
    assert page.evaluate("() => window.revoked.length === 1 && window.revoked[0] === window.saved")
