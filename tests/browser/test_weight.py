"""What the page asks of the network: little, of the farm alone, and only once."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Response, Route, expect

from tests.browser.farm_page import ENTITIES, SENTENCE, FarmPage
from tests.support.farm import Farm

MOST_BYTES = 120_000
# What is worth packing.
TEXTS = ("text/", "image/svg", "application/json")


def test_all_that_the_page_loads_is_light(
    context: BrowserContext, farm: Farm, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: list[Response] = []
    context.on("response", lambda answer: answers.append(answer))
    page = FarmPage(context.new_page(), farm.url).open()
    expect(page.page.locator("#gauges [data-name=workers] dd")).to_have_text("2")
    expect(page.page.locator("#model option")).to_have_count(2)

    loaded = {answer.url: answer for answer in answers}
    paths = {urlsplit(url).path for url in loaded}
    assert {"/", "/assets/page.css", "/assets/js/main.js", "/api/v1/models", "/api/v1/farm"} <= paths
    weights = {urlsplit(url).path: answer.request.sizes()["responseBodySize"] for url, answer in loaded.items()}
    heads = sum(answer.request.sizes()["responseHeadersSize"] for answer in loaded.values())
    with capsys.disabled():
        heaviest = ", ".join(
            f"{path} {weights[path]:,}" for path in sorted(weights, key=lambda path: -weights[path])[:3]
        )
        print(f"\n  {len(loaded)} answers, {sum(weights.values()):,} bytes and {heads:,} of headers; {heaviest}")
    assert sum(weights.values()) + heads < MOST_BYTES
    for url, answer in loaded.items():
        assert answer.status == 200, url
        if not urlsplit(url).path.startswith("/api/"):
            assert answer.headers["content-type"].startswith(TEXTS), url
            assert answer.headers["content-encoding"] == "gzip", url


def test_the_second_visit_loads_nothing_anew(context: BrowserContext, farm: Farm) -> None:
    page = FarmPage(context.new_page(), farm.url).open()
    # Playwright itself shows what the browser's cache made of it, a 200.
    session = context.new_cdp_session(page.page)
    urls: dict[str, str] = {}
    statuses: dict[str, int] = {}
    session.on("Network.requestWillBeSent", lambda sent: urls.update({sent["requestId"]: sent["request"]["url"]}))
    session.on("Network.responseReceivedExtraInfo", lambda got: statuses.update({got["requestId"]: got["statusCode"]}))
    session.send("Network.enable")
    page.open("/")
    of_assets = {urlsplit(urls[key]).path: status for key, status in statuses.items() if "/assets/" in urls[key]}
    assert "/assets/js/main.js" in of_assets
    assert set(of_assets.values()) == {304}


def test_it_works_where_there_is_no_other_host(new_context: Callable[..., BrowserContext], farm: Farm) -> None:
    asked: list[str] = []

    def refuse(route: Route) -> None:
        if route.request.url.startswith(f"{farm.url}/"):
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    context = new_context()
    context.route("**/*", refuse)
    page = FarmPage(context.new_page(), farm.url).open()
    page.run(SENTENCE)
    assert [mark.entity for mark in page.shown_marks] == ENTITIES
    assert asked == []
