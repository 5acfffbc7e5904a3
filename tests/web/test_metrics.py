"""What Prometheus reads."""

from __future__ import annotations

import re
import time

from flask.testing import FlaskClient

from shared import registry
from shared.registry import WorkerInfo
from tests.web.conftest import NAME, VERSION, Worker


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


def test_cache_lookups_are_counted(client: FlaskClient, worker: Worker) -> None:
    hits, misses = (f'raner_cache_lookups_total{{outcome="{outcome}"}}' for outcome in ("hit", "miss"))
    before = value(client, hits), value(client, misses)
    worker.do(client.post("/api/v1/jobs", json={"text": "马云"}).get_json()["id"])
    client.post("/api/v1/jobs", json={"texts": ["马云", "新的"]})
    assert (value(client, hits), value(client, misses)) == (before[0] + 1, before[1] + 2)


def test_queues_jobs_and_workers_are_shown(client: FlaskClient, worker: Worker) -> None:
    client.post("/api/v1/jobs", json={"texts": ["马云"] * 40})
    info = WorkerInfo(
        id="a:1", model=NAME, version=VERSION, started=0, seen=time.time(), pieces=3, characters=70, busy_seconds=1.5
    )
    registry.beat(worker.redis, info)
    assert value(client, f'raner_queue_pieces{{model="{NAME}"}}') == 2
    assert value(client, f'raner_jobs_open{{model="{NAME}"}}') == 1
    assert value(client, f'raner_workers{{model="{NAME}"}}') == 1
    assert value(client, f'raner_worker_pieces_total{{model="{NAME}",worker="a:1"}}') == 3
    assert value(client, f'raner_worker_characters_total{{model="{NAME}",worker="a:1"}}') == 70
    assert value(client, f'raner_worker_busy_seconds_total{{model="{NAME}",worker="a:1"}}') == 1.5
