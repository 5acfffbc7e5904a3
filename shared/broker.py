"""How Celery talks to Redis: kombu's Redis transport without redelivery, and without messages that are not the farm's.

A Celery message is a wake-up: if it is lost, the next heartbeat of a worker process sends another. So nothing has to
be remembered until a worker has acknowledged it. kombu's bookkeeping for that costs several commands a message, and
hands messages back at the wrong moment: when the connection is lost, which ends the worker node (AttributeError:
'NoneType' object has no attribute 'hostname', seen with kombu 5.7.0 in 1 of 15 restarts of Redis), and at shutdown,
which then takes half a minute.

For the same reason any other message can be dropped. In kombu 5.7.0 one that it cannot read ends the worker node, and
one that fails later is counted as under way for ever, until the node takes no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any

import structlog
from kombu.transport import redis

from shared.wakeup import QUEUES, is_wakeup

log = structlog.get_logger()


class Channel(redis.Channel):
    """A channel whose unacknowledged messages are forgotten when it closes, and that drops what it cannot read."""

    ack_emulation = False
    do_restore = False

    def _brpop_read(self, **options: Any) -> Any:
        """Called when there is a message in a queue."""
        with self._dropping("a queue"):
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]

    def _receive_one(self, client: Any) -> Any:
        """Called when there is an event, or a command of Celery's remote control."""
        with self._dropping("a channel"):
            return super()._receive_one(client)  # type: ignore[no-untyped-call]

    @contextmanager
    def _dropping(self, source: str) -> Iterator[None]:
        """Drop the message on which kombu fails. Whatever is wrong with it, it is not the farm's.

        The log says nothing of the message, which may be anything.
        """
        try:
            yield
        except (Empty, *self.connection_errors, *self.connection.channel_errors):
            raise
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("a message is refused", source=source, why=type(error).__name__)
            # kombu takes it for "nothing was there".
            raise Empty from None


class Transport(redis.Transport):
    """kombu's Redis transport with this module's channel."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        """Called with each message that could be read as JSON."""
        if queue.startswith(QUEUES) and not is_wakeup(message):
            raise ValueError("it is no wake-up")
        super()._deliver(message, queue)  # type: ignore[no-untyped-call]
