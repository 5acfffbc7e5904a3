"""Which set teaches which head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from training.corpus import Sentence, read_set


@dataclass(frozen=True)
class Task:
    """What one head learns: its types, and the sets with the number of times that each is in an epoch."""

    types: tuple[str, ...]
    sets: Mapping[str, int]


NEWS = "news"
_NEWS = ("LOC", "ORG", "PER")
_CLUENER = (
    "address",
    "book",
    "company",
    "game",
    "government",
    "movie",
    "name",
    "organization",
    "position",
    "scene",
)
_BOSON = ("time", "location", "person_name", "org_name", "company_name", "product_name")
_RESUME = ("NAME", "ORG", "TITLE", "EDU", "CONT", "RACE", "PRO", "LOC")
_WEIBO = tuple(f"{kind}.{form}" for kind in ("PER", "LOC", "ORG", "GPE") for form in ("NAM", "NOM"))

# The first is what is shipped. The labels of the others do not agree with it, so each has a head of its own, and the
# encoder learns from all of them (Caruana, 1997, "Multitask Learning").
TASKS = {
    NEWS: Task(_NEWS, {"msra.train": 1, "uner_gsdsimp.train": 3}),
    "cluener": Task(_CLUENER, {"cluener.train": 1}),
    "boson": Task(_BOSON, {"boson.train": 1}),
    "resume": Task(_RESUME, {"resume.train": 1}),
    "weibo": Task(_WEIBO, {"weibo.train": 1}),
}


def sentences_of(data: Path, task: Task) -> list[Sentence]:
    """The sentences of a task, those of a set repeated as often as it is in an epoch."""
    return [
        sentence
        for name, times in task.sets.items()
        for sentence in read_set(data, name, task.types)
        for _ in range(times)
    ]
