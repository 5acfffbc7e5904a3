"""The page as its user sees it: what can be done with it, and what it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

# The article's sentence, and what is to be found in it: text, type, start, end.
SENTENCE = "阿里巴巴集团创始人马云在杭州出席了由中国人工智能学会主办的技术峰会。"
ENTITIES = [
    ("阿里巴巴集团", "ORG", 0, 6),
    ("马云", "PER", 9, 11),
    ("杭州", "LOC", 12, 14),
    ("中国人工智能学会", "ORG", 18, 26),
]
# Milliseconds for a result of some pieces to be there, on a machine that does other things too.
RESULT_WITHIN = 90_000
# Walks through the text of the output: where each mark begins is what stands before it.
MARKS = """
(output) => {
  const marks = new Map();
  const walker = document.createTreeWalker(output, NodeFilter.SHOW_TEXT);
  for (let place = 0; walker.nextNode(); place += walker.currentNode.data.length) {
    const mark = walker.currentNode.parentElement.closest("mark");
    if (!mark) continue;
    const start = marks.get(mark)?.start ?? place;
    marks.set(mark, { start, end: place + walker.currentNode.data.length });
  }
  return [...output.querySelectorAll("mark")].map((mark) => ({
    text: mark.textContent,
    type: mark.dataset.type,
    start: marks.get(mark)?.start,
    end: marks.get(mark)?.end,
    off: mark.classList.contains("entity-off"),
  }));
}
"""


@dataclass(frozen=True)
class Mark:
    """A highlighted entity; ``start`` and ``end`` count UTF-16 code units of the output's text."""

    text: str
    type: str
    start: int
    end: int
    off: bool

    @property
    def entity(self) -> tuple[str, str, int, int]:
        """Text, type, start and end."""
        return self.text, self.type, self.start, self.end


class FarmPage:
    """The page in one tab of a browser. Locators have the names of the ids of its elements."""

    def __init__(self, page: Page, url: str) -> None:
        """``url`` is the farm's address."""
        self.page = page
        self.url = url
        self.text = page.locator("#text")
        self.run_button = page.locator("#run")
        self.cancel_button = page.locator("#cancel")
        self.status = page.locator("#status")
        self.progress = page.locator("#progress")
        self.problem = page.locator("#problem")
        self.output = page.locator("#output")
        self.marks = page.locator("#output mark.entity")
        self.legend = page.locator("#legend button")
        self.details = page.locator("#details")
        self.entities = page.locator("#entities button.entity-row")
        self.history = page.locator("#history a.history-link")

    def open(self, path: str = "/") -> FarmPage:
        """Go to a path of the farm. Returns once the page's script is up."""
        self.page.goto(self.url + path)
        return self.expect_ready()

    def expect_ready(self) -> FarmPage:
        """Wait until the page's script is up."""
        expect(self.page.locator("html")).to_have_attribute("data-ready", "true")
        return self

    def paste(self, text: str) -> None:
        """Put a text into the input, any text: what a keyboard cannot type, too."""
        self.text.evaluate(
            "(area, text) => { area.value = text; area.dispatchEvent(new Event('input', { bubbles: true })); }", text
        )

    def submit(self, text: str) -> None:
        """Paste a text and press the button."""
        self.paste(text)
        self.run_button.click()

    def run(self, text: str) -> None:
        """Paste a text, press the button, and wait for all of the result."""
        self.submit(text)
        self.expect_result()

    def expect_result(self) -> None:
        """Wait until all of a result is shown."""
        self.expect_state("succeeded")
        expect(self.output).to_have_attribute("data-rendered", "true", timeout=RESULT_WITHIN)

    def expect_state(self, *states: str, within: float = RESULT_WITHIN) -> None:
        """Wait for one of the states of the status line; ``within`` is in milliseconds."""
        expect(self.status).to_have_attribute("data-state", re.compile(f"^({'|'.join(states)})$"), timeout=within)

    def expect_problem(self, *words: str, state: str = "problem") -> None:
        """Wait until the page says what is wrong and what to do. ``words`` are regular expressions found in it."""
        self.expect_state(state)
        expect(self.problem).to_be_visible()
        expect(self.problem.locator("strong")).not_to_be_empty()
        expect(self.problem.locator("p").first).not_to_be_empty()
        for word in words:
            expect(self.problem).to_contain_text(re.compile(word))

    def wait_painted(self) -> None:
        """Wait until what was done last is on the screen."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    @property
    def job_id(self) -> str:
        """The job that the address is of."""
        return self.page.url.removeprefix(f"{self.url}/jobs/")

    @property
    def output_text(self) -> str:
        """All text of the output."""
        return str(self.output.evaluate("(output) => output.textContent"))

    @property
    def input_text(self) -> str:
        """All text of the input."""
        return str(self.text.evaluate("(area) => area.value"))

    @property
    def shown_marks(self) -> list[Mark]:
        """The marks that are not filtered away."""
        return [mark for mark in self.all_marks if not mark.off]

    @property
    def all_marks(self) -> list[Mark]:
        """The marks of the output."""
        return [Mark(**mark) for mark in self.output.evaluate(MARKS)]

    @property
    def legend_counts(self) -> dict[str, int]:
        """What the legend counts, by type."""
        rows = self.legend.evaluate_all(
            "(buttons) => buttons.map((button) => [button.dataset.type,"
            " button.querySelector('.legend-count').textContent])"
        )
        return {kind: int(count.replace(",", "")) for kind, count in rows}

    def statistic(self, name: str) -> Locator:
        """A figure of the statistics."""
        return self.page.locator(f"#statistics [data-name={name}] dd")

    def legend_of(self, kind: str) -> Locator:
        """The legend's switch of a type."""
        return self.page.locator(f"#legend button[data-type={kind}]")

    def row_of(self, text: str) -> Locator:
        """The row of the entity list that has a text."""
        return self.entities.filter(has=self.page.get_by_text(text, exact=True))

    def set_threshold(self, percent: int) -> None:
        """Move the slider."""
        self.page.locator("#threshold").fill(str(percent))

    def style(self, locator: Locator, *properties: str, pseudo: str | None = None) -> dict[str, Any]:
        """Computed style of an element, or of its ``::after`` or ``::before``."""
        found: dict[str, Any] = locator.evaluate(
            "(element, [properties, pseudo]) => { const style = getComputedStyle(element, pseudo);"
            " return Object.fromEntries(properties.map((name) => [name, style.getPropertyValue(name)])); }",
            [list(properties), pseudo],
        )
        return found
