"""A whole run without a mouse: everything can be reached, and it is always seen what has the focus."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.farm_page import ENTITIES, SENTENCE, FarmPage

# More than the page has.
MOST_STOPS = 80
# What has the focus; whether that is seen; whether it is there to be seen.
SEE_FOCUS = """
() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const x = box.left + Math.min(box.width / 2, 10);
  const top = document.elementFromPoint(x, (Math.max(0, box.top) + Math.min(innerHeight, box.bottom)) / 2);
  return {
    name: element.id ? `#${element.id}` : `.${element.classList[0]}`,
    outlined: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
    uncovered: top !== null && (element.contains(top) || top.contains(element)),
  };
}
"""
BEFORE_A_RESULT = [
    ".skip-link",
    "#link-api",
    "#link-flower",
    "#language",
    "#text",
    "#model",
    "#sample",
    "#open-file",
    "#clear-text",
    "#run",
]
OF_A_RESULT = [
    *[".legend-item"] * 3,
    "#threshold",
    *["#copy-json", "#save-json", "#copy-csv", "#save-csv", "#copy-html", "#save-html", "#permalink", "#copy-link"],
    "#output",
    "#entity-search",
    *[".entity-row"] * 4,
    ".history-link",
    "#clear-history",
]


def stops(page: FarmPage, key: str = "Tab") -> Iterator[str]:
    """What gets the focus, one after the other, until it leaves the page."""
    for _ in range(MOST_STOPS):
        page.page.keyboard.press(key)
        focus = page.page.evaluate(SEE_FOCUS)
        if focus is None:
            return
        assert focus["outlined"], f"it is not seen that {focus['name']} has the focus"
        assert focus["uncovered"], f"{focus['name']} has the focus and is not seen"
        yield focus["name"]
    raise AssertionError("the focus never leaves the page")


def go_to(page: FarmPage, target: Locator, key: str = "Tab") -> None:
    """Press a key until the target has the focus."""
    for _ in range(MOST_STOPS):
        page.page.keyboard.press(key)
        if target.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"{target} cannot be reached by {key}")


def test_everything_is_reached_in_the_order_in_which_it_stands(farm_page: FarmPage) -> None:
    assert list(stops(farm_page)) == BEFORE_A_RESULT
    farm_page.run(SENTENCE)
    # From the top again.
    farm_page.open(farm_page.page.url.removeprefix(farm_page.url))
    farm_page.expect_result()
    forth = list(stops(farm_page))
    assert forth == [*BEFORE_A_RESULT, *OF_A_RESULT]
    assert list(islice(stops(farm_page, "Shift+Tab"), len(forth))) == forth[::-1]


def test_a_whole_run_without_a_mouse(farm_page: FarmPage) -> None:
    page, keyboard = farm_page.page, farm_page.page.keyboard
    # The first thing on the page leads past the links.
    keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_visible()
    keyboard.press("Enter")
    expect(farm_page.text).to_be_focused()
    keyboard.insert_text(SENTENCE)
    keyboard.press("Control+Enter")
    farm_page.expect_result()
    expect(farm_page.text).to_be_focused()

    # A type is switched off and on again.
    go_to(farm_page, farm_page.legend_of("ORG"))
    keyboard.press("Space")
    assert [mark.text for mark in farm_page.shown_marks] == ["马云", "杭州"]
    expect(farm_page.legend_of("ORG")).to_be_focused()
    keyboard.press("Space")
    assert len(farm_page.shown_marks) == 4

    # The threshold.
    go_to(farm_page, page.locator("#threshold"))
    keyboard.press("End")
    expect(page.locator("#threshold-value")).to_have_text("100%")
    assert farm_page.shown_marks == []
    keyboard.press("Home")
    assert [mark.entity for mark in farm_page.shown_marks] == ENTITIES

    # Through the entities, with what is known of each.
    go_to(farm_page, farm_page.output)
    for key, index in [
        ("ArrowRight", 0),
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", 3),
        ("Home", 0),
    ]:
        keyboard.press(key)
        expect(farm_page.marks.nth(index)).to_be_focused()
        expect(farm_page.details).to_be_visible()
        text, kind, start, end = ENTITIES[index]
        assert farm_page.marks.nth(index).text_content() == text
        expect(farm_page.details).to_contain_text(kind)
        expect(farm_page.details).to_contain_text(f"{start}–{end}")
        assert page.evaluate(SEE_FOCUS)["outlined"]
    keyboard.press("Escape")
    expect(farm_page.details).to_be_hidden()
    expect(farm_page.marks.first).to_be_focused()

    # From the list to a place in the text.
    go_to(farm_page, farm_page.row_of("杭州"))
    keyboard.press("Enter")
    expect(page.locator("#output mark.entity-current")).to_have_text("杭州")
    expect(farm_page.row_of("杭州").locator(".entity-position")).to_have_text("1/1")

    # From the history back to the run.
    go_to(farm_page, farm_page.history.first)
    keyboard.press("Enter")
    farm_page.expect_result()
    assert farm_page.output_text == SENTENCE


def test_entities_that_are_filtered_away_are_passed_by(farm_page: FarmPage) -> None:
    farm_page.run(SENTENCE)
    farm_page.legend_of("PER").click()
    farm_page.output.focus()
    for text in ["阿里巴巴集团", "杭州", "中国人工智能学会", "中国人工智能学会"]:
        farm_page.page.keyboard.press("ArrowRight")
        expect(farm_page.page.locator("#output mark:focus")).to_have_text(text)


def test_the_focus_stays_where_it_was_while_a_text_is_read(farm_page: FarmPage) -> None:
    farm_page.paste(SENTENCE)
    farm_page.run_button.focus()
    farm_page.page.keyboard.press("Enter")
    farm_page.expect_result()
    expect(farm_page.run_button).to_be_focused()


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_menu_a_sample_and_a_language_are_chosen(farm_page: FarmPage, key: str) -> None:
    page, keyboard = farm_page.page, farm_page.page.keyboard
    go_to(farm_page, page.locator("#language"))
    keyboard.press(key)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#language")).to_be_focused()
    go_to(farm_page, page.locator("#model"))
    keyboard.press("ArrowDown")
    expect(page.locator("#model")).not_to_have_value("raner-mini-news")
    go_to(farm_page, page.locator("#sample"))
    keyboard.press("ArrowDown")
    expect(farm_page.text).not_to_be_empty()
    expect(page.locator("#sample")).to_be_focused()
    go_to(farm_page, page.locator("#clear-text"))
    keyboard.press(key)
    expect(farm_page.text).to_be_focused()
    expect(farm_page.text).to_have_value("")
