"""The Celery app: how wake-ups travel. The task itself is in ``workers.tasks``.

A wake-up is a Celery message that carries nothing. The worker process that gets it reads the model's streams until
they are empty. Who sends one: web, if the script that recorded a job says so; a worker process that takes pieces and
leaves some, or that ends its turn while some wait; and each worker process's heartbeat. The scripts say so if more
pieces wait than processes are waiting for pieces, and no wake-up is in Celery's queue. A wake-up that is lost is
replaced by the next heartbeat, within two seconds. A wake-up too many finds nothing and ends.

``shared`` imports neither side, so the web side sends the task by its name.
"""

from __future__ import annotations

import ssl

import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from shared.keys import celery_prefix, queue_name
from shared.redis_client import certificates, redis_url
from shared.settings import settings
from shared.wakeup import RECOGNISE

# Seconds that Celery gives Redis, for a connection and for an answer. Its own default is to wait for ever.
TIMEOUT = 3.0

log = structlog.get_logger()

app = Celery("raner-farm", broker=redis_url(), set_as_current=True)
app.conf.update(
    broker_transport="shared.broker:Transport",
    # Results live in the job record; Celery's own would be a second copy.
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue=queue_name(settings().default),
    # A node takes a wake-up only if one of its processes is free: those that are under way are not acknowledged.
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    broker_transport_options={
        "global_keyprefix": celery_prefix(),
        "socket_timeout": TIMEOUT,
        "socket_connect_timeout": TIMEOUT,
        "socket_keepalive": True,
        "health_check_interval": 30,
    },
    # kombu verifies no certificate unless it is told to.
    broker_use_ssl=(
        {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True, **certificates()}
        if redis_url().startswith("rediss:")
        else None
    ),
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


def wake(model: str) -> None:
    """Send a wake-up to the model's workers: a process that is free will read the streams.

    If Redis does not take it that is only noted: the pieces wait all the same, and a heartbeat sends another.
    """
    try:
        app.send_task(RECOGNISE, queue=queue_name(model), retry=False)
    except (OperationalError, RedisError) as error:
        log.warning("no wake-up could be sent, a heartbeat will", model=model, error=str(error))
