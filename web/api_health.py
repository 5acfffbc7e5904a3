"""``/healthz``, ``/readyz`` and ``/metrics``: for load balancers, orchestrators and Prometheus."""

from __future__ import annotations

import structlog
from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from redis import Redis
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError

from shared import keys, registry
from shared.redis_client import UNAVAILABLE, redis_client
from shared.redis_replies import PersistenceError, TooFewReplicasError
from shared.settings import settings
from web import metrics
from web.farm import farm
from web.problems import problems
from web.schemas import HealthView

log = structlog.get_logger()

api = APIBlueprint("health", __name__, abp_tags=[Tag(name="Operation")])

# Seconds. A load balancer's own time-out is a few.
READY_WITHIN = 0.5
# Said to anybody who asks, so without addresses.
REFUSALS = {
    OutOfMemoryError: "its memory is full",
    ReadOnlyError: "it is a read-only replica",
    PersistenceError: "it cannot write its disk",
    TooFewReplicasError: "it has too few replicas",
}


@api.get("/healthz", summary="Liveness", responses={200: HealthView})
def healthz() -> Response:
    """Whether the web process answers at all; it asks nothing else."""
    return jsonify(status="ok")


@api.get("/readyz", summary="Readiness", responses={200: HealthView, 503: HealthView})
def readyz() -> Response:
    """Whether a job would be done now: Redis takes it, and a worker that has its model loaded is alive.

    Ready with one served model is ready: a load balancer should not turn away the texts of all for the sake of
    another. `checks` has the state of each.
    """
    redis = redis_client(timeout=READY_WITHIN, patience=0)
    checks: dict[str, str] = {}
    try:
        _write_nothing(redis)
        crews = registry.crews(redis, list(settings().sources))
    except RedisError as error:
        log.warning("not ready", error=str(error))
        checks["redis"] = _reason(error)
    else:
        checks["redis"] = "ok"
        for model in settings().sources:
            checks[f"worker {model}"] = "ok" if crews[model].workers else "no worker process has this model loaded"
    ready = any(checks.get(f"worker {model}") == "ok" for model in settings().sources)
    response = jsonify(status="ready" if ready else "not ready", checks=checks)
    response.status_code = 200 if ready else 503
    return response


def _write_nothing(redis: Redis) -> None:
    """Ask Redis for a write that changes nothing, so that it says whether it takes any."""
    redis.setrange(keys.ready(), 0, b"")


def _reason(error: RedisError) -> str:
    for kind, reason in REFUSALS.items():
        if isinstance(error, kind):
            return f"takes nothing new: {reason}"
    return "does not answer" if isinstance(error, UNAVAILABLE) else "refuses the farm's commands"


@api.get(
    "/metrics",
    summary="Prometheus metrics",
    responses={200: {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}}, **problems(503)},
)
def get_metrics() -> Response:
    """Requests, latencies, cache, queues, jobs and workers, in Prometheus's text format."""
    return metrics.metrics(farm())
