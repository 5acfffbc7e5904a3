"""A worker node whose engine takes its time and computes nothing: a farm of more processors than there are.

``python -m benchmarks.simulated_node --model NAME --times FILE`` is ``python -m workers --model NAME`` but for that:
the node, its worker processes, Celery and Redis are the real ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np

from shared.entities import Entity
from shared.logs import configure_logs
from shared.redis_client import wait_for_redis
from shared.settings import settings
from workers.engine.labels import Labels
from workers.engine.merge import Part
from workers.engine.recogniser import Recogniser
from workers.preparation.manifest import read_manifest


@dataclass(frozen=True)
class ServiceTime:
    """Seconds that the engine takes for a text, by its characters: at some lengths, in ascending order."""

    lengths: Sequence[int]
    seconds: Sequence[float]

    @classmethod
    def recorded(cls, texts: Sequence[str], seconds: Sequence[float]) -> ServiceTime:
        """What the engine took for each of these texts; the median where several are of one length."""
        by_length: dict[int, list[float]] = defaultdict(list)
        for text, second in zip(texts, seconds, strict=True):
            by_length[len(text)].append(second)
        lengths = sorted(by_length)
        return cls(lengths, [median(by_length[length]) for length in lengths])

    @classmethod
    def read(cls, file: Path) -> ServiceTime:
        """What :meth:`write` wrote."""
        return cls(**json.loads(file.read_text(encoding="utf-8")))

    def write(self, file: Path) -> None:
        """Write it for the nodes to read."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    def of(self, text: str) -> float:
        """Seconds for a text; between two lengths in proportion, beyond the longest as for that."""
        return float(np.interp(len(text), self.lengths, self.seconds))


class SimulatedRecogniser(Recogniser):
    """Sleeps for as long as the engine takes; then each text has one entity, of its first character."""

    def __init__(self, types: tuple[str, ...], times: ServiceTime) -> None:
        self.types = types
        self._rules = ()
        self._times = times

    def recognise(self, texts: Sequence[str]) -> list[list[Entity]]:
        """See :class:`workers.engine.recogniser.Recogniser`."""
        seconds = sum(map(self._times.of, texts))
        if seconds > 0:
            time.sleep(seconds)
        return [[Entity(0, 1, self.types[0], 0.9)] if text else [] for text in texts]

    def recognise_part(self, text: str, core_start: int, core_end: int) -> list[Part]:
        """See :class:`workers.engine.recogniser.Recogniser`."""
        (entities,) = self.recognise([text])
        return [Part(core_start, core_end, entities)]


def main() -> int:
    """Serve the model's queue. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulated_node")
    parser.add_argument("--model", required=True, metavar="NAME", help="a name in RANER_MODELS; it is prepared")
    parser.add_argument("--times", required=True, type=Path, metavar="FILE", help="seconds by characters")
    arguments = parser.parse_args()
    times = ServiceTime.read(arguments.times)
    configure_logs()
    wait_for_redis()
    # As workers.__main__ does.
    import workers.tasks  # noqa: F401
    from workers.node import run
    from workers.preparation.ensure import ensure_prepared

    prepared = ensure_prepared(
        settings().sources[arguments.model], settings().backend, settings().data_dir / "prepared", 1.0
    )

    def load(folder: Path, _threads: int) -> Recogniser:
        return SimulatedRecogniser(Labels(read_manifest(folder).labels).types, times)

    return run(arguments.model, prepared, load)


if __name__ == "__main__":
    sys.exit(main())
