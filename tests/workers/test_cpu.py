"""The kinds of processors whose INT8 results differ."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from workers.cpu import int8_kind


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ("fpu sse4_2 avx2 avx512f avx512_vnni", ""),
        ("fpu avx2 avx_vnni", ""),
        ("fpu avx2 amx_tile amx_int8", ""),
        ("fpu sse4_2 avx2 avx512f avx512bw", "avx2"),
        ("fpu sse4_2", platform.machine()),
    ],
)
def test_the_flags_of_the_processor_tell_its_kind(tmp_path: Path, flags: str, kind: str) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t:\n\nprocessor\t: 1\nflags\t\t: {flags}\n")
    assert int8_kind(cpuinfo) == kind


def test_a_machine_that_lists_no_flags_is_of_its_architecture(tmp_path: Path) -> None:
    assert int8_kind(tmp_path / "none") == platform.machine()
    arm = tmp_path / "cpuinfo"
    arm.write_text("processor\t: 0\nFeatures\t: fp asimd asimddp\n")
    assert int8_kind(arm) == platform.machine()
