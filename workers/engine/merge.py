"""One list of entities from the overlapping parts of a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.entities import Entity


@dataclass(frozen=True)
class Part:
    """What was found in a part of a text. Places are those in the whole text.

    ``[core_start, core_end)`` are the characters that the part answers for; ``entities`` may lie in the context on
    either side of it too.
    """

    core_start: int
    core_end: int
    entities: Sequence[Entity]

    def moved(self, by: int) -> Part:
        """The same part of a text that has ``by`` more characters before it."""
        entities = [entity._replace(start=entity.start + by, end=entity.end + by) for entity in self.entities]
        return Part(self.core_start + by, self.core_end + by, entities)


def merge(parts: Sequence[Part]) -> list[Entity]:
    """The entities of a text, in order and not overlapping, from its parts, whose cores follow on one another.

    A part without entities may be left out.

    An entity belongs to the part whose core holds its start. One that crosses a cut is taken from whichever side saw
    it, and wins over what the other side made of its half; of two that cross, the one with the higher score wins.
    """
    if all(
        part.core_start <= entity.start and entity.end <= part.core_end for part in parts for entity in part.entities
    ):
        return [entity for part in parts for entity in part.entities]
    candidates = []
    for part in parts:
        for entity in part.entities:
            crosses = any(entity.start < cut < entity.end for cut in (part.core_start, part.core_end))
            if crosses or part.core_start <= entity.start < part.core_end:
                candidates.append((entity, crosses))
    candidates.sort(key=lambda candidate: candidate[0].start)
    return [entity for cluster in _clusters(candidates) for entity in _best(cluster)]


def _clusters(candidates: Sequence[tuple[Entity, bool]]) -> Iterator[list[tuple[Entity, bool]]]:
    """Candidates, sorted by start, in groups that overlap none of another group."""
    cluster: list[tuple[Entity, bool]] = []
    end = 0
    for candidate in candidates:
        if cluster and candidate[0].start >= end:
            yield cluster
            cluster = []
        cluster.append(candidate)
        end = max(end, candidate[0].end) if len(cluster) > 1 else candidate[0].end
    if cluster:
        yield cluster


def _best(cluster: list[tuple[Entity, bool]]) -> list[Entity]:
    kept: list[Entity] = []
    for entity, _ in sorted(cluster, key=lambda candidate: (not candidate[1], -candidate[0].score)):
        if all(entity.end <= other.start or other.end <= entity.start for other in kept):
            kept.append(entity)
    return sorted(kept, key=lambda entity: entity.start)
