"""A worker node: Celery's parent process and, in each of its children, one :class:`WorkerProcess`."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from celery import signals

from shared.celery_app import app
from shared.errors import ModelError
from shared.piece_queue import PieceQueue
from shared.queues import queue_name
from shared.redis_client import redis_client
from shared.registry import node_name
from shared.settings import settings
from workers.background import Background
from workers.engine.recogniser import Recogniser
from workers.loading import LoadedModel, is_forkable, load
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


def run(model: str, prepared: Path, load: Callable[[Path, int], Recogniser] = load) -> int:
    """Run a node for one model until it is told to stop. Returns the exit status.

    Where the model has no threads of its own it is loaded once, before the worker processes are forked, which so share
    its memory. Threads do not survive a fork: a model that has any is loaded by each process for itself.

    Args:
        load: makes a recogniser of the prepared folder, with so many engine threads.

    Raises:
        ModelError: the model cannot be loaded.
    """
    node = node_name(model)
    redis = redis_client()
    queue = PieceQueue(redis, model)
    sweeper = Background("sweep", INTERVAL, lambda: sweep_in_turn(queue, redis, model))
    not_loaded = ModelError(
        f"model {model!r} cannot be loaded from {prepared}, the log says why; remove that folder to have the model "
        "prepared anew"
    )

    def load_model() -> LoadedModel:
        began = time.monotonic()
        loaded = LoadedModel.of(model, prepared, load(prepared, settings().threads))
        seconds = round(time.monotonic() - began, 2)
        log.info("model loaded", model=model, version=loaded.info.version, backend=loaded.info.backend, seconds=seconds)
        return loaded

    shared_model: LoadedModel | None = None
    if is_forkable(prepared, settings().threads):
        try:
            shared_model = load_model()
        except Exception as error:
            log.exception("model not loaded", model=model, folder=str(prepared))
            raise not_loaded from error
        # What the collector would touch in each process would become that process's own copy.
        gc.collect()
        gc.freeze()

    failed = multiprocessing.Event()

    def start_process(**_: object) -> None:
        global _process
        try:
            _process = WorkerProcess.start(node, shared_model or load_model())
        except Exception:
            # Celery would keep a process that holds no model, and it would fail one piece after the other.
            log.exception("model not loaded", model=model, folder=str(prepared))
            failed.set()
            os.kill(os.getppid(), signal.SIGTERM)
            sys.exit(1)

    def stop_process(**_: object) -> None:
        if _process is not None:
            _process.stop()

    def start_sweeper(**_: object) -> None:
        sweeper.start()

    signals.worker_process_init.connect(start_process, weak=False)
    signals.worker_process_shutdown.connect(stop_process, weak=False)
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
    if failed.is_set():
        raise not_loaded
    return int(worker.exitcode or 0)
