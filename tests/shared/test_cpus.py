"""How many processors may be used, on fake folders of control groups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared.cpus import usable_cpus

V1 = "12:memory:/docker/6f1c\n4:cpu,cpuacct:/docker/6f1c\n1:name=systemd:/docker/6f1c\n"


@pytest.fixture(autouse=True)
def eight_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n", encoding="utf-8")
    return root


def test_without_control_groups_it_is_the_affinity(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path) == 8


def test_where_there_is_no_affinity_it_is_the_machines_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 10)
    assert usable_cpus(tmp_path) == 10
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cpus(tmp_path) == 1


@pytest.mark.parametrize(
    ("quota", "cpus"),
    [
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("10000 100000", 1),
        ("25000 10000", 3),
        ("6400000 100000", 8),
        ("max 100000", 8),
        ("", 8),
        ("nonsense", 8),
        ("100000 0", 8),
    ],
)
def test_a_quota_of_version_2_is_rounded_up(tmp_path: Path, quota: str, cpus: int) -> None:
    assert usable_cpus(write(tmp_path, {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": quota})) == cpus


def test_a_quota_of_a_group_around_it_holds_as_well(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/farm.slice/web.service",
        "sys/fs/cgroup/farm.slice/cpu.max": "300000 100000",
        "sys/fs/cgroup/farm.slice/web.service/cpu.max": "max 100000",
    }
    assert usable_cpus(write(tmp_path, files)) == 3
    files["sys/fs/cgroup/farm.slice/web.service/cpu.max"] = "100000 100000"
    assert usable_cpus(write(tmp_path, files)) == 1


def test_the_path_of_another_namespace_is_the_mount_itself(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/../../init", "sys/fs/cgroup/cpu.max": "200000 100000"}
    assert usable_cpus(write(tmp_path, files)) == 2


@pytest.mark.parametrize("mount", ["cpu,cpuacct", "cpu"])
@pytest.mark.parametrize("folder", ["", "docker/6f1c/"])
@pytest.mark.parametrize(("quota", "cpus"), [("250000", 3), ("-1", 8), ("50000", 1)])
def test_a_quota_of_version_1(tmp_path: Path, mount: str, folder: str, quota: str, cpus: int) -> None:
    files = {
        "proc/self/cgroup": V1,
        f"sys/fs/cgroup/{mount}/{folder}cpu.cfs_quota_us": quota,
        f"sys/fs/cgroup/{mount}/{folder}cpu.cfs_period_us": "100000",
    }
    assert usable_cpus(write(tmp_path, files)) == cpus


def test_here_there_is_at_least_one() -> None:
    assert usable_cpus() >= 1
