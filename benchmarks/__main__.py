"""``python -m benchmarks [NAME …]``: run the benchmarks, each in a process of its own, and sum them up.

Writes ``summary.json`` and ``summary.md`` beside the reports.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from benchmarks.options import Options, add_to, options_of
from benchmarks.report import RATIO_HEADER, Ratio, markdown_table, readable
from shared.settings import PROJECT_ROOT

# In the order in which they are told.
NAMES = (
    "against_article",
    "stack",
    "engine",
    "memory",
    "long_text",
    "latency",
    "behind_bulk",
    "recovery",
    "cache",
    "growth",
)


def main() -> int:
    """Run what the command line names. Returns the exit status: 1 where a benchmark failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure how fast and small the farm is.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which; default: all of {', '.join(NAMES)}")
    add_to(parser)
    arguments = parser.parse_args()
    names = arguments.names or list(NAMES)
    if unknown := [name for name in names if name not in NAMES]:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    options = options_of(arguments)
    failed = [name for name in names if not _run(name, options)]
    _sum_up([name for name in names if name not in failed], options)
    for name in failed:
        print(f"benchmarks: {name} failed, its output above says why", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str, options: Options) -> bool:
    print(f"benchmarks: {name}", file=sys.stderr, flush=True)
    began = time.monotonic()
    command = [sys.executable, "-m", f"benchmarks.{name}", *options.arguments]
    status = subprocess.run(command, cwd=PROJECT_ROOT, check=False).returncode
    print(f"benchmarks: {name} took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return status == 0


def _sum_up(names: list[str], options: Options) -> None:
    """One table of all ratios."""
    reports: list[dict[str, Any]] = [
        json.loads((options.out / f"{name}.json").read_text(encoding="utf-8")) for name in names
    ]
    if not reports:
        return
    ratios = [
        (report["name"], Ratio(*(found[field] for field in ("what", "value", "goal", "at_least", "unit"))))
        for report in reports
        for found in report["ratios"]
    ]
    rows = [[name, *ratio.row] for name, ratio in ratios]
    machine = ", ".join(f"{name} {readable(value)}" for name, value in reports[0]["machine"].items())
    text = markdown_table(("benchmark", *RATIO_HEADER), rows) + f"\n\nMachine: {machine}\n"
    print(text, flush=True)
    (options.out / "summary.md").write_text(text, encoding="utf-8")
    summary = {
        "machine": reports[0]["machine"],
        "ratios": [{"benchmark": report["name"], **found} for report in reports for found in report["ratios"]],
    }
    (options.out / "summary.json").write_text(
        json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    sys.exit(main())
