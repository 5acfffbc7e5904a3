"""The limit on a worker process's memory."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from shared.settings import MIB


def limit_memory(megabytes: int) -> None:
    """Let this process take so many MiB beyond what it has now; what goes beyond raises MemoryError (Linux only).

    The limit is of private memory that can be written to (``RLIMIT_DATA``), so a model that is mapped from a file, or
    shared with the parent process, does not count.
    """
    if sys.platform != "linux":
        return
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (used,) = (int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData:"))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = used + megabytes * MIB
    resource.setrlimit(resource.RLIMIT_DATA, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def replaced_beyond(megabytes: int) -> int:
    """The peak of resident memory, in KiB, after which a process is replaced between two tasks.

    Three quarters of the limit beyond what this process, from which the worker processes are forked, has now.
    """
    unit = 1 if sys.platform == "linux" else 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
    return int(used) + megabytes * 1024 * 3 // 4
