from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.report import Report, readable


@pytest.fixture
def report() -> Report:
    made = Report("engine", "The engine", "medians of 3", {"cores": 2})
    made.ratio("quick", 0.9, goal=0.85)
    made.ratio("small", 61.23, goal=60, at_least=False, unit="MB")
    made.ratio("interesting", 1234.5, unit="GFLOP/s")
    made.table("Lengths", ("tokens", "ms", "note"), [(8, 0.123456, "padded"), (512, 12345.6, "")])
    return made


def test_ratios_come_first_and_say_whether_they_met_their_goal(report: Report) -> None:
    lines = report.markdown().splitlines()
    assert lines[0] == "## The engine"
    assert lines[4:7] == [
        "| quick | 0.900 × | ≥ 0.850 × | met |",
        "| small | 61.2 MB | ≤ 60 MB | MISSED |",
        "| interesting | 1,234 GFLOP/s |  |  |",
    ]


def test_tables_stand_behind_them_and_then_the_method_and_the_machine(report: Report) -> None:
    lines = report.markdown().splitlines()
    assert lines[8:] == [
        "**Lengths**",
        "",
        "| tokens | ms | note |",
        "| ---: | ---: | --- |",
        "| 8 | 0.123 | padded |",
        "| 512 | 12,346 |  |",
        "",
        "Method: medians of 3",
        "",
        "Machine: cores 2",
    ]


def test_it_is_printed_and_written_as_json(report: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report.data["raw"] = [1, 2]
    report.write(tmp_path / "out")
    assert capsys.readouterr().out.startswith("## The engine")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["engine.json"]
    content = json.loads((tmp_path / "out" / "engine.json").read_text(encoding="utf-8"))
    assert content["machine"] == {"cores": 2}
    assert content["data"] == {"raw": [1, 2]}
    assert [(ratio["what"], ratio["met"]) for ratio in content["ratios"]] == [
        ("quick", True),
        ("small", False),
        ("interesting", None),
    ]
    assert content["tables"][0]["rows"] == [[8, 0.123456, "padded"], [512, 12345.6, ""]]


def test_panels_are_drawn(report: Report, tmp_path: Path) -> None:
    report.plot("Latency", "a second", "ms", {"50 %": ([1, 10], [2, 3]), "99 %": ([1, 10], [4, 9])}, log_x=True)
    report.plot("Memory", "jobs", "MB", {"": ([1, 2], [1, 2])}, log_y=True)
    report.bars("Where it goes", {"MatMul": 0.8, "the rest": 0.2})
    report.write(tmp_path)
    assert (tmp_path / "engine.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0, "0"),
        (0.0123456, "0.0123"),
        (0.85, "0.850"),
        (9.99, "9.99"),
        (-3.14159, "-3.14"),
        (61.23, "61.2"),
        (999.4, "999"),
        (12345.6, "12,346"),
        (100_000, "100,000"),
        (float("nan"), "–"),
        ("as it is", "as it is"),
    ],
)
def test_numbers_are_readable(value: str | float, text: str) -> None:
    assert readable(value) == text
