"""Words and their parts of speech, as a dictionary and its hidden Markov model see them.

A small network learns from little text sooner what it is also told of every character than what it has to guess of a
few. The dictionary is jieba's, which knows names of people, places and institutions among its words.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing import get_context

import jieba
from jieba import posseg

from training.corpus import Sentence, Span

# Jieba's parts of speech by their first letter, names of people, places, institutions and others apart; the rest is
# what is no word, or too rare to be learnt.
PARTS = ("nr", "ns", "nt", "nz", "n", "v", "a", "d", "m", "q", "t", "r", "p", "c", "f", "s", "u", "i", "l", "j", "b")
OTHER = "x"

jieba.setLogLevel(logging.WARNING)


def worded(texts: Sequence[str], processes: int) -> list[Sentence]:
    """Each text with its words as spans, which cover it whole; their types are :data:`PARTS` or :data:`OTHER`."""
    with get_context("spawn").Pool(processes) as pool:
        return pool.map(_worded, texts, chunksize=500)


def _worded(text: str) -> Sentence:
    return Sentence(text, tuple(_spans((pair.word, pair.flag) for pair in posseg.cut(text))))


def _spans(words: Iterable[tuple[str, str]]) -> Iterator[Span]:
    place = 0
    for word, flag in words:
        part = flag[:2] if flag[:2] in PARTS else flag[:1]
        yield Span(place, place + len(word), part if part in PARTS else OTHER)
        place += len(word)
