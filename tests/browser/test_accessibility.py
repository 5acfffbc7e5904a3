"""axe-core finds nothing serious, in any state of the page and in both languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, expect

from shared.settings import BUNDLED_GENERIC_MODEL
from tests.browser.complaints import Complaints
from tests.browser.farm_page import SENTENCE, FarmPage
from tests.support.farm import Farm

GRAVE = ("serious", "critical")
# Entities of as many types as there are.
ALL_TYPES = (
    "2024年5月3日，阿里巴巴集团董事长马云在杭州西湖会见了国家发展改革委的李明局长。腾讯公司的《王者荣耀》收入3.5亿元，"
    "刘慈欣的小说《三体》和苹果的iPhone手机都卖得很好，北京大学的王小明在故宫博物院说。"
)


@pytest.fixture(params=["zh-CN", "en"])
def farm_page(request: pytest.FixtureRequest, new_context: Callable[..., BrowserContext], farm: Farm) -> FarmPage:
    """The page in one of its languages. axe is a script that the page's policy would refuse."""
    page = FarmPage(new_context(bypass_csp=True).new_page(), farm.url).open()
    if request.param != page.page.locator("html").get_attribute("lang"):
        page.page.locator("#language").click()
    expect(page.page.locator("html")).to_have_attribute("lang", request.param)
    return page


def findings(page: FarmPage) -> list[str]:
    """What axe finds grave, with the elements in which it found it."""
    violations = Axe().run(page.page).response["violations"]
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}: {node['target']} {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


def test_the_idle_page(farm_page: FarmPage) -> None:
    assert findings(farm_page) == []


def test_the_page_with_a_result(farm_page: FarmPage) -> None:
    farm_page.page.locator("#model").select_option(BUNDLED_GENERIC_MODEL.name)
    farm_page.run(ALL_TYPES)
    assert len(farm_page.legend_counts) >= 6
    farm_page.legend_of("PER").click()
    farm_page.entities.first.click()
    farm_page.output.focus()
    farm_page.page.keyboard.press("ArrowRight")
    expect(farm_page.details).to_be_visible()
    assert findings(farm_page) == []


def test_the_page_with_a_job_of_many_texts(farm_page: FarmPage, farm: Farm) -> None:
    job_id = farm.submit(texts=[SENTENCE, ALL_TYPES])
    farm.ended(job_id)
    farm_page.open(f"/jobs/{job_id}")
    farm_page.expect_result()
    assert findings(farm_page) == []


def test_the_page_with_a_problem(farm_page: FarmPage, complaints: Complaints) -> None:
    complaints.expect_status(404)
    farm_page.open("/jobs/none")
    farm_page.expect_problem()
    # As where a key is asked for.
    farm_page.page.locator("#key-form").evaluate("(form) => { form.hidden = false; }")
    assert findings(farm_page) == []


def test_axe_finds_what_there_is_to_find(farm_page: FarmPage) -> None:
    farm_page.page.locator("#text").evaluate("(area) => { area.labels[0].remove(); area.placeholder = ''; }")
    farm_page.page.locator("#run").evaluate("(button) => { button.replaceChildren(); }")
    assert {finding.partition(" ")[0] for finding in findings(farm_page)} >= {"label", "button-name"}
