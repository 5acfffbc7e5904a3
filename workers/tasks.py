"""The one Celery task: a turn at the pieces that wait."""

from __future__ import annotations

from celery import Task

from shared.celery_app import app, send_turn
from shared.queues import RECOGNISE
from workers.node import current_process
from workers.turn import PieceFailed, Turn


@app.task(name=RECOGNISE, bind=True, max_retries=None)  # type: ignore[untyped-decorator]
def recognise(task: Task) -> dict[str, object]:
    """Do pieces of whichever jobs until none come any more, or for a second.

    Returns what was done, for Flower to show.
    """
    process = current_process()
    turn = Turn(process, str(task.request.id))
    try:
        wake = turn.run()
    except PieceFailed as failed:
        # The turn comes again under its id, and finds the piece that it still holds.
        send_turn(process.model.name)
        raise task.retry(exc=failed, countdown=failed.pause) from failed
    if wake:
        send_turn(process.model.name)
    return turn.summary()
