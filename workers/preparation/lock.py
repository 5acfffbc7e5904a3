"""One preparation at a time on a host, and no leftovers of one that was killed."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

_LOCK = ".lock"
_STAGING = ".staging-"


@contextmanager
def preparing(prepared_dir: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of the folder of prepared models; the kernel releases it when the process dies.

    Args:
        waiting: called once where another preparation holds it, before waiting for that.
    """
    prepared_dir.mkdir(parents=True, exist_ok=True)
    with (prepared_dir / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        # Nobody else holds the lock, so whatever is staged belongs to a preparation that was killed.
        for leftover in prepared_dir.glob(f"{_STAGING}*"):
            shutil.rmtree(leftover)
        yield


@contextmanager
def staging(prepared_dir: Path) -> Iterator[Path]:
    """A folder beside the prepared ones to work in, gone afterwards."""
    folder = Path(mkdtemp(prefix=_STAGING, dir=prepared_dir))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
