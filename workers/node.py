"""A worker node: Celery's parent process and, in each of its children, one :class:`WorkerProcess`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import structlog
from celery import signals

from shared.celery_app import app
from shared.errors import ModelError
from shared.job_store import JobStore
from shared.queues import queue_name
from shared.redis_client import redis_client
from shared.registry import node_name
from shared.settings import settings
from workers.background import Background
from workers.process import WorkerProcess
from workers.sweep import INTERVAL, sweep_in_turn

log = structlog.get_logger()

_process: WorkerProcess | None = None


def current_process() -> WorkerProcess:
    """The worker process that a task runs in.

    Raises:
        RuntimeError: called outside one.
    """
    if _process is None:
        raise RuntimeError("no model is loaded here: tasks run in a worker process only")
    return _process


def run(model: str, prepared: Path) -> int:
    """Run a node for one model until it is told to stop. Returns the exit status."""
    node = node_name(model)
    redis = redis_client()
    jobs = JobStore(redis)
    sweeper = Background("sweep", INTERVAL, lambda: sweep_in_turn(jobs, redis, model))

    not_loaded = multiprocessing.Event()

    def load_model(**_: object) -> None:
        global _process
        try:
            _process = WorkerProcess.start(node, model, prepared, settings().threads)
        except Exception:
            # Celery would keep a process that holds no model, and it would fail one piece after the other.
            log.exception("model not loaded", model=model, folder=str(prepared))
            not_loaded.set()
            os.kill(os.getppid(), signal.SIGTERM)
            sys.exit(1)

    def unload_model(**_: object) -> None:
        if _process is not None:
            _process.stop()

    def start_sweeper(**_: object) -> None:
        sweeper.start()

    signals.worker_process_init.connect(load_model, weak=False)
    signals.worker_process_shutdown.connect(unload_model, weak=False)
    signals.worker_ready.connect(start_sweeper, weak=False)

    worker = app.Worker(
        hostname=node,
        queues=[queue_name(model)],
        concurrency=settings().workers,
        pool="prefork",
        loglevel=settings().log_level,
        task_events=True,
        optimization="fair",
        without_mingle=True,
        without_gossip=True,
    )
    worker.start()
    if not_loaded.is_set():
        raise ModelError(
            f"model {model!r} cannot be loaded from {prepared}, the log says why; remove that folder to have the model "
            "prepared anew"
        )
    return int(worker.exitcode or 0)
