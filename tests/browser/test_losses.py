"""Workers die, Redis stops, the web server goes: the page says so in words, loses nothing and goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from redis import Redis

from shared.job_store import JobStore
from shared.keys import JobKeys
from shared.settings import BUNDLED_MODEL
from tests.browser.complaints import Complaints
from tests.browser.farm_page import SENTENCE, FarmPage
from tests.support.farm import Farm, running_farm
from tests.support.sentences import sentences

WORKER = f"worker-{BUNDLED_MODEL.name}"
# Some seconds of work for one worker process, in some twenty pieces.
LONG_TEXT = "\n".join(sentences(200)) * 10
# Milliseconds for it to be done although something was lost, on a machine that does other things too.
DONE_WITHIN = 240_000


@pytest.fixture(scope="module")
def farm(chromium: Path, tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Farm]:
    """A farm to break."""
    with running_farm(tmp_path_factory.mktemp("farm"), data_dir, RANER_CACHE_TTL="0") as farm:
        yield farm


@pytest.fixture
def farm_page(farm_page: FarmPage, complaints: Complaints) -> FarmPage:
    """The page of a farm that will answer with 502 to 504, or not at all."""
    complaints.expect_status(0, 502, 503, 504)
    return farm_page


@pytest.fixture
def running_page(farm_page: FarmPage) -> FarmPage:
    """The page with a job of which some pieces are done and some are not."""
    farm_page.submit(LONG_TEXT)
    farm_page.page.wait_for_function(
        "() => document.getElementById('status').dataset.state === 'running'"
        " && document.getElementById('progress').value >= 2",
        timeout=DONE_WITHIN,
    )
    return farm_page


def expect_all_of_it(page: FarmPage) -> None:
    """Wait for the result of the long text; nothing is wrong any more."""
    page.expect_state("succeeded", within=DONE_WITHIN)
    expect(page.output).to_have_attribute("data-rendered", "true")
    expect(page.problem).to_be_hidden()
    assert page.output_text == page.input_text == LONG_TEXT
    assert len(page.shown_marks) > 1_000


def test_a_worker_process_killed_in_mid_job(running_page: FarmPage, farm: Farm) -> None:
    for child in farm.children(WORKER):
        child.kill()
    expect_all_of_it(running_page)


def test_redis_stopped_in_mid_job(running_page: FarmPage, farm: Farm) -> None:
    farm.redis.stop()
    running_page.expect_problem("存储", "重试", state="retrying")
    assert running_page.input_text == LONG_TEXT
    farm.redis.start()
    expect_all_of_it(running_page)


def test_the_web_server_gone_in_mid_job(running_page: FarmPage, farm: Farm) -> None:
    farm.kill("web")
    running_page.expect_problem("连接不上服务器", "重试", state="retrying")
    assert running_page.input_text == LONG_TEXT
    expect(running_page.page.locator("#gauges [data-name=workers] dd")).to_have_text("–")
    farm.start("web")
    expect_all_of_it(running_page)
    expect(running_page.page.locator("#gauges [data-name=workers] dd")).to_have_text("1")


def test_the_web_server_gone_before_the_text_is_sent(farm_page: FarmPage, farm: Farm) -> None:
    farm.kill("web")
    farm_page.submit(SENTENCE)
    farm_page.expect_problem("连接不上服务器", state="retrying")
    assert farm_page.input_text == SENTENCE
    farm.start("web")
    farm_page.expect_result()
    expect(farm_page.problem).to_be_hidden()
    expect(farm_page.history).to_have_count(1)


def test_the_user_gives_up_waiting_for_a_server_that_is_gone(farm_page: FarmPage, farm: Farm) -> None:
    farm.kill("web")
    farm_page.submit(SENTENCE)
    farm_page.expect_state("retrying")
    farm_page.cancel_button.click()
    farm_page.expect_state("cancelled")
    assert farm_page.input_text == SENTENCE
    farm.start("web")
    farm.wait_ready()
    farm_page.run_button.click()
    farm_page.expect_result()


def test_cancelling_a_job_of_a_server_that_is_gone(running_page: FarmPage, farm: Farm) -> None:
    farm.kill("web")
    running_page.expect_state("retrying")
    running_page.cancel_button.click()
    running_page.expect_problem("连接不上服务器")
    expect(running_page.cancel_button).to_be_hidden()
    assert running_page.input_text == LONG_TEXT
    farm.start("web")
    farm.wait_ready()
    # So that the next test need not wait for it.
    farm.delete(f"/api/v1/jobs/{running_page.job_id}")


def test_a_job_that_fails(farm_page: FarmPage, farm: Farm) -> None:
    farm.stop(WORKER)
    farm_page.submit(SENTENCE)
    farm_page.expect_state("queued")
    # As if its only text had ended as many worker processes as it may.
    error = "text 0: it ended 4 worker processes; the workers' logs say why"
    with Redis.from_url(farm.redis.url) as redis:
        assert JobStore(redis).fail(farm_page.job_id, BUNDLED_MODEL.name, error)
    farm_page.expect_problem("没有成功", "再按一次", state="failed")
    expect(farm_page.problem.locator(".problem-detail")).to_have_text(error)
    assert farm_page.input_text == SENTENCE
    farm.start(WORKER)
    farm.wait_ready()
    farm_page.run_button.click()
    farm_page.expect_result()
    expect(farm_page.problem).to_be_hidden()


def test_a_text_that_could_not_be_read_is_told_from_one_without_entities(farm_page: FarmPage, farm: Farm) -> None:
    job = farm.post("/api/v1/jobs?wait=30", {"texts": [SENTENCE, SENTENCE]}).json()
    assert job["status"] == "succeeded"
    with Redis.from_url(farm.redis.url) as redis:
        redis.hdel(JobKeys(job["id"]).results, "1")
    farm_page.open(f"/jobs/{job['id']}")
    farm_page.expect_result()
    expect(farm_page.status).to_contain_text("1 篇文本没能识别")
    problem = farm_page.page.locator("#result-problem")
    expect(problem).to_be_hidden()
    farm_page.page.locator("#which").select_option("1")
    expect(problem).to_contain_text("这篇文本没能识别")
    expect(problem.locator(".problem-detail")).to_contain_text("text 1: its result is gone")
    farm_page.page.locator("#language").click()
    expect(problem).to_contain_text("This text could not be read")
    farm_page.page.locator("#which").select_option("0")
    expect(problem).to_be_hidden()
