"""``python -m tests.soak.check HISTORY``: judge the history of a soak.

Exit status 1 if a job was lost or duplicated or a result is wrong, 2 if the history does not reach its end.

A job is *lost* if it was accepted and never seen in a terminal state, or the farm did not know it any more. It is
*duplicated* if one Idempotency-Key was given two jobs, two submissions were given one job, or what was seen of a job in
a terminal state differs from one time to the next. A result is *wrong* if it is not what the calm farm gave for the
text, or its offsets are not those of its words.
"""

from __future__ import annotations

import argparse
import math
import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.soak.history import Record, read

# The statuses that the API documents for what the soak asks.
EXPECTED = {0, 200, 202, 404, 409, 503, 504}
TERMINAL = {"succeeded", "failed", "cancelled"}
SHOWN = 5


@dataclass
class Job:
    """What the history tells of a job. ``seen``: its states and digests, in the order in which they were seen."""

    id: str
    texts: tuple[int, ...]
    kind: str
    accepted: float = math.nan
    submissions: set[int] = field(default_factory=set)
    seen: list[tuple[str, tuple[str | None, ...] | None]] = field(default_factory=list)
    error: str | None = None
    gone: bool = False
    created: float = math.nan
    finished: float = math.nan


@dataclass
class Verdict:
    """What is to be said of a history; each list holds sentences."""

    complete: bool = False
    jobs: dict[str, Job] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    keys: int = 0
    failed_texts: int = 0
    ner: int = 0
    looked_again: int = 0
    answers: Counter[tuple[str, int, str | None]] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    ended_alone: Counter[tuple[str, int]] = field(default_factory=Counter)
    options: Record = field(default_factory=dict)
    left: Record = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def status(self) -> int:
        """The exit status."""
        if self.lost or self.duplicated or self.wrong:
            return 1
        return 0 if self.complete else 2

    @property
    def states(self) -> Counter[str]:
        """How many jobs ended in each state."""
        return Counter(job.seen[0][0] for job in self.jobs.values() if job.seen)

    @property
    def unexpected(self) -> dict[tuple[str, int], int]:
        """Answers with statuses that nothing explains."""
        return {(route, status): n for (route, status, _), n in self.answers.items() if status not in EXPECTED}


def judge(records: Iterable[Record]) -> Verdict:
    """Judge a history."""
    verdict = Verdict()
    by_kind: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_kind[record["what"]].append(record)
    verdict.complete = bool(by_kind["closed"])
    _gather_jobs(verdict, by_kind)
    _judge_lost(verdict, by_kind["fault"])
    _judge_duplicated(verdict, by_kind["accepted"])
    _judge_wrong(verdict, by_kind)
    _measure_recovery(verdict, by_kind["fault"])
    for answer in by_kind["answer"]:
        verdict.answers[answer["route"], answer["status"], answer["error"]] += 1
        verdict.slowest[answer["route"]] = max(verdict.slowest.get(answer["route"], 0.0), answer["seconds"])
    for ended in by_kind["ended"]:
        if not ended["meant"]:
            verdict.ended_alone[ended["process"], ended["status"]] += 1
    verdict.ner = len(by_kind["ner"])
    verdict.options = by_kind["run"][0]["options"] if by_kind["run"] else {}
    verdict.left = by_kind["left"][-1] if by_kind["left"] else {}
    verdict.memory = by_kind["memory"][-1]["peak"] if by_kind["memory"] else {}
    if by_kind["accepted"]:
        verdict.seconds = max(job["at"] for job in by_kind["accepted"]) - by_kind["accepted"][0]["at"]
    return verdict


def _gather_jobs(verdict: Verdict, by_kind: Mapping[str, Sequence[Record]]) -> None:
    for record in by_kind["accepted"]:
        new = Job(record["id"], tuple(record["texts"]), record["kind"], record["at"])
        job = verdict.jobs.setdefault(record["id"], new)
        job.submissions.add(record["submission"])
    for record in by_kind["seen"]:
        job = verdict.jobs[record["id"]]
        if not job.seen:
            job.error = record["error"]
            job.created = _seconds(record["created"])
            job.finished = _seconds(record["finished"])
        digests = record["digests"]
        job.seen.append((record["state"], None if digests is None else tuple(digests)))
    for record in by_kind["gone"]:
        verdict.jobs[record["id"]].gone = True


