"""``/healthz``, ``/readyz`` and ``/metrics``: for load balancers, orchestrators and Prometheus."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from shared import registry
from shared.redis_client import UNAVAILABLE
from shared.settings import settings
from web import metrics
from web.farm import farm
from web.problems import problems
from web.schemas import HealthView

api = APIBlueprint("health", __name__, abp_tags=[Tag(name="Operation")])


@api.get("/healthz", summary="Liveness", responses={200: HealthView})
def healthz() -> Response:
    """Whether the web process answers at all; it asks nothing else."""
    return jsonify(status="ok")


@api.get("/readyz", summary="Readiness", responses={200: HealthView, 503: HealthView})
def readyz() -> Response:
    """Whether a job would be done now: Redis answers, and for each model a worker that has it loaded is alive."""
    checks: dict[str, str] = {}
    try:
        alive = {worker.model for worker in registry.workers(farm().redis)}
    except UNAVAILABLE as error:
        checks["redis"] = f"does not answer: {error}"
    else:
        checks["redis"] = "ok"
        for model in settings().sources:
            checks[f"worker {model}"] = "ok" if model in alive else "no worker process has this model loaded"
    ready = all(check == "ok" for check in checks.values())
    response = jsonify(status="ready" if ready else "not ready", checks=checks)
    response.status_code = 200 if ready else 503
    return response


@api.get(
    "/metrics",
    summary="Prometheus metrics",
    responses={200: {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}}, **problems(503)},
)
def get_metrics() -> Response:
    """Requests, latencies, cache, queues, jobs and workers, in Prometheus's text format."""
    return metrics.metrics(farm())
