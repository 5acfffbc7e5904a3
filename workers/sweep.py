"""Finds pieces whose turn was lost, and puts them back into the queue.

A turn goes missing in two ways: the web process died or lost Redis between recording a job and sending a turn, or the
broker lost the message (a worker killed between taking it and noting that it had it). A piece that only runs twice does
no harm, and a turn in vain none either, so the sweep need not be certain, only slow to act.
"""

from __future__ import annotations

import time

import structlog
from redis import Redis

from shared.celery_app import send_turn
from shared.piece_queue import PieceQueue
from shared.settings import settings

log = structlog.get_logger()

# Seconds between two sweeps of a model's queue.
INTERVAL = 5.0
# Seconds beyond the visibility timeout, after which the broker has surely delivered a lost turn again by itself.
LOST_GRACE = 30.0


def sweep(queue: PieceQueue, model: str) -> list[str]:
    """Put a model's lost pieces back, and send a turn where pieces wait and none does. Returns their names."""
    back = queue.sweep(lost_before=time.time() - settings().visibility_timeout - LOST_GRACE)
    names = [piece.name for piece in back.pieces]
    if names:
        log.warning("lost pieces put back", pieces=names)
    if back.wake:
        send_turn(model)
    return names


def sweep_in_turn(queue: PieceQueue, redis: Redis, model: str) -> list[str]:
    """:func:`sweep`, unless a node did within the last :data:`INTERVAL` or is at it now."""
    # The lock is left to expire, which also spaces the sweeps of many nodes.
    if not redis.set(f"raner:sweep:{model}", "1", nx=True, px=int(INTERVAL * 900)):
        return []
    return sweep(queue, model)
