"""gunicorn's configuration: ``gunicorn -c web/gunicorn.py 'web.app:create_app()'``."""

# ruff: noqa: E402 - gevent changes the standard library's modules before others take anything from them
from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import os
import resource
import shutil
import sys
import tempfile
from typing import Any

from shared.errors import FarmError
from shared.exposure import check_exposure
from shared.redis_client import cache_url, redis_url, wait_for_redis
from shared.settings import settings
from web.headers import LONGEST_HEADER, LONGEST_REQUEST_LINE, MOST_HEADERS

_METRICS = "PROMETHEUS_MULTIPROC_DIR"

# A connection takes an open file, and the usual limit of those is not much above a process's connections.
_, _most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_most_files, _most_files))

try:
    settings()
    redis_url()
    cache_url()
    check_exposure(settings())
except FarmError as error:
    # gunicorn itself would print where in its code that happened.
    print(f"web: {error}", file=sys.stderr)
    sys.exit(1)

bind = f"{settings().host}:{settings().port}"
worker_class = "web.server.WebWorker"
workers = settings().web_processes
worker_connections = settings().web_connections
# The arbiter kills a process whose event loop has been blocked this long (seconds).
timeout = 120
# When a process is to end, requests that wait end at once (web/waiting.py). This is for bodies and answers under way.
# Orchestrators kill after 30 seconds.
graceful_timeout = 20
keepalive = 75
proc_name = "raner-web"
accesslog = None
# A runtime interface that nobody uses, at one path for all farms of a user.
control_socket_disable = True
limit_request_line = LONGEST_REQUEST_LINE
limit_request_field_size = LONGEST_HEADER
limit_request_fields = MOST_HEADERS
# By default a client of this host moves the application to another path with a header SCRIPT_NAME. The farm's path is
# a setting (web/prefix.py). Headers with an underscore are dropped, since WSGI does not tell them from those with a
# hyphen.
forwarder_headers = ""
header_map = "drop"
# gunicorn takes this variable for the same path.
os.environ.pop("SCRIPT_NAME", None)
loglevel = settings().log_level.lower()


def on_starting(server: Any) -> None:
    """Start once Redis answers; it may be starting beside this."""
    try:
        wait_for_redis()
    except FarmError as error:
        print(f"web: {error}", file=sys.stderr)
        sys.exit(1)
    # Where the web processes keep their metrics, so that any of them can answer for all.
    if _METRICS not in os.environ:
        server.metrics_of_its_own = os.environ[_METRICS] = tempfile.mkdtemp(prefix="raner-metrics-")


def on_exit(server: Any) -> None:
    """Leave no folder behind. A web process that ends does not come here: the others still need it."""
    if folder := getattr(server, "metrics_of_its_own", None):
        shutil.rmtree(folder)


def child_exit(_server: Any, worker: Any) -> None:
    """Drop the live gauges of a web process that ended."""
    # Not before PROMETHEUS_MULTIPROC_DIR is set: prometheus_client looks at it when it is imported.
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
