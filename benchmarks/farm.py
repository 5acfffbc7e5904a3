"""A farm to be measured, of the processes that ``make run`` starts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.base_model import data_dir
from benchmarks.options import Options
from tests.support.farm import Farm


@contextmanager
def farm(options: Options, model_source: Path, **variables: str) -> Iterator[Farm]:
    """A farm that serves one model and is ready. Its Redis and logs are gone afterwards, prepared models are kept.

    Args:
        model_source: folder in ModelScope's layout; its name is the model's.
        variables: further ``RANER_`` variables, which win over those set here.
    """
    with farm_to_start(options, model_source, **variables) as made:
        made.start()
        made.wait_ready()
        yield made


@contextmanager
def farm_to_start(options: Options, model_source: Path, **variables: str) -> Iterator[Farm]:
    """As :func:`farm`, but of its processes only Redis runs."""
    own = {
        "RANER_MODELS": f"{model_source.name}={model_source}",
        "RANER_INT8_LIMIT": "1",
        "RANER_LOG_LEVEL": "WARNING",
        "RANER_MAX_QUEUE": "10000000",
    }
    with tempfile.TemporaryDirectory(prefix="raner-benchmark-") as folder:
        made = Farm(Path(folder), data_dir(options), **own | variables)
        made.redis.start()
        try:
            yield made
        finally:
            made.clear_away()
