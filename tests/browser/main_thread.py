"""What the page's main thread did, from a trace that Chromium writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

# Tasks, and what they are about; paints; marks of the page's own (performance.mark).
CATEGORIES = ["disabled-by-default-devtools.timeline", "devtools.timeline", "blink.user_timing"]


@dataclass(frozen=True)
class Task:
    """A task of the main thread, in milliseconds. ``cpu`` is what it worked, ``wall`` also counts where it had to wait
    for the processor."""

    begin: float
    cpu: float
    wall: float

    @classmethod
    def of(cls, event: dict[str, Any]) -> Task:
        """The task of an event of the trace, which counts microseconds."""
        return cls(event["ts"] / 1000, event.get("tdur", 0) / 1000, event["dur"] / 1000)


@dataclass
class MainThread:
    """The main thread of a page's process during a trace."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def first_paint_after(self, mark: str) -> float:
        """When the first paint after a mark began, in milliseconds."""
        begin = next(event["ts"] for event in self.events if event["name"] == mark and "user_timing" in event["cat"])
        return (
            float(min(event["ts"] for event in self.events if event["name"] == "Paint" and event["ts"] > begin)) / 1000
        )

    def tasks(self, since: float = 0) -> list[Task]:
        """The tasks that began at ``since`` or later, the one with most work first."""
        tasks = (Task.of(event) for event in self.events if event["name"] == "RunTask" and event["ph"] == "X")
        return sorted((task for task in tasks if task.begin >= since), key=lambda task: -task.cpu)

    def parts(self, task: Task) -> str:
        """What a task was made of: the names of its longest parts."""
        end = task.begin + task.wall
        found = [
            event
            for event in self.events
            if event["ph"] == "X"
            and event["name"] != "RunTask"
            and task.begin <= event["ts"] / 1000
            and (event["ts"] + event["dur"]) / 1000 <= end
        ]
        longest = sorted(found, key=lambda event: -event["dur"])[:3]
        return ", ".join(f"{event['name']} {event['dur'] / 1000:.0f} ms" for event in longest)


@contextmanager
def traced(page: Page) -> Iterator[MainThread]:
    """Trace a page; the events are there once the block has ended."""
    thread = MainThread()
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=CATEGORIES)
    try:
        # Other tabs, if there are any, have processes of their own: this is how the page's is told from them.
        page.evaluate("() => void performance.mark('traced')")
        yield thread
    finally:
        events = json.loads(browser.stop_tracing())["traceEvents"]
    (own,) = {(event["pid"], event["tid"]) for event in events if event["name"] == "traced"}
    thread.events = [event for event in events if (event["pid"], event["tid"]) == own]
