"""A real worker node whose model has bad moments: what a text says decides what its recognition does.

``python -m tests.integration.poisoned_worker [--model NAME]``
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence

from shared.entities import Entity
from workers.__main__ import main
from workers.engine.merge import Part
from workers.engine.recogniser import Recogniser


def _hang() -> None:
    threading.Event().wait()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _fail() -> None:
    raise ValueError("a text that the model cannot read")


def _eat() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(2**26))


POISONS: dict[str, Callable[[], None]] = {"挂起": _hang, "崩溃": _die, "出错": _fail, "内存": _eat}


def _poisoned(texts: Sequence[str]) -> None:
    for text in texts:
        for word, poison in POISONS.items():
            if word in text:
                poison()


_recognise, _recognise_part = Recogniser.recognise, Recogniser.recognise_part


def recognise(self: Recogniser, texts: Sequence[str]) -> list[list[Entity]]:
    """As the model does, unless a text holds a poison."""
    _poisoned(texts)
    return _recognise(self, texts)


def recognise_part(self: Recogniser, text: str, core_start: int, core_end: int) -> list[Part]:
    """The same for a part of a long text."""
    _poisoned([text])
    return _recognise_part(self, text, core_start, core_end)


if __name__ == "__main__":
    Recogniser.recognise = recognise  # type: ignore[method-assign]
    Recogniser.recognise_part = recognise_part  # type: ignore[method-assign]
    sys.exit(main())
