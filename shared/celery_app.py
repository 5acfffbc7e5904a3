"""The Celery app: how turns travel through Redis. The task itself is in ``workers.tasks``.

``shared`` imports neither side, so the web side sends the task by its name.
"""

from __future__ import annotations

import ssl

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from shared.queues import RECOGNISE, queue_name
from shared.redis_client import UNAVAILABLE, redis_url
from shared.settings import settings

log = structlog.get_logger()

app = Celery("raner-farm", broker=redis_url(), set_as_current=True)
app.conf.update(
    # Results live in the job record; Celery's own would be a second copy.
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue=queue_name(settings().default),
    # At least once: a turn is acknowledged when its pieces are done, and comes back when its worker is lost.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    # A turn still running when Redis would deliver it again is hung: end it.
    task_time_limit=settings().visibility_timeout,
    broker_transport_options={
        "visibility_timeout": settings().visibility_timeout,
        # Look for lost turns every 5 seconds; kombu's defaults make it 100.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        # A worker killed while it looks keeps the others from looking for so long; kombu's default is 300.
        "unacked_mutex_expire": 30,
        "socket_keepalive": True,
        "health_check_interval": 30,
    },
    # kombu verifies no certificate unless it is told to.
    broker_use_ssl={"ssl_cert_reqs": ssl.CERT_REQUIRED} if redis_url().startswith("rediss:") else None,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A cold model of BERT-base size takes seconds to load in each new process.
    worker_proc_alive_timeout=120,
    worker_send_task_events=True,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    # Nobody sets a rate limit; without them the worker's hot path is shorter.
    worker_disable_rate_limits=True,
)


def send_turn(model: str) -> None:
    """Put a turn into the model's Celery queue: a worker process that is free will take pieces up.

    Where Redis does not take it that is only noted: the pieces wait all the same, and the sweep of a worker node sends
    one.
    """
    try:
        app.send_task(RECOGNISE, queue=queue_name(model))
    except (OperationalError, *UNAVAILABLE) as error:
        log.warning("no turn could be sent, the sweep will", model=model, error=str(error))
