"""Flower's configuration: ``celery --app=shared.celery_app flower --conf=shared/flower.py``.

Flower takes the names below for its options.
"""

from __future__ import annotations

from shared.exposure import flower_host
from shared.settings import settings

USER = "farm"

address = flower_host(settings())
port = settings().flower_port
url_prefix = settings().flower_path
# The buttons would let anyone who reaches the port stop the workers.
read_only = True
# Here and not on the command line, which every user of the machine can read.
if settings().flower_password:
    basic_auth = [f"{USER}:{settings().flower_password.get_secret_value()}"]
# Kept in memory: 100,000, the default, come to hundreds of megabytes.
max_tasks = 10_000
# Seconds. Otherwise every worker that ever ran stays on the page.
purge_offline_workers = 300
# A turn's result tells its pieces, its characters and the ids of its jobs.
tasks_columns = "name,state,result,received,runtime,worker,uuid"
# Worker nodes always send events, and they obey no commands. Otherwise Flower would tell them to send events.
enable_events = False
