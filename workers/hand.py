"""What a worker process has in hand: the pieces that its heartbeat keeps, and a recognition that has to end in time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from shared.piece_stream import Entry, Piece


@dataclass(frozen=True)
class Recognition:
    """A recognition under way. ``alone`` is its piece if that is a single text, else None."""

    deadline: float  # as time.monotonic counts
    alone: Piece | None

    @property
    def is_overdue(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() > self.deadline


class Hand:
    """Written by the thread that does pieces, read by the heartbeat's. Each attribute is replaced as a whole."""

    def __init__(self) -> None:
        self.entries: tuple[Entry, ...] = ()
        self.recognition: Recognition | None = None

    @contextmanager
    def holding(self, pieces: Iterable[Piece]) -> Iterator[None]:
        """In this context the process has these pieces in hand."""
        self.entries = tuple(piece.entry for piece in pieces)
        try:
            yield
        finally:
            self.entries = ()

    def finished(self, pieces: Iterable[Piece]) -> None:
        """Note that some of them are done."""
        done = {piece.entry for piece in pieces}
        self.entries = tuple(entry for entry in self.entries if entry not in done)

    @contextmanager
    def recognising(self, pieces: Sequence[Piece], seconds: float, alone: bool) -> Iterator[None]:
        """In this context a recognition is under way that may take so many seconds."""
        self.recognition = Recognition(time.monotonic() + seconds, pieces[0] if alone else None)
        try:
            yield
        finally:
            self.recognition = None
