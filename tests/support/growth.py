"""Whether what a call costs grows as its text does."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

# Below this many seconds the clock and the caches weigh more than the text.
_LEAST = 0.003


def assert_linear(call: Callable[[str], object], part: str, chars: int) -> None:
    """Fail where ten times the text takes forty times as long: a quadratic call takes a hundred times.

    The text is ``part`` again and again, ``chars`` characters of it at first. What counts is this process's own time
    without garbage collections, which take as long as all other tests left them to do, and the best of a few calls.
    """
    small, large = _seconds(call, part, chars, calls=5), _seconds(call, part, 10 * chars, calls=2)
    assert large < 40 * max(small, _LEAST), f"{chars} characters took {small:.4f} s, ten times as many {large:.4f} s"


def _seconds(call: Callable[[str], object], part: str, chars: int, calls: int) -> float:
    text = part * (chars // len(part))
    best = float("inf")
    collects = gc.isenabled()
    gc.disable()
    try:
        for _ in range(calls):
            began = time.process_time()
            call(text)
            best = min(best, time.process_time() - began)
    finally:
        if collects:
            gc.enable()
    return best
