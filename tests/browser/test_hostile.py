"""Texts that want to be more than text: none executes, breaks the layout or shifts a highlight."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import regex
from playwright.sync_api import Browser, Error

from tests.browser.complaints import Complaints
from tests.browser.farm_page import SENTENCE, FarmPage
from tests.browser.hostile_texts import HOSTILE_TEXTS, RUN
from tests.support.farm import Farm

# What there may be in the places that show a user's text, and the attributes that it may have there.
ALLOWED = {
    "#output": {"DIV": {"class", "dir", "style"}, "MARK": {"class", "data-type", "data-label", "data-index"}},
    "#entities": {
        "LI": set[str](),
        "BUTTON": {"class", "type", "title", "data-type", "data-text"},
        "BDI": {"class"},
        "SPAN": {"class"},
    },
    "#history": {"LI": set[str](), "A": {"class", "href", "data-id"}, "BDI": {"class"}, "SPAN": {"class"}},
}
# The one style that the page sets: the size of a block that has not been laid out yet.
BLOCK_STYLE = re.compile(r"contain-intrinsic-size: auto \d+px;")
# What the list of entities leaves out of a name: it is one name with it and without.
READ_OVER = regex.compile(r"(?<=\p{Script=Han})[\s>\p{Default_Ignorable_Code_Point}]+(?=\p{Script=Han})")
SEE_ELEMENTS = """
(place) => [...document.querySelectorAll(`${place} *`)].map((element) => [
  element.tagName,
  Object.fromEntries(element.getAttributeNames().map((name) => [name, element.getAttribute(name)])),
])
"""
# Elements of the page without those that a result brings: none may come or go.
SEE_FRAME = """
() => {
  const shown = "#output, #entities, #history, #legend, #statistics, #gauges, #sparkline, #details, #problem, #which";
  const frame = [...document.querySelectorAll("*")].filter((element) => !element.parentElement?.closest(shown));
  return [document.title, ...frame.map(({ tagName, id }) => `${tagName}#${id}`)];
}
"""
# Where things are from left to right; from top to bottom, a long text may move them.
SEE_LAYOUT = """
() => {
  const boxes = {};
  for (const panel of document.querySelectorAll(".masthead, .panel, #output, .footer")) {
    const { left, width } = panel.getBoundingClientRect();
    boxes[panel.id || panel.className] = [Math.round(left), Math.round(width)];
  }
  const output = document.getElementById("output");
  return {
    boxes,
    page: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    output: output.scrollWidth - output.clientWidth,
  };
}
"""


@dataclass
class Tab:
    """A tab, what it has complained of, and what the page in it looks like with a harmless text."""

    page: FarmPage
    complaints: Complaints
    frame: Any = None
    layout: Any = None

    def begin(self) -> None:
        """Open the page and show a harmless text."""
        self.page.open()
        self.page.run(SENTENCE)
        self.frame = self.page.page.evaluate(SEE_FRAME)
        self.layout = self.page.page.evaluate(SEE_LAYOUT)


@pytest.fixture(scope="module")
def shared_tab(browser: Browser, browser_context_args: dict[str, Any], farm: Farm) -> Iterator[Tab]:
    """One tab for all texts, so that what one leaves behind is seen."""
    context = browser.new_context(**browser_context_args)
    complaints = Complaints(urlsplit(farm.url).netloc)
    complaints.watch(context)
    tab = Tab(FarmPage(context.new_page(), farm.url), complaints)
    tab.begin()
    yield tab
    context.close()


@pytest.fixture
def tab(shared_tab: Tab, request: pytest.FixtureRequest) -> Iterator[Tab]:
    """The tab; what a text has broken is not held against the next one."""
    failed = request.session.testsfailed
    yield shared_tab
    if request.session.testsfailed > failed:
        shared_tab.complaints.forget()
        shared_tab.begin()


def utf16(text: str) -> bytes:
    """Two bytes for each code unit, of a lone surrogate too."""
    return text.encode("utf-16-le", "surrogatepass")


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_a_hostile_text_is_text(tab: Tab, farm: Farm, text: str) -> None:
    page = tab.page
    page.run(text)

    # Nothing is made of it, and it is shown as it is.
    assert page.page.evaluate("() => [typeof window.hacked, frames.length]") == ["undefined", 0]
    assert page.output_text == page.input_text == text
    for place, allowed in ALLOWED.items():
        for tag, attributes in page.page.evaluate(SEE_ELEMENTS, place):
            assert set(attributes) <= allowed[tag], (place, tag, attributes)
            assert BLOCK_STYLE.fullmatch(attributes.get("style", "contain-intrinsic-size: auto 0px;")), attributes
    assert page.page.evaluate(SEE_FRAME) == tab.frame
    assert tab.complaints.unexpected == []
    assert page.page.url.startswith(f"{farm.url}/jobs/")

    # Everything is where it was.
    assert page.page.evaluate(SEE_LAYOUT) == tab.layout

    # What is marked is what was found.
    answer = farm.post("/api/v1/jobs?wait=30", {"text": text, "offsets": "utf16"}).json()
    (result,) = answer["results"]
    marks = page.all_marks
    assert [mark.entity for mark in marks] == [(e["text"], e["type"], e["start"], e["end"]) for e in result["entities"]]
    assert all(utf16(mark.text) == utf16(text)[2 * mark.start : 2 * mark.end] for mark in marks)
    assert any(known in mark.text for mark in marks for known in ("马云", "杭州"))
    listed = page.entities.locator(".entity-text").evaluate_all("(all) => all.map((one) => one.textContent)")
    assert set(listed) == {READ_OVER.sub("", mark.text) for mark in marks}


def test_there_are_forty_at_least() -> None:
    assert len(HOSTILE_TEXTS) >= 40


@pytest.mark.parametrize(
    "mistake",
    [
        "(text) => { document.body.innerHTML = text; }",
        "(text) => { document.body.insertAdjacentHTML('beforeend', text); }",
        "(text) => { document.write(text); }",
        "(text) => { new DOMParser().parseFromString(text, 'text/html'); }",
        "(text) => { document.createElement('iframe').srcdoc = text; }",
        "(text) => { document.createElement('script').textContent = text; }",
        "(text) => { setTimeout(text); }",
    ],
)
def test_a_mistake_in_the_page_would_be_refused(farm_page: FarmPage, complaints: Complaints, mistake: str) -> None:
    complaints.expect("This document requires 'Trusted")
    with pytest.raises(Error, match="requires 'Trusted"):
        farm_page.page.evaluate(mistake, f"<img src=x onerror='{RUN}'>")
    assert farm_page.page.evaluate("() => typeof window.hacked") == "undefined"


@pytest.mark.parametrize(
    ("mistake", "policy"),
    [
        ("() => document.body.setAttribute('style', 'color: red')", "style-src"),
        ("(run) => { document.body.setAttribute('onclick', run); document.body.click(); }", "script-src|Trusted"),
        ("() => { new Image().src = 'http://hostile.example/x.png'; }", "img-src"),
        ("() => { fetch('http://hostile.example/').catch(() => {}); }", "connect-src"),
    ],
)
def test_a_mistake_in_the_page_would_come_to_nothing(
    farm_page: FarmPage, complaints: Complaints, mistake: str, policy: str
) -> None:
    complaints.expect(f"{policy}|hostile.example")
    with farm_page.page.expect_console_message(lambda message: re.search(policy, message.text) is not None):
        farm_page.page.evaluate(
            f"(run) => {{ try {{ ({mistake})(run); }} catch (error) {{ console.error(error); }} }}", RUN
        )
    assert farm_page.page.evaluate("() => typeof window.hacked") == "undefined"
