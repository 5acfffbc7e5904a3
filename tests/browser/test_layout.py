"""The page on screens of all sizes, and as the systems of its readers want it.

SCREENSHOTS names the folder for what the page looks like; without it, it is a temporary one.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import ViewportSize, expect

from shared.settings import BUNDLED_GENERIC_MODEL
from tests.browser.complaints import Complaints
from tests.browser.farm_page import SENTENCE, FarmPage
from tests.browser.test_accessibility import ALL_TYPES

SIZES: list[ViewportSize] = [
    {"width": 360, "height": 740},
    {"width": 1280, "height": 800},
    {"width": 2560, "height": 1440},
]
# Elements that stick out of the page, or whose content sticks out of them.
SEE_OVERFLOW = """
() => {
  const width = document.documentElement.clientWidth;
  const name = (element) => `${element.tagName}#${element.id}.${element.className}`;
  const isLine = (element) => getComputedStyle(element).display === "inline";
  const seen = [...document.querySelectorAll("body, body *")].filter(
    (element) => element.checkVisibility() && !element.closest(".sr-only, .skip-link, svg"),
  );
  const outside = seen.filter((element) => {
    const { left, right } = element.getBoundingClientRect();
    return left < right && (left < -1 || right > width + 1);
  });
  const full = seen.filter(
    (element) =>
      element.matches("button, .link, dd, dt, label, .status, .panel") &&
      !isLine(element) &&
      element.scrollWidth > element.clientWidth + 1,
  );
  return {
    page: document.documentElement.scrollWidth - width,
    outside: outside.map(name),
    full: full.map(name),
  };
}
"""
NO_OVERFLOW = {"page": 0, "outside": [], "full": []}
# Controls that are too small to be hit (WCAG 2.5.8).
SEE_SMALL_TARGETS = """
() => {
  const targets = [...document.querySelectorAll("button, select, textarea, input, a")];
  return targets
    .filter((element) => element.checkVisibility() && !element.matches(".sr-only, .skip-link"))
    .map((element) => [`${element.tagName}#${element.id}.${element.className}`, element.getBoundingClientRect()])
    .filter(([_, { width, height }]) => width < 24 || height < 24)
    .map(([name, { width, height }]) => `${name}: ${width} × ${height}`);
}
"""


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """The folder for screenshots."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size['width']}x{size['height']}")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_everything_has_room(
    farm_page: FarmPage, complaints: Complaints, screenshots: Path, size: ViewportSize, language: str
) -> None:
    complaints.expect_status(404)
    page = farm_page.page
    name = f"{size['width']}x{size['height']}-{language}"
    page.set_viewport_size(size)
    if language == "en":
        page.locator("#language").click()
    page.screenshot(path=screenshots / f"{name}-idle.png", full_page=True)
    assert page.evaluate(SEE_OVERFLOW) == NO_OVERFLOW

    page.locator("#model").select_option(BUNDLED_GENERIC_MODEL.name)
    farm_page.run(ALL_TYPES + "\n\n" + "\n".join([SENTENCE] * 20))
    page.screenshot(path=screenshots / f"{name}-result.png", full_page=True)
    assert page.evaluate(SEE_OVERFLOW) == NO_OVERFLOW
    assert page.evaluate(SEE_SMALL_TARGETS) == []

    # The details stay on the screen, at both ends of a line and of the text.
    farm_page.output.focus()
    for key in ["Home", "ArrowRight", "ArrowRight", "ArrowRight", "End"]:
        page.keyboard.press(key)
        expect(farm_page.details).to_be_visible()
        expect(farm_page.details).to_be_in_viewport(ratio=1)
    farm_page.wait_painted()
    page.screenshot(path=screenshots / f"{name}-details.png")

    farm_page.open("/jobs/none")
    farm_page.expect_problem()
    page.screenshot(path=screenshots / f"{name}-problem.png", full_page=True)
    assert page.evaluate(SEE_OVERFLOW) == NO_OVERFLOW


def test_less_motion_where_that_is_wanted(farm_page: FarmPage) -> None:
    farm_page.page.emulate_media(reduced_motion="reduce")
    farm_page.run(SENTENCE)
    farm_page.run_button.hover()
    moving = "() => document.getAnimations().filter((animation) => animation.playState === 'running').length"
    assert farm_page.page.evaluate(moving) == 0
    farm_page.page.emulate_media(reduced_motion="no-preference")
    # Else this would say nothing.
    farm_page.page.wait_for_function(f"() => ({moving})() > 0")


def test_marks_are_told_apart_where_the_system_chooses_the_colours(farm_page: FarmPage, screenshots: Path) -> None:
    farm_page.page.emulate_media(forced_colors="active")
    farm_page.run(SENTENCE)
    farm_page.page.screenshot(path=screenshots / "forced-colours.png", full_page=True)
    lines = set()
    for kind in ("PER", "LOC", "ORG"):
        mark = farm_page.page.locator(f"#output mark.entity-{kind.lower()}").first
        line = farm_page.style(mark, "text-decoration-line", "text-decoration-style", "text-decoration-thickness")
        assert line["text-decoration-line"].startswith("underline")
        lines.add(tuple(line.values()))
        assert farm_page.style(mark, "content", pseudo="::after")["content"] == f'"{kind}"'
    assert len(lines) == 3
    # What can be pressed has an edge, and what is switched off is seen to be.
    for control in (farm_page.run_button, farm_page.text, farm_page.legend.first, farm_page.page.locator("#copy-json")):
        assert farm_page.style(control, "border-top-style")["border-top-style"] == "solid"
    switch = farm_page.legend_of("ORG")
    on = switch.screenshot()
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    farm_page.page.mouse.move(0, 0)
    farm_page.text.focus()
    assert switch.screenshot() != on


def test_the_output_can_be_read_at_twice_the_size_of_letters(farm_page: FarmPage) -> None:
    farm_page.page.set_viewport_size({"width": 640, "height": 400})
    farm_page.run(SENTENCE * 20)
    farm_page.page.locator("html").evaluate("(html) => { html.style.fontSize = '200%'; }")
    assert farm_page.page.evaluate(SEE_OVERFLOW) == NO_OVERFLOW
