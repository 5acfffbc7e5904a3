"""A Celery app with nothing to do: what Celery itself costs. :mod:`benchmarks.empty_task` starts its nodes.

``EMPTY_BROKER`` is the Redis, ``EMPTY_COUNTS`` a file of counters that the worker processes share, each adding to one
of its own, ``EMPTY_FIRST`` the first of those that a node has. ``EMPTY_PREFETCH`` is the prefetch multiplier,
``EMPTY_LATE`` is 1 where tasks are acknowledged late, ``EMPTY_TOGETHER`` how many tasks a list has.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from typing import Any

from billiard import current_process
from celery import Celery, Task

# One task a message; or one call of a function for a list of messages.
ONE, LIST = "empty.one", "empty.list"
# A list that does not fill is handed over after so many seconds.
PATIENCE = 0.05
# Counters in the file.
COUNTERS = 16

app = Celery("empty", broker=os.environ["EMPTY_BROKER"])
app.conf.update(
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_acks_late=os.environ["EMPTY_LATE"] == "1",
    worker_prefetch_multiplier=int(os.environ["EMPTY_PREFETCH"]),
    worker_disable_rate_limits=True,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    broker_connection_retry_on_startup=True,
)

with open(os.environ["EMPTY_COUNTS"], "r+b") as file:  # noqa: PTH123 - the descriptor is what counts
    _counts = memoryview(mmap.mmap(file.fileno(), 8 * COUNTERS)).cast("Q")
_first, _together = int(os.environ["EMPTY_FIRST"]), int(os.environ["EMPTY_TOGETHER"])


def _count(done: int) -> None:
    # A pool's processes are numbered; one that is no pool's has the node's first counter.
    _counts[_first + getattr(current_process(), "index", 0)] += done


@app.task(name=ONE)  # type: ignore[untyped-decorator]
def one() -> None:
    """Do nothing."""
    _count(1)


class _Lists(Task):  # type: ignore[misc]
    """A task whose messages are handed to the pool in lists, as celery-batches does; they are acknowledged early.

    That package is not taken: its newest version, 0.11, wants an older Celery than the farm's.
    """

    def Strategy(self, task: Task, app: Celery, consumer: Any) -> Callable[..., None]:  # noqa: ARG002
        """What Celery calls for each message."""
        waiting: list[str] = []

        def hand_over() -> None:
            if waiting:
                consumer.pool.apply_async(_do_list, (waiting[:],))
                waiting.clear()

        def receive(message: Any, *_: Any, **__: Any) -> None:
            waiting.append(message.headers["id"])
            message.ack()
            if len(waiting) >= _together:
                hand_over()
            elif len(waiting) == 1:
                consumer.timer.call_after(PATIENCE, hand_over)

        return receive


@app.task(name=LIST, base=_Lists)  # type: ignore[untyped-decorator]
def several() -> None:
    """Is never called itself: :func:`_do_list` is, for the whole list."""


def _do_list(ids: list[str]) -> None:
    _count(len(ids))
