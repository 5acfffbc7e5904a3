"""The one Celery task: a turn at the pieces that wait."""

from __future__ import annotations

import structlog

from shared.celery_app import app, wake
from shared.redis_client import REFUSES_WRITES, UNAVAILABLE
from shared.wakeup import RECOGNISE
from workers.node import current_process
from workers.turn import Turn

log = structlog.get_logger()

# Characters of a turn's summary that Flower is sent: the ids of all its jobs.
SUMMARY_LENGTH = 16_384


@app.task(name=RECOGNISE, ignore_result=True, resultrepr_maxsize=SUMMARY_LENGTH)  # type: ignore[untyped-decorator]
def recognise() -> str:
    """Do pieces of whichever jobs until none come any more, or for some seconds.

    Returns what was done, for Flower to show.
    """
    process = current_process()
    turn = Turn(process)
    try:
        if turn.run():
            wake(process.model.name)
    except (*UNAVAILABLE, *REFUSES_WRITES) as error:
        # What was in hand is claimed by another process; the next heartbeat that Redis takes sends a wake-up.
        log.warning("the turn ends, Redis does not answer", error=str(error))
    return turn.summary()
