"""How many processors this process may use: the machine's, its affinity, and the quota of its container."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def usable_cpus(root: Path = Path("/")) -> int:
    """The number of processors, at least 1. A quota of a part of one counts as one.

    Args:
        root: where ``proc`` and ``sys`` are.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    cpus = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(1, min([cpus, *(math.ceil(quota) for quota in _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    """The quota of each control group that this process is in, as a number of processors."""
    cgroups = root / "sys" / "fs" / "cgroup"
    for controllers, path in _own_groups(root / "proc" / "self" / "cgroup"):
        if not controllers:  # version 2
            for folder in _with_parents(cgroups, path):
                quota, _, period = _read(folder / "cpu.max").partition(" ")
                yield from _ratio(quota, period)
        elif "cpu" in controllers.split(","):  # version 1
            for mount in (cgroups / controllers, cgroups / "cpu"):
                for folder in _with_parents(mount, path):
                    yield from _ratio(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))


def _own_groups(file: Path) -> Iterator[tuple[str, str]]:
    """The controllers and path of each line of ``/proc/self/cgroup``: ``4:cpu,cpuacct:/docker/6f1c``."""
    for line in _read(file).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number.isdigit():
            yield controllers, path


def _with_parents(mount: Path, path: str) -> Iterator[Path]:
    """The folders of a group and of those around it, whose quotas hold as well.

    Inside a container, the path may be the one on the host, which is not there; the mount is the container's group.
    """
    inner = PurePosixPath(path.lstrip("/"))
    for part in (inner, *inner.parents):
        if ".." not in part.parts:
            yield mount / part


def _ratio(quota: str, period: str) -> Iterator[float]:
    """Processors of a quota in a period, both in microseconds. There is none for ``max``, -1 or what cannot be read."""
    try:
        ratio = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return
    if ratio > 0:
        yield ratio


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
