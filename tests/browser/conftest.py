"""Chromium on a farm of real processes.

Tests take ``farm_page``, which is the page of the shared farm, open and ready. What the browser complains of fails the
test, unless it said before that it would: ``complaints.expect_status(503)``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from shared.settings import BUNDLED_GENERIC_MODEL, BUNDLED_MODEL
from tests.browser.complaints import Complaints
from tests.browser.farm_page import FarmPage
from tests.support.browser import ADVICE, ARGUMENTS, chromium_here
from tests.support.farm import Farm, running_farm

VIEWPORT = {"width": 1280, "height": 800}
# Where set, a machine without a browser fails the tests rather than skips them.
MUST_HAVE = "CI"
_NO_BROWSER = pytest.StashKey[bool]()

# Milliseconds; the machine may do other things too.
expect.set_options(timeout=30_000)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say that there was no browser, where a line among the skipped tests may be overlooked."""
    if config.stash.get(_NO_BROWSER, False):
        terminalreporter.section("the browser tests did not run")
        terminalreporter.line(ADVICE)


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> Path:
    """The browser."""
    found = chromium_here()
    if found is None:
        pytestconfig.stash[_NO_BROWSER] = True
        (pytest.fail if os.environ.get(MUST_HAVE) else pytest.skip)(ADVICE)
    return found


@pytest.fixture(scope="session")
def base_url() -> None:
    """None: the farms have different addresses. For pytest-playwright's own fixture pytest 9 gives a warning."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium: Path) -> dict[str, Any]:
    """How pytest-playwright starts the browser."""
    return {**browser_type_launch_args, "executable_path": chromium, "args": list(ARGUMENTS)}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """What every context of the browser begins with."""
    return {**browser_context_args, "locale": "zh-CN", "viewport": VIEWPORT}


@pytest.fixture(scope="package")
def farm(chromium: Path, tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Farm]:
    """A farm of both bundled models that is ready and stays as it is."""
    models = f"{BUNDLED_MODEL.name}={BUNDLED_MODEL},{BUNDLED_GENERIC_MODEL.name}={BUNDLED_GENERIC_MODEL}"
    with running_farm(tmp_path_factory.mktemp("farm"), data_dir, RANER_MODELS=models) as farm:
        yield farm


@pytest.fixture
def complaints(farm: Farm) -> Iterator[Complaints]:
    """What the browser complains of during the test."""
    complaints = Complaints(urlsplit(farm.url).netloc)
    yield complaints
    assert not complaints.unexpected, "\n".join(complaints.unexpected)


@pytest.fixture
def new_context(new_context: Callable[..., BrowserContext], complaints: Complaints) -> Callable[..., BrowserContext]:
    """Contexts that are listened to."""

    def create(**options: Any) -> BrowserContext:
        context = new_context(**options)
        complaints.watch(context)
        return context

    return create


@pytest.fixture
def farm_page(page: Page, farm: Farm) -> FarmPage:
    """The page, open and ready."""
    return FarmPage(page, farm.url).open()
