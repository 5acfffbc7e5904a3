"""What a farm's processes use: processor time and memory, part by part."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
from redis import Redis

from tests.support.farm import Farm

# Between two looks at the memory (seconds). A look takes milliseconds of the processor.
INTERVAL = 0.2

Parts = Mapping[str, Sequence[psutil.Process]]


def parts_of(farm: Farm) -> dict[str, list[psutil.Process]]:
    """The processes of ``web``, ``workers``, ``redis`` and ``flower``, as they are now."""
    with Redis.from_url(farm.redis.url) as redis:
        parts = {"redis": [psutil.Process(redis.info("server")["process_id"])]}
    for name, process in farm.processes.items():
        part = "workers" if name.startswith("worker-") else name
        parts.setdefault(part, []).extend(family(process.pid))
    return parts


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it has started."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def cpu_seconds(parts: Parts) -> dict[str, float]:
    """Processor seconds that each part has used since it started."""
    return {
        name: sum(times.user + times.system for times in (process.cpu_times() for process in processes))
        for name, processes in parts.items()
    }


def proportional(processes: Sequence[psutil.Process]) -> int:
    """Bytes that the processes hold together (PSS): a page that several share counts once."""
    return sum(process.memory_full_info().pss for process in processes)


@dataclass
class Peak:
    """The most bytes (PSS) that each part held at once, and that the largest process of it held."""

    whole: dict[str, int] = field(default_factory=dict)
    largest: dict[str, int] = field(default_factory=dict)

    def look(self, parts: Parts) -> None:
        """Take account of what the parts hold now."""
        for name, processes in parts.items():
            each = [proportional([process]) for process in processes]
            self.whole[name] = max(self.whole.get(name, 0), sum(each))
            self.largest[name] = max(self.largest.get(name, 0), *each)


@contextmanager
def watched(parts: Parts) -> Iterator[Peak]:
    """The peak of the parts' memory while the context lasts, looked at every :data:`INTERVAL` seconds."""
    peak, ended = Peak(), threading.Event()

    def watch() -> None:
        while not ended.wait(INTERVAL):
            peak.look(parts)

    watcher = threading.Thread(target=watch, name="memory")
    peak.look(parts)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()
