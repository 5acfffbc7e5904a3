"""What Prometheus reads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
from flask.testing import FlaskClient

from tests.support.web_server import running_web_server
from tests.web.conftest import NAME, Worker


def value(client: FlaskClient, series: str) -> float:
    text = client.get("/metrics").get_data(as_text=True)
    match = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(match[1]) if match else 0.0


def test_requests_are_counted_by_route_not_by_address(client: FlaskClient) -> None:
    series = 'raner_http_requests_total{method="GET",route="/api/v1/jobs/<string:job_id>",status="404"}'
    before = value(client, series)
    client.get("/api/v1/jobs/one")
    client.get("/api/v1/jobs/two")
    assert value(client, series) == before + 2
    assert "/api/v1/jobs/one" not in client.get("/metrics").get_data(as_text=True)


def test_an_address_that_is_not_there_makes_no_series_of_its_own(client: FlaskClient) -> None:
    series = 'raner_http_requests_total{method="GET",route="none",status="404"}'
    before = value(client, series)
    client.get("/one")
    client.get("/two")
    assert value(client, series) == before + 2


def test_a_method_that_somebody_made_up_makes_no_series_of_its_own(client: FlaskClient) -> None:
    series = 'raner_http_requests_total{method="other",route="none",status="405"}'
    before = value(client, series)
    client.open("/ner", method="BREW")
    client.open("/ner", method="STEEP")
    assert value(client, series) == before + 2
    assert "BREW" not in client.get("/metrics").text


def test_answers_are_timed_by_route(client: FlaskClient) -> None:
    series = 'raner_http_request_seconds_count{route="/healthz"}'
    before = value(client, series)
    client.get("/healthz")
    assert value(client, series) == before + 1
    assert 0 < value(client, 'raner_http_request_seconds_sum{route="/healthz"}') < 60


def test_prometheus_is_told_its_own_format(client: FlaskClient) -> None:
    assert client.get("/metrics").content_type.startswith("text/plain; version=")


def test_each_served_model_has_its_figures(client: FlaskClient, with_settings: Callable[..., None]) -> None:
    with_settings(models=f"{NAME}=x,other=y")
    text = client.get("/metrics").text
    for gauge in ("raner_queue_pieces", "raner_jobs_open", "raner_workers"):
        assert f'{gauge}{{model="{NAME}"}} 0.0' in text
        assert f'{gauge}{{model="other"}} 0.0' in text


def test_cache_lookups_are_counted(client: FlaskClient, worker: Worker) -> None:
    hits, misses = (f'raner_cache_lookups_total{{outcome="{outcome}"}}' for outcome in ("hit", "miss"))
    before = value(client, hits), value(client, misses)
    worker.do(client.post("/api/v1/jobs", json={"text": "马云"}).get_json()["id"])
    client.post("/api/v1/jobs", json={"texts": ["马云", "新的"]})
    assert (value(client, hits), value(client, misses)) == (before[0] + 1, before[1] + 2)


def test_queues_jobs_and_workers_are_shown(client: FlaskClient, worker: Worker) -> None:
    client.post("/api/v1/jobs", json={"texts": ["马云"] * 40})
    worker.beat(pieces=3, characters=70, busy_seconds=1.5)
    worker.take()
    assert value(client, f'raner_queue_pieces{{model="{NAME}"}}') == 2
    for state in ("waiting", "pending"):
        assert value(client, f'raner_stream_pieces{{lane="bulk",model="{NAME}",state="{state}"}}') == 1
    assert value(client, f'raner_jobs_open{{model="{NAME}"}}') == 1
    assert value(client, f'raner_workers{{model="{NAME}"}}') == 1
    assert value(client, f'raner_worker_pieces_total{{model="{NAME}",worker="a:1"}}') == 3
    assert value(client, f'raner_worker_characters_total{{model="{NAME}",worker="a:1"}}') == 70
    assert value(client, f'raner_worker_busy_seconds_total{{model="{NAME}",worker="a:1"}}') == 1.5


def test_each_of_several_processes_answers_for_all(tmp_path: Path) -> None:
    # Processes of their own: prometheus_client decides when it is imported.
    call = "import sys; from web.app import create_app; print(create_app().test_client().get(sys.argv[1]).text)"

    def ask(path: str) -> str:
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        return subprocess.run(
            [sys.executable, "-c", call, path], env=environment, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    for _ in range(2):
        ask("/healthz")
    assert 'raner_http_requests_total{method="GET",route="/healthz",status="200"} 2.0' in ask("/metrics")


def test_the_figures_outlive_a_process_and_end_with_the_server(tmp_path: Path) -> None:
    """A web process that ended took the figures of all with it."""
    with running_web_server(tmp_path, {}, TMPDIR=str(tmp_path)) as server:
        (first,) = psutil.Process(server.process.pid).children()
        first.terminate()
        first.wait(60)
        assert server.status("/metrics") == 200
        assert list(tmp_path.glob(f"raner-metrics-*/*_{first.pid}.db"))
    assert not list(tmp_path.glob("raner-metrics-*"))
