"""A worker node: Celery's parent process and, in each of its children, one :class:`WorkerProcess`."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from billiard.process import current_process as current_child
from celery import bootsteps, signals

from shared.celery_app import app
from shared.errors import ModelError
from shared.keys import queue_name
from shared.registry import node_name
from shared.settings import settings
from workers.engine.recogniser import Recogniser
from workers.loading import LoadedModel, is_forkable, load
from workers.memory import limit_memory, replaced_beyond
from workers.orphans import die_with_parent
from workers.process import WorkerProcess
from workers.remote_control import answer_questions_only
from workers.seat import node_seat
from workers.slots import LOOK_EVERY, Slots

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

    If the model has no threads of its own it is loaded once, before the worker processes are forked, which so share
    its memory. Threads do not survive a fork: a model that has any is loaded by each process for itself. For the same
    reason the parent starts no thread.

    Args:
        load: makes a recogniser of the prepared folder, with so many engine threads.

    Raises:
        ModelError: the model cannot be loaded.
    """
    with node_seat(model) as number:
        return _run(model, node_name(model, number), prepared, load)


def _run(model: str, node: str, prepared: Path, load: Callable[[Path, int], Recogniser]) -> int:
    slots, parent = Slots(settings().workers), os.getpid()
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

    def start_process(**_: object) -> None:
        global _process
        try:
            die_with_parent(parent)
            limit_memory(settings().worker_memory_mb)
            _process = WorkerProcess.start(node, current_child().index, slots, shared_model or load_model())
        except Exception:
            # Celery would keep a process that holds no model, and it would fail one piece after the other.
            log.exception("model not loaded", model=model, folder=str(prepared))
            slots.fail_model()
            os.kill(os.getppid(), signal.SIGTERM)
            sys.exit(1)

    def stop_process(**_: object) -> None:
        if _process is not None:
            _process.stop()

    def end(**_: object) -> None:
        slots.end()

    signals.worker_process_init.connect(start_process, weak=False)
    signals.worker_process_shutdown.connect(stop_process, weak=False)
    signals.worker_shutting_down.connect(end, weak=False)
    app.steps["consumer"].add(_supervision(slots))
    answer_questions_only()

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
        max_memory_per_child=replaced_beyond(settings().worker_memory_mb),
    )
    worker.start()
    if slots.model_failed:
        raise not_loaded
    return int(worker.exitcode or 0)


def _supervision(slots: Slots) -> type[bootsteps.StartStopStep]:
    """What makes Celery's event loop look after the worker processes. No thread does: the parent forks."""

    class Supervision(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
        requires = ("celery.worker.consumer.tasks:Tasks",)

        def start(self, consumer: Any) -> None:
            self._timer = consumer.timer.call_repeatedly(LOOK_EVERY, slots.kill_silent)

        def stop(self, _consumer: Any) -> None:
            self._timer.cancel()

    return Supervision