def _judge_lost(verdict: Verdict, faults: Sequence[Record]) -> None:
    for job in verdict.jobs.values():
        # Nobody looked for the end of a job that was open when the soak broke off.
        if job.gone or (verdict.complete and not job.seen):
            how = "404" if job.gone else "not seen to end"
            verdict.lost.append(f"job {job.id} ({job.kind}): {how}{_next_fault(job.accepted, faults)}")


def _next_fault(at: float, faults: Sequence[Record]) -> str:
    """The first fault after a moment: Redis may lose what it accepted in the last second before it is killed."""
    later = [(fault["began"] - at, fault["kind"]) for fault in faults if fault["began"] >= at]
    return f"; {min(later)[1]} {min(later)[0]:.1f} s after it was accepted" if later else ""


def _judge_duplicated(verdict: Verdict, accepted: Sequence[Record]) -> None:
    of_key: dict[str, set[str]] = defaultdict(set)
    for record in accepted:
        if record["key"] is not None:
            of_key[record["key"]].add(record["id"])
    verdict.keys = len(of_key)
    for key, ids in of_key.items():
        if len(ids) > 1:
            verdict.duplicated.append(f"key {key}: jobs {', '.join(sorted(ids))}")
    for job in verdict.jobs.values():
        if len(job.submissions) > 1:
            verdict.duplicated.append(f"job {job.id}: given to {len(job.submissions)} submissions")
        verdict.looked_again += len(job.seen) > 1
        # A cancellation is answered without results, and so are the other states.
        states = list(dict.fromkeys(state for state, _ in job.seen))
        results = {digests for _, digests in job.seen if digests is not None}
        if len(states) > 1 or not TERMINAL.issuperset(states):
            verdict.duplicated.append(f"job {job.id}: was {', then '.join(states)}")
        elif len(results) > 1:
            verdict.duplicated.append(f"job {job.id}: had {len(results)} different results")


def _judge_wrong(verdict: Verdict, by_kind: Mapping[str, Sequence[Record]]) -> None:
    texts = {record["number"]: record["text"] for record in by_kind["text"]}
    calm = {record["text"]: record["digest"] for record in by_kind["calm"]}
    found = {record["digest"]: record for record in by_kind["found"]}
    for record in found.values():
        text = texts.get(record["text"], "")
        for start, end, kind, words, _ in record["entities"]:
            if text[start:end] != words:
                verdict.wrong.append(f"text {record['text']}: {kind} {words!r} is not what stands at {start}:{end}")
    for job in verdict.jobs.values():
        for state, digests in job.seen[:1]:
            if state == "succeeded" and (digests is None or len(digests) != len(job.texts)):
                given = "no" if digests is None else len(digests)
                verdict.wrong.append(f"job {job.id}: {given} results for {len(job.texts)} texts")
            for number, digest in zip(job.texts, digests or (), strict=False):
                if digest is None:
                    verdict.failed_texts += 1
                elif digest != calm.get(number):
                    verdict.wrong.append(f"job {job.id}, text {number}: {_difference(found, digest, calm.get(number))}")
    for record in by_kind["ner"]:
        if record["digest"] != calm.get(record["text"]):
            difference = _difference(found, record["digest"], calm.get(record["text"]))
            verdict.wrong.append(f"/ner, text {record['text']}: {difference}")


def _difference(found: Mapping[str, Record], digest: str, calm: str | None) -> str:
    """How a result differs from that of the calm farm."""
    if calm is None:
        return "no result of a calm farm to compare with"
    mine, expected = ({tuple(entity) for entity in found[each]["entities"]} for each in (digest, calm))
    if {entity[:4] for entity in mine} == {entity[:4] for entity in expected}:
        return "other scores"
    missing, more = sorted(expected - mine)[:SHOWN], sorted(mine - expected)[:SHOWN]
    return f"lacks {missing}, has {more} instead"


