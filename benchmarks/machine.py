"""The machine that figures come from."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from deploy.private_redis import find_redis_server

# Instruction sets that decide how fast matrix products are, as /proc/cpuinfo calls them.
_FOR_PRODUCTS = (
    "avx2",
    "avx512f",
    "avx_vnni",
    "avx512_vnni",
    "amx_tile",
    "amx_int8",
    "amx_bf16",
    "asimddp",
    "i8mm",
    "sve",
)
_PACKAGES = ("onnxruntime", "torch", "celery", "redis", "gunicorn", "flask")


def describe() -> dict[str, str | int | float]:
    """What the machine is and what runs on it; ``load at start`` is that of the last minute, 0 where it was quiet."""
    cpu = _cpuinfo()
    flags = set(cpu.get("flags", cpu.get("Features", "")).split())
    return {
        "processor": cpu.get("model name", platform.machine()),
        "instructions": " ".join(name for name in _FOR_PRODUCTS if name in flags),
        "cores": len(os.sched_getaffinity(0)),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
        "redis server": _redis_version(),
        "load at start": round(os.getloadavg()[0], 2),
    }


def _cpuinfo() -> dict[str, str]:
    """What is said of the first core."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _redis_version() -> str:
    """Of the ``redis-server`` that the farm would start."""
    said = subprocess.run([find_redis_server(), "--version"], capture_output=True, text=True, check=True).stdout
    return next((word.removeprefix("v=") for word in said.split() if word.startswith("v=")), said.strip())
