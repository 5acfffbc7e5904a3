"""The page under a path of its host: behind nginx, which passes the path on or takes it off, and without any proxy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.complaints import Complaints
from tests.browser.farm_page import ENTITIES, SENTENCE, FarmPage
from tests.support.farm import Farm, free_ports, running_farm
from tests.support.nginx import find_nginx, running_nginx

PREFIX = "/raner"
SERVER = """
server {{
  listen 127.0.0.1:{port};
  location /raner/ {{ proxy_pass {farm}; }}
  location /raner/flower/ {{ proxy_pass {flower}; }}
}}
"""


@dataclass(frozen=True)
class Front:
    """A way to the farm: its address for browsers, and whether the farm was told the prefix."""

    url: str
    told: bool
    flower: bool


@pytest.fixture(scope="module")
def farm_under_prefix(chromium: Path, tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Farm]:
    """A farm that was told the prefix."""
    folder = tmp_path_factory.mktemp("farm")
    with running_farm(folder, data_dir, RANER_URL_PREFIX=PREFIX, RANER_FLOWER_URL=f"{PREFIX}/flower") as farm:
        yield farm


@pytest.fixture(scope="module", params=["no proxy", "passed on", "taken off", "farm not told"])
def front(
    request: pytest.FixtureRequest, farm: Farm, farm_under_prefix: Farm, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    """Each way to a farm under the prefix."""
    if request.param == "no proxy":
        yield Front(farm_under_prefix.url + PREFIX, told=True, flower=False)
        return
    program = find_nginx()
    if program is None:
        pytest.skip("there is no nginx")
    told = request.param != "farm not told"
    target = farm_under_prefix if told else farm
    (port,) = free_ports(1)
    # nginx takes off what the location names if the address has a path, be it the slash.
    passed = target.url if request.param == "passed on" else f"{target.url}/"
    servers = SERVER.format(port=port, farm=passed, flower=target.flower_url)
    with running_nginx(program, tmp_path_factory.mktemp("front") / "nginx", servers, port):
        yield Front(f"http://127.0.0.1:{port}{PREFIX}", told, flower=told)


@pytest.fixture
def complaints(front: Front) -> Iterator[Complaints]:
    """What the browser complains of, a request to another host among it."""
    complaints = Complaints(urlsplit(front.url).netloc)
    yield complaints
    assert not complaints.unexpected, "\n".join(complaints.unexpected)


@pytest.fixture
def farm_page(page: Page, front: Front) -> FarmPage:
    """The page under the prefix, open and ready."""
    return FarmPage(page, front.url).open()


def test_a_text_is_submitted_and_its_result_shown(farm_page: FarmPage, front: Front) -> None:
    farm_page.run(SENTENCE)
    assert [mark.entity for mark in farm_page.shown_marks] == ENTITIES
    assert re.fullmatch(rf"{PREFIX}/jobs/\w+", urlsplit(farm_page.page.url).path)
    permalink = farm_page.page.locator("#permalink").get_attribute("href")
    assert permalink == urlsplit(farm_page.page.url).path
    farm_page.page.reload()
    farm_page.expect_result()
    assert farm_page.output_text == SENTENCE
    expect(farm_page.history).to_have_attribute("href", permalink)
    farm_page.page.go_back()
    farm_page.expect_state("idle")


def test_its_links_lead_there_still_once_its_own_address_has_changed(
    page: Page, farm_page: FarmPage, front: Front
) -> None:
    farm_page.run(SENTENCE)
    links = page.eval_on_selector_all("a[href], link[href]", "(links) => links.map((link) => link.href)")
    ours = {urlsplit(link).path for link in links if link.startswith(f"{front.url}/")}
    assert {f"{PREFIX}/docs", f"{PREFIX}/assets/icon.svg", f"{PREFIX}/assets/page.css"} <= ours


def test_the_documentation_calls_the_farm_where_it_is(page: Page, farm_page: FarmPage, front: Front) -> None:
    farm_page.page.locator("#link-api").click()
    expect(page).to_have_url(re.compile(f"^{front.url}/docs/swagger"))
    expect(page.locator(".opblock").first).to_be_visible()
    if front.told:
        expect(page.locator(".servers select")).to_have_value(PREFIX)


def test_the_link_to_flower_leads_there(farm_page: FarmPage, front: Front) -> None:
    link = farm_page.page.locator("#link-flower").get_attribute("href")
    assert link is not None
    if not front.told:
        return
    assert link == f"{PREFIX}/flower/"
    if front.flower:
        shown = requests.get(urljoin(front.url, link), timeout=30)
        assert shown.status_code == 200
        for file in re.findall(r'(?:href|src)="(/[^"]+\.(?:css|js))"', shown.text):
            assert file.startswith(f"{PREFIX}/flower/static/")
            assert requests.get(urljoin(front.url, file), timeout=30).status_code == 200


def test_the_address_of_a_job_is_public(front: Front) -> None:
    made = requests.post(f"{front.url}/api/v1/jobs", json={"text": "王小明在北京。"}, timeout=30)
    assert made.status_code in (200, 202)
    if front.told:
        job = requests.get(urljoin(front.url, made.headers["Location"]), timeout=30)
        assert job.json()["id"] == made.json()["id"]


def test_health_is_asked_past_the_proxy(farm_under_prefix: Farm) -> None:
    assert farm_under_prefix.get("/healthz").status_code == 200