def _measure_recovery(verdict: Verdict, faults: Sequence[Record]) -> None:
    """The seconds from each fault to the end of each job that was open at that moment, by the kind of fault."""
    ended = sorted((job.created, job.finished) for job in verdict.jobs.values() if math.isfinite(job.finished))
    longest = max((finished - created for created, finished in ended), default=0.0)
    for fault in faults:
        at = fault["began"]
        verdict.faults[fault["kind"]] += 1
        first, last = bisect_left(ended, (at - longest, 0.0)), bisect_left(ended, (at, 0.0))
        recoveries = verdict.recoveries.setdefault(fault["kind"], [])
        recoveries += [finished - at for _, finished in ended[first:last] if finished > at]


def percentile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least ``q`` percent of the values do not exceed; NaN if there is none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q / 100 * len(ordered)) - 1)] if ordered else math.nan


def report(verdict: Verdict) -> str:
    """What a person reads."""
    jobs = verdict.jobs.values()
    states = verdict.states
    durations = [job.finished - job.created for job in jobs if math.isfinite(job.finished)]
    lines = [
        f"options     {', '.join(f'{name} {value}' for name, value in verdict.options.items())}",
        f"load        {verdict.seconds:.0f} s, {sum(verdict.faults.values())} faults",
        f"accepted    {len(jobs)} jobs; POST /ner answered beside: {verdict.ner}",
        f"ended       {sum(states.values())}: {', '.join(f'{n} {state}' for state, n in sorted(states.items()))}",
        *_with_examples("LOST", verdict.lost, ""),
        *_with_examples("DUPLICATED", verdict.duplicated, f" of {verdict.keys} keys, {verdict.looked_again} looked at"),
        *_with_examples("WRONG", verdict.wrong, ""),
        f"to the end  {_summary(durations)}",
        f"recovery    {_summary([seconds for each in verdict.recoveries.values() for seconds in each])}",
    ]
    for kind, seconds in sorted(verdict.recoveries.items()):
        lines.append(f"  {kind:<20} {verdict.faults[kind]:>4} faults; {_summary(seconds)}")
    if verdict.failed_texts:
        lines.append(f"failed texts of jobs that succeeded: {verdict.failed_texts}")
    errors = Counter(job.error for job in jobs if job.seen and job.seen[0][0] == "failed")
    lines += [f"failed      {n} × {error}" for error, n in errors.most_common()]
    lines.append("answers")
    for (route, status, error), n in sorted(verdict.answers.items(), key=str):
        mark = "" if status in EXPECTED else "  UNEXPECTED"
        lines.append(f"  {route:<10} {error or status}: {n}{mark}")
    lines.append(f"slowest answers: {', '.join(f'{route} {n:.1f} s' for route, n in sorted(verdict.slowest.items()))}")
    lines += [f"ended alone {n} × {name} with status {code}" for (name, code), n in sorted(verdict.ended_alone.items())]
    lines.append(f"peak RSS    {', '.join(f'{name} {n / 1e6:.0f} MB' for name, n in verdict.memory.items())}")
    if verdict.left:
        keys = ", ".join(f"{name} {n}" for name, n in sorted(verdict.left["keys"].items()))
        lines.append(f"left        {verdict.left['bytes'] / 1e6:.1f} MB in Redis: {keys}")
        lines.append(f"            {', '.join(map(str, verdict.left['models']))}")
    if not verdict.complete:
        lines.append("INCOMPLETE  the soak did not come to its end")
    return "\n".join(lines) + "\n"


def _with_examples(name: str, found: Sequence[str], note: str) -> list[str]:
    more = [f"  … and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return [f"{name:<11} {len(found)}{note}", *(f"  {sentence}" for sentence in found[:SHOWN]), *more]


def _summary(seconds: Sequence[float]) -> str:
    if not seconds:
        return "nothing to measure"
    p50, p99 = percentile(seconds, 50), percentile(seconds, 99)
    return f"{len(seconds)} jobs: p50 {p50:.1f}, p99 {p99:.1f}, longest {max(seconds):.1f} s"


def _seconds(moment: str | None) -> float:
    """Seconds since the epoch of a moment as the API writes it; NaN if there is none."""
    return math.nan if moment is None else datetime.fromisoformat(moment).timestamp()


def main() -> int:
    """Judge the history that the command line names. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.check", description="Judge the history of a soak.")
    parser.add_argument("history", type=Path)
    verdict = judge(read(parser.parse_args().history))
    print(report(verdict), end="", flush=True)
    return verdict.status


if __name__ == "__main__":
    sys.exit(main())
