"""A text of 300,000 characters: its progress is seen, it can be cancelled, and the page never freezes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from shared.jobs import JobStatus
from tests.browser.farm_page import FarmPage
from tests.browser.main_thread import MainThread, Task, traced
from tests.support.farm import Farm
from tests.support.sentences import sentences

CHARACTERS = 300_000
# Milliseconds of work of one task of the main thread.
LONGEST_TASK = 300
# Milliseconds for the workers.
DONE_WITHIN = 300_000
# Notes each value of the bar, and marks in the trace when the first block of the result is there.
OBSERVE = """
() => {
  const bar = document.getElementById("progress");
  window.seenProgress = [];
  new MutationObserver(() => window.seenProgress.push([bar.value, bar.max])).observe(bar, { attributes: true });
  const output = document.getElementById("output");
  new MutationObserver((_, observer) => {
    if (!output.hasChildNodes()) return;
    performance.mark("results");
    observer.disconnect();
  }).observe(output, { childList: true });
}
"""
# Waited for while the page is watched, since Playwright's expect may have the page describe all of itself.
RENDERED = "() => document.getElementById('output').dataset.rendered === 'true'"


def long_text(seed: int) -> str:
    """Prose in paragraphs of all lengths; a part without line breaks, one of short lines, one sentence without end."""
    chance = random.Random(seed)
    stock = sentences(200)

    def prose(characters: int) -> str:
        parts: list[str] = []
        while sum(map(len, parts)) < characters:
            parts.append(chance.choice(stock))
        return "".join(parts)

    parts = [prose(chance.choice([30, 200, 1_000, 6_000])) + chance.choice(["", "\n", "\n\n"]) for _ in range(60)]
    parts.append(prose(60_000))
    parts.append("\n".join(chance.choice(stock)[:12] for _ in range(2_000)))
    parts.append(re.sub(r"[，。；！？、\n]", "", prose(20_000)))
    parts.append("😀𠮷" * 500)
    text = "\n".join(parts)
    return (text + prose(max(0, CHARACTERS - len(text))))[:CHARACTERS]


def use(page: FarmPage) -> None:
    """What somebody does with a result; after each, the page has painted. Nothing is asked that makes the page work."""
    actions: list[Callable[[], None]] = [
        page.legend_of("LOC").click,
        page.legend_of("LOC").click,
        lambda: page.set_threshold(60),
        lambda: page.set_threshold(0),
        page.entities.first.click,
        lambda: page.output.press("End"),
        lambda: page.page.keyboard.press("Home"),
        page.output.hover,
        *[lambda: page.page.mouse.wheel(0, 20_000)] * 10,
        page.page.locator("#language").click,
    ]
    for act in actions:
        act()
        page.wait_painted()


def say(thread: MainThread, tasks: list[Task]) -> str:
    """The longest of these tasks."""
    most, wall = tasks[0], max(task.wall for task in tasks)
    return f"{most.cpu:.0f} ms of work ({thread.parts(most)}); by the clock, {wall:.0f} ms"


@pytest.fixture
def observed_page(farm_page: FarmPage) -> FarmPage:
    """The page, with what the tests ask of it afterwards."""
    farm_page.page.evaluate(OBSERVE)
    return farm_page


def test_the_page_stays_responsive_from_the_first_paint_of_the_result_on(
    observed_page: FarmPage, capsys: pytest.CaptureFixture[str]
) -> None:
    text = long_text(seed=1)
    page = observed_page.page
    observed_page.paste(text)
    expect(page.locator("#length")).to_contain_text("300,000")
    with traced(page) as thread:
        observed_page.run_button.click()
        page.wait_for_function(RENDERED, timeout=DONE_WITHIN)
        use(observed_page)

    seen = page.evaluate("() => window.seenProgress.filter(([done, total]) => total > 1)")
    done = [each[0] for each in seen]
    assert len({each[1] for each in seen}) == 1
    assert seen[0][1] >= CHARACTERS / 4_000
    assert len(set(done)) >= 4, f"the progress hardly moved: {done}"
    assert all(before <= after for before, after in pairwise(done))

    tasks, later_tasks = thread.tasks(), thread.tasks(since=thread.first_paint_after("results"))
    with capsys.disabled():
        print(
            f"\n  {CHARACTERS:,} characters, {observed_page.marks.count():,} entities; the main thread's longest task"
        )
        print(f"    from the click on: {say(thread, tasks)}")
        print(f"    from the first paint of results on: {say(thread, later_tasks)}")
    assert later_tasks[0].cpu < LONGEST_TASK
    assert tasks[0].cpu < LONGEST_TASK

    assert observed_page.output_text == text
    assert observed_page.input_text == text
    # Blocks of a size that the browser lays out one by one.
    longest = observed_page.output.locator(".block").evaluate_all(
        "(all) => Math.max(...all.map((b) => b.textContent.length))"
    )
    assert longest <= 5_000

    # Far away in the text, blocks are laid out only when they are gone to.
    observed_page.output.press("End")
    expect(observed_page.marks.last).to_be_focused()
    expect(observed_page.marks.last).to_be_in_viewport()
    expect(observed_page.details).to_be_visible()


def test_a_long_job_is_cancelled(observed_page: FarmPage, farm: Farm) -> None:
    text = long_text(seed=2)
    observed_page.paste(text)
    expect(observed_page.cancel_button).to_be_hidden()
    observed_page.run_button.click()
    observed_page.page.wait_for_function(
        "() => window.seenProgress.some(([done, total]) => total > 1 && done > 0)", timeout=DONE_WITHIN
    )
    observed_page.cancel_button.click()
    observed_page.expect_state("cancelled")
    expect(observed_page.cancel_button).to_be_hidden()
    expect(observed_page.progress).to_be_hidden()
    assert observed_page.input_text == text
    job = farm.get(f"/api/v1/jobs/{observed_page.job_id}").json()
    assert job["status"] == JobStatus.CANCELLED
    assert job["progress"]["done"] < job["progress"]["total"]
    # The page is ready for the next text, and so are the workers.
    observed_page.run("马云在杭州。")
    assert [mark.text for mark in observed_page.shown_marks] == ["马云", "杭州"]
