"""What kind of processor this is, as far as an INT8 model's results depend on it."""

from __future__ import annotations

import platform
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_EXACT = {"avx512_vnni", "avx_vnni", "amx_int8"}


def int8_kind(cpuinfo: Path = _CPUINFO) -> str:
    """The kind of this processor: empty if it is x86 with VNNI or AMX, else ``avx2`` or the machine's architecture.

    An x86 processor without VNNI and AMX adds two INT8 products in 16 bits. The sum may be too large for these and is
    then cut off, so emissions differ a little from those of other processors, and now and then an entity does.
    """
    flags: set[str] = set()
    if cpuinfo.exists():
        of_processors = (line for line in cpuinfo.read_text().splitlines() if line.startswith("flags"))
        flags.update(next(of_processors, "").split())
    if flags & _EXACT:
        return ""
    return "avx2" if "avx2" in flags else platform.machine()
