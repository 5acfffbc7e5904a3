"""How Celery talks to Redis: kombu's Redis transport without redelivery.

A Celery message is a wake-up: if it is lost, the next heartbeat of a worker process sends another. So nothing has to
be remembered until a worker has acknowledged it. kombu's bookkeeping for that costs several commands a message, and
hands messages back at the wrong moment: when the connection is lost, which ends the worker node (AttributeError:
'NoneType' object has no attribute 'hostname', seen with kombu 5.7.0 in 1 of 15 restarts of Redis), and at shutdown,
which then takes half a minute.
"""

from __future__ import annotations

from kombu.transport import redis


class Channel(redis.Channel):
    """A channel whose unacknowledged messages are forgotten when it closes."""

    ack_emulation = False
    do_restore = False


class Transport(redis.Transport):
    """kombu's Redis transport with this module's channel."""

    Channel = Channel
