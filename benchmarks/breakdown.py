"""Where the engine's time goes: the operations of the network, and the engine's steps around it."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import onnxruntime

from workers.backends.onnx import OnnxNetwork
from workers.engine import recogniser as recogniser_module
from workers.engine import tagger as tagger_module
from workers.engine.reading.reader import Reader
from workers.engine.recogniser import Recogniser
from workers.engine.tokens import TextTokenizer
from workers.engine.viterbi import Crf
from workers.loading import load

NETWORK = "network"
REST = "the rest"
# Operations with less of the time than this are told as one.
LEAST_SHARE = 0.005
# The steps by the place in the code that the engine looks each up at.
_STEPS: Mapping[str, tuple[Any, str]] = {
    "reading": (Reader, "view"),
    "tokenizer": (TextTokenizer, "encode"),
    "windows": (recogniser_module, "windows"),
    NETWORK: (OnnxNetwork, "emissions"),
    "Viterbi": (Crf, "decode"),
    "spans": (tagger_module, "spans"),
    "merging": (recogniser_module, "merge"),
    "rules": (recogniser_module, "with_ruled"),
}


def steps(recogniser: Recogniser, pieces: Sequence[Sequence[str]]) -> dict[str, float]:
    """Seconds that the engine spends in each of its steps on pieces of texts; what is in none is :data:`REST`."""
    seconds: Counter[str] = Counter()
    with ExitStack() as stack:
        for name, (owner, attribute) in _STEPS.items():
            stack.enter_context(mock.patch.object(owner, attribute, _timed(getattr(owner, attribute), name, seconds)))
        began = time.perf_counter()
        for texts in pieces:
            recogniser.recognise(texts)
        total = time.perf_counter() - began
    return {**{name: seconds[name] for name in _STEPS}, REST: total - seconds.total()}


def operators(prepared: Path, pieces: Sequence[Sequence[str]]) -> dict[str, float]:
    """Seconds that ONNX Runtime spends in each kind of operation on pieces of texts of one window each, most first.

    :data:`REST` is what a run takes beyond its operations. By ONNX Runtime's own profiler, which takes its time too, so
    the shares say more than the seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        with _profiling(str(Path(folder) / "profile")) as sessions:
            recogniser = load(prepared, 1)
        for texts in (pieces[0], *pieces):
            recogniser.recognise(texts)
        events = json.loads(Path(sessions[0].end_profiling()).read_text(encoding="utf-8"))
    runs = [event for event in events if event["cat"] == "Session" and event["name"] == "model_run"]
    # The first piece was there to warm up.
    runs = sorted(runs, key=lambda event: int(event["ts"]))[len(pieces[0]) :]
    whole = sum(event["dur"] for event in runs) / 1e6
    seconds: Counter[str] = Counter()
    for event in events:
        if event["cat"] == "Node" and event["name"].endswith("_kernel_time") and event["ts"] >= runs[0]["ts"]:
            seconds[event["args"]["op_name"]] += event["dur"] / 1e6
    large = {name: of_kind for name, of_kind in seconds.most_common() if of_kind >= LEAST_SHARE * whole}
    others = len(seconds) - len(large)
    return {
        **large,
        f"{others} other kinds": seconds.total() - sum(large.values()),
        REST: whole - seconds.total(),
    }


def _timed(function: Callable[..., Any], name: str, seconds: Counter[str]) -> Callable[..., Any]:
    def timed(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            seconds[name] += time.perf_counter() - began  # type: ignore[assignment]  # Counters are typed for whole numbers

    return timed


@contextmanager
def _profiling(prefix: str) -> Iterator[list[Any]]:
    """Have each session that the backend makes meanwhile profile itself. The sessions are put into the list."""
    original = onnxruntime.InferenceSession
    sessions: list[Any] = []

    def make(path: str, options: Any, **others: Any) -> Any:
        options.enable_profiling = True
        options.profile_file_prefix = prefix
        sessions.append(original(path, options, **others))
        return sessions[-1]

    with mock.patch.object(onnxruntime, "InferenceSession", make):
        yield sessions
