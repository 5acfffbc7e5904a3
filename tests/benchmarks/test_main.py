from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.options import Options, parse
from benchmarks.report import Report


def test_every_benchmark_is_a_module() -> None:
    assert [name for name in command.NAMES if importlib.util.find_spec(f"benchmarks.{name}") is None] == []


def test_options_go_through_a_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for options in (Options(), Options(data=Path("data"), out=Path("out"), quick=True)):
        monkeypatch.setattr(sys, "argv", ["benchmark", *options.arguments])
        assert parse("A benchmark.") == options


def test_the_summary_has_the_ratios_of_all_and_a_failure_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(name: str, options: Options) -> bool:
        if name == "cache":
            return False
        report = Report(name, name, "once", {"cores": 2})
        report.ratio(f"how {name}", 2.0, goal=1.5)
        report.write(options.out)
        return True

    monkeypatch.setattr(command, "_run", run)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "engine", "cache", "memory", "--out", str(tmp_path)])
    assert command.main() == 1
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").splitlines() == [
        "| benchmark |  | measured | goal |  |",
        "| --- | --- | --- | --- | --- |",
        "| engine | how engine | 2.00 × | ≥ 1.50 × | met |",
        "| memory | how memory | 2.00 × | ≥ 1.50 × | met |",
        "",
        "Machine: cores 2",
    ]
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert [(ratio["benchmark"], ratio["value"]) for ratio in summary["ratios"]] == [("engine", 2.0), ("memory", 2.0)]
    assert "benchmarks: cache failed" in capsys.readouterr().err


def test_an_unknown_benchmark_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "speed"])
    with pytest.raises(SystemExit):
        command.main()
    assert "there is no benchmark speed; there are against_article, stack" in capsys.readouterr().err
