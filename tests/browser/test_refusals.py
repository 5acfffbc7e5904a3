"""What the farm does not take: the page says why and what to do, and the text stays in the input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect
from redis import Redis

from shared.settings import BUNDLED_MODEL
from tests.browser.complaints import Complaints
from tests.browser.farm_page import ENTITIES, SENTENCE, FarmPage
from tests.support.farm import Farm, running_farm

WORKER = f"worker-{BUNDLED_MODEL.name}"
KEY = "a-key-of-the-tests"
MOST_CHARACTERS = 100


@pytest.fixture(scope="module")
def farm(chromium: Path, tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Farm]:
    """A farm with little room, and not for everybody."""
    with running_farm(
        tmp_path_factory.mktemp("farm"),
        data_dir,
        RANER_API_KEYS=f"another,{KEY}",
        RANER_MAX_TEXT_CHARS=str(MOST_CHARACTERS),
        RANER_MAX_QUEUE="1",
    ) as farm:
        farm.http.headers["X-API-Key"] = KEY
        yield farm


@pytest.fixture
def stranger(new_context: Callable[..., BrowserContext], farm: Farm, complaints: Complaints) -> FarmPage:
    """The page of somebody without a key."""
    complaints.expect_status(401)
    return FarmPage(new_context().new_page(), farm.url).open()


@pytest.fixture
def farm_page(context: BrowserContext, farm: Farm) -> FarmPage:
    """The page of somebody who has given a key."""
    # Not on the blank page that a tab begins with, which keeps nothing.
    context.add_init_script(f"if (location.protocol === 'http:') sessionStorage.setItem('raner.key', '{KEY}');")
    return FarmPage(context.new_page(), farm.url).open()


def test_the_page_asks_for_a_key_and_works_with_it(stranger: FarmPage) -> None:
    key = stranger.page.locator("#key")
    stranger.expect_problem("密钥")
    expect(key).to_be_focused()
    stranger.submit(SENTENCE)
    stranger.expect_problem("密钥")
    expect(key).to_be_focused()
    assert stranger.input_text == SENTENCE

    key.fill("a wrong one")
    key.press("Enter")
    stranger.expect_problem("密钥")
    expect(key).to_be_visible()

    key.fill(KEY)
    key.press("Enter")
    # The key was all that was missing: what was asked for goes on.
    stranger.expect_result()
    expect(key).to_be_hidden()
    expect(stranger.problem).to_be_hidden()
    assert [mark.entity for mark in stranger.shown_marks] == ENTITIES
    expect(stranger.page.locator("#model option")).to_have_count(1)
    expect(stranger.page.locator("#gauges [data-name=workers] dd")).to_have_text("1")
    # It is this tab's, and gone with it.
    assert stranger.page.evaluate("(key) => JSON.stringify(localStorage).includes(key)", KEY) is False
    stranger.open("/")
    expect(key).to_be_hidden()


def test_a_permalink_asks_for_a_key_too(stranger: FarmPage, farm: Farm) -> None:
    job_id = farm.submit(text=SENTENCE)
    farm.ended(job_id)
    stranger.open(f"/jobs/{job_id}")
    stranger.expect_problem("密钥")
    stranger.page.locator("#key").fill(KEY)
    stranger.page.locator("#key").press("Enter")
    stranger.expect_result()
    assert stranger.output_text == SENTENCE


def test_a_text_that_is_too_long(farm_page: FarmPage) -> None:
    text = "马云在杭州😀。" * 15
    assert len(text) > MOST_CHARACTERS
    farm_page.submit(text)
    expect(farm_page.problem).to_contain_text("文本太长")
    expect(farm_page.problem).to_contain_text("分成")
    expect(farm_page.problem).to_contain_text(f"{len(text)} / {MOST_CHARACTERS}")
    assert farm_page.input_text == text
    # Characters are counted, not code units.
    most = "😀" * MOST_CHARACTERS
    farm_page.run(most)
    expect(farm_page.statistic("characters")).to_have_text(str(MOST_CHARACTERS))


def test_a_queue_that_is_full(farm_page: FarmPage, farm: Farm, complaints: Complaints) -> None:
    complaints.expect_status(503)
    farm.stop(WORKER)
    # No worker takes the first one, and there is room for no other.
    farm.submit(text="等候的第一篇：马云在杭州。")
    text = "王小明在北京大学读书。"
    farm_page.submit(text)
    farm_page.expect_problem("队列已满", r"\d+ 秒", "再按")
    assert farm_page.input_text == text
    farm.start(WORKER)
    farm.wait_ready()
    expect(farm_page.page.locator("#gauges [data-name=queue] dd")).to_have_text("0")
    farm_page.run_button.click()
    farm_page.expect_result()
    assert [mark.text for mark in farm_page.shown_marks] == ["王小明", "北京大学"]


@pytest.mark.parametrize("job_id", ["0" * 32, "nonsense", "%00", "<script>"])
def test_a_job_that_there_is_not(farm_page: FarmPage, complaints: Complaints, job_id: str) -> None:
    complaints.expect_status(404)
    farm_page.open(f"/jobs/{job_id}")
    farm_page.expect_problem("没有这个任务", "重新提交")
    # The page is of use all the same.
    farm_page.run(SENTENCE)
    expect(farm_page.problem).to_be_hidden()


def test_a_job_of_this_browser_that_has_expired(farm_page: FarmPage, farm: Farm, complaints: Complaints) -> None:
    complaints.expect_status(404)
    farm_page.run(SENTENCE)
    job_id = farm_page.job_id
    with Redis.from_url(farm.redis.url) as redis:
        keys = list(redis.scan_iter(f"raner:job:{job_id}*"))
        assert keys
        redis.delete(*keys)
    farm_page.open("/")
    farm_page.history.first.click()
    farm_page.expect_problem("过期", "开始侦测")
    # Its text is here still.
    assert farm_page.input_text == SENTENCE
    farm_page.run_button.click()
    farm_page.expect_result()
    assert farm_page.job_id != job_id
