"""The number of a node among those of one model on one host, so that the names of their worker processes differ."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.redis_client import redis_url
from shared.registry import node_name
from shared.settings import settings


@contextmanager
def node_seat(model: str) -> Iterator[int]:
    """The lowest number, from 1, that no running node of the model has on this host and this farm.

    A lock on a temporary file holds it; the kernel lets go of that when the node ends, however it does. A node that
    starts anew gets the number, and so the names, that it had. Nodes with data folders of their own see one another.
    """
    farm = hashlib.sha256(f"{redis_url()} {settings().key_prefix}".encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"raner-farm-{os.getuid()}" / farm
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = 1
    while True:
        with (folder / f"{node_name(model, number)}.lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                number += 1
            else:
                yield number
                return
