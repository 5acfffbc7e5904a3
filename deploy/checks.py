"""What must hold before a farm is started. Each check that fails says in one sentence what to change."""

from __future__ import annotations

import fcntl
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import FarmError
from shared.exposure import flower_host
from shared.settings import Settings

MODELSCOPE_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*(@[\w./-]+)?")


class CannotStart(FarmError):
    """The machine, as it is, does not let a farm start."""


@contextmanager
def sole_farm_of(data_dir: Path) -> Iterator[None]:
    """Hold the data folder's lock; the kernel lets go of it when the last process of the launcher has ended.

    Raises:
        CannotStart: a farm is running on the folder, or it cannot be written to.
    """
    path = data_dir / "farm.lock"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise CannotStart(f"RANER_DATA_DIR: {data_dir} cannot be written to ({error.strerror})") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotStart(
                f"a farm runs on {data_dir} already (process {lock.read() or 'unknown'}); stop it, or give this one "
                "its own RANER_DATA_DIR, RANER_PORT and RANER_FLOWER_PORT"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def check_ports(settings: Settings) -> None:
    """Raise `CannotStart` where the web server or Flower could not listen."""
    if settings.port == settings.flower_port:
        raise CannotStart(f"RANER_PORT and RANER_FLOWER_PORT are both {settings.port}; give them different ports")
    for variable, host, port in (
        ("RANER_PORT", settings.host, settings.port),
        ("RANER_FLOWER_PORT", flower_host(settings), settings.flower_port),
    ):
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
        except socket.gaierror as error:
            raise CannotStart(f"RANER_HOST: {host!r} is no address ({error.strerror})") from None
        with socket.socket(family, kind, protocol) as probe:
            # As the servers do: connections of the last run that linger in TIME_WAIT do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                raise CannotStart(
                    f"{variable}: cannot listen on {host}:{port} ({error.strerror}); give another port, "
                    f"as in `make run {variable}={port + 1 if port < 65535 else 8000}`"
                ) from None


def check_models(settings: Settings) -> None:
    """Raise `CannotStart` where a source of a model is a folder that is not there."""
    for name, source in settings.sources.items():
        if not Path(source).is_dir() and not MODELSCOPE_ID.fullmatch(source):
            raise CannotStart(
                f"RANER_MODELS: the source of {name}, {source}, is no folder and no ModelScope id (owner/name)"
            )
