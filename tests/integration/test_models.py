"""Several models, each with its own queue and worker node."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.settings import BUNDLED_GENERIC_MODEL, BUNDLED_MODEL, PROJECT_ROOT
from tests.support.farm import Farm, running_farm

TEXT = "王小明在北京大学读书。"


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Farm]:
    """A farm of both bundled models."""
    with running_farm(
        tmp_path_factory.mktemp("farm"),
        data_dir,
        RANER_MODELS=f"first={BUNDLED_GENERIC_MODEL},second={BUNDLED_MODEL}",
        RANER_DEFAULT_MODEL="second",
        RANER_CACHE_TTL="0",
    ) as farm:
        yield farm


def test_each_is_served_by_its_own_node(farm: Farm) -> None:
    for name in ("first", "second"):
        (result,) = farm.ended(farm.submit(text=TEXT, model=name))["results"]
        assert result["model"].startswith(f"{name}@")
    assert farm.ended(farm.submit(text=TEXT))["model"] == "second"


def test_what_a_rule_found_says_so(farm: Farm) -> None:
    models = {model["name"]: model["types"] for model in farm.get("/api/v1/models").json()["models"]}
    assert models["second"] == ["LOC", "ORG", "PER"]
    assert {"COMPANY", "MONEY", "TIME", "TITLE"} < set(models["first"])
    text = "董事长王小明说，😀公司去年盈利3.5亿元。"
    job = farm.submit(text=text, model="first", offsets="utf16")
    (result,) = farm.ended(job)["results"]
    sources = {entity["text"]: entity["source"] for entity in result["entities"]}
    assert sources["王小明"] == "model"
    assert sources["3.5亿元"] == "rule"
    (money,) = [entity for entity in result["entities"] if entity["type"] == "MONEY"]
    assert (money["start"], money["end"], money["score"]) == (16, 21, 1.0)
    assert (money["value"], money["currency"]) == ("350000000", "CNY")
    (only_news,) = farm.ended(farm.submit(text=text, model="second"))["results"]
    assert {entity["source"] for entity in only_news["entities"]} == {"model"}


def test_a_model_without_a_worker_keeps_its_jobs_and_leaves_the_others_alone(farm: Farm) -> None:
    farm.stop("worker-first")
    waiting = farm.submit(text=TEXT, model="first")
    assert farm.ended(farm.submit(text=TEXT, model="second"))["status"] == "succeeded"
    assert farm.get(f"/api/v1/jobs/{waiting}").json()["status"] == "queued"
    states = {model["name"]: model["state"] for model in farm.get("/api/v1/models").json()["models"]}
    assert states == {"first": "unavailable", "second": "ready"}
    readiness = farm.get("/readyz")
    assert readiness.status_code == 200  # for the sake of the other model
    assert readiness.json()["checks"]["worker first"] == "no worker process has this model loaded"
    farm.start("worker-first")
    assert farm.ended(waiting)["status"] == "succeeded"


def test_a_container_can_ask_whether_its_node_is_well(farm: Farm) -> None:
    def health(model: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "workers.health", "--model", model],
            cwd=PROJECT_ROOT,
            env=farm.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert health("second").returncode == 0
    farm.stop("worker-second")
    unwell = health("second")
    assert unwell.returncode == 1
    assert unwell.stdout.endswith(": 0 live processes\n")
    farm.start("worker-second")
    farm.wait_ready()


def test_a_node_whose_model_cannot_be_loaded_ends_and_takes_no_piece(
    farm: Farm, tmp_path: Path, data_dir: Path
) -> None:
    damaged = tmp_path / "data"
    shutil.copytree(data_dir, damaged)
    for network in damaged.glob("prepared/*/*.onnx"):
        network.chmod(0o644)
        network.write_bytes(network.read_bytes()[:1000])
    own = Farm(tmp_path / "farm", damaged)
    own.redis.start()
    try:
        own.start("web")
        own.wait_ready("/healthz")
        waiting = own.submit(text=TEXT)
        own.start("worker-raner-mini-news")
        assert own.processes["worker-raner-mini-news"].wait(60) == 1
        *_, last = own.log("worker-raner-mini-news").splitlines()
        assert last.startswith("workers: model 'raner-mini-news' cannot be loaded from ")
        assert "remove that folder to have the model prepared anew" in last
        assert own.get(f"/api/v1/jobs/{waiting}").json()["status"] == "queued"
        shutil.rmtree(damaged)
        shutil.copytree(data_dir, damaged)
        own.start("worker-raner-mini-news")
        assert own.ended(waiting)["status"] == "succeeded"
    finally:
        own.clear_away()
