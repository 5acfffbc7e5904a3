"""Prometheus metrics of the web side, and of the farm as its Redis shows it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from http import HTTPMethod

from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY, Collector

from shared.piece_stream import backlog
from web.farm import Farm

# Upper bounds; there is one more for what took longer.
SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Counter("raner_http_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "raner_http_request_seconds",
    "Seconds to answer a request.",
    ["route"],
    buckets=SECONDS_BUCKETS,
)
CACHE_LOOKUPS = Counter("raner_cache_lookups", "Texts looked up in the result cache.", ["outcome"])
CACHE_HITS, CACHE_MISSES = CACHE_LOOKUPS.labels("hit"), CACHE_LOOKUPS.labels("miss")


class FarmCollector(Collector):
    """Queues, jobs and workers, read from Redis when they are asked for."""

    def __init__(self, farm: Farm) -> None:
        self._farm = farm

    def collect(self) -> Iterator[Metric]:
        """The farm's figures now."""
        open_pieces = GaugeMetricFamily(
            "raner_queue_pieces", "Pieces of open jobs that are not done.", labels=["model"]
        )
        in_stream = GaugeMetricFamily(
            "raner_stream_pieces",
            "Pieces in a lane's stream: those that no worker process has taken, and those that one has in hand.",
            labels=["model", "lane", "state"],
        )
        open_jobs = GaugeMetricFamily("raner_jobs_open", "Jobs that have not ended.", labels=["model"])
        alive = GaugeMetricFamily("raner_workers", "Live worker processes with a loaded model.", labels=["model"])
        pieces = CounterMetricFamily("raner_worker_pieces", "Pieces recognised.", labels=["model", "worker"])
        chars = CounterMetricFamily("raner_worker_characters", "Characters recognised.", labels=["model", "worker"])
        busy = CounterMetricFamily("raner_worker_busy_seconds", "Seconds of recognition.", labels=["model", "worker"])
        crews = self._farm.crews()
        for load in self._farm.loads(crews):
            open_pieces.add_metric([load.name], load.queue)
            open_jobs.add_metric([load.name], load.open_jobs)
            alive.add_metric([load.name], load.workers)
            for lane, (waiting, pending) in backlog(self._farm.redis, load.name).items():
                in_stream.add_metric([load.name, lane, "waiting"], waiting)
                in_stream.add_metric([load.name, lane, "pending"], pending)
        for crew in crews.values():
            for worker in crew.workers:
                labels = [worker.model, worker.id]
                pieces.add_metric(labels, worker.pieces)
                chars.add_metric(labels, worker.characters)
                busy.add_metric(labels, worker.busy_seconds)
        yield from (open_pieces, in_stream, open_jobs, alive, pieces, chars, busy)


def web_registry() -> CollectorRegistry:
    """The metrics of every web process where gunicorn runs several, else of this one."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    of_all = CollectorRegistry()
    MultiProcessCollector(of_all)  # type: ignore[no-untyped-call]
    return of_all


def metrics(farm: Farm) -> Response:
    """All metrics, in Prometheus's text format."""
    farm_registry = CollectorRegistry()
    farm_registry.register(FarmCollector(farm))
    text = generate_latest(web_registry()) + generate_latest(farm_registry)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def register(app: Flask) -> None:
    """Count and time every request of ``app``."""

    @app.before_request
    def _start() -> None:
        g.request_began = time.perf_counter()

    @app.after_request
    def _count(response: Response) -> Response:
        # The rule, not the path: ids in labels would make a series each.
        route = request.url_rule.rule if request.url_rule else "none"
        # And only HTTP's own methods: a client can make up any number of others.
        method = request.method if request.method in HTTPMethod.__members__ else "other"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(route).observe(time.perf_counter() - g.request_began)
        return response
