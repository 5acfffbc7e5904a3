"""Words and their parts of speech, as a dictionary and its hidden Markov model see them.

A small network learns from little text sooner what it is also told of every character than what it has to guess of a
few. The dictionary is jieba's, which knows names of people, places and institutions among its words.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from multiprocessing import get_context

import jieba
from jieba import posseg

from training.corpus import Span
from training.tags import labels_of, tag

# Jieba's parts of speech by their first letter, names of people, places, institutions and others apart; the rest is
# what is no word, or too rare to be learnt.
PARTS = ("nr", "ns", "nt", "nz", "n", "v", "a", "d", "m", "q", "t", "r", "p", "c", "f", "s", "u", "i", "l", "j", "b")
OTHER = "x"
# What a character is labelled with: its place in its word, and the word's part of speech.
LABELS = labels_of([*PARTS, OTHER])

_INDEX = {label: index for index, label in enumerate(LABELS)}
# Texts that a process takes at a time.
_CHUNK = 500

jieba.setLogLevel(logging.WARNING)


def word_labels(texts: Iterable[str], processes: int = 1) -> Iterator[bytes]:
    """For each text, the indexes in :data:`LABELS` of its characters, one byte a character.

    One process reads about 30,000 characters a second.
    """
    if processes == 1:
        yield from map(_labels_of_text, texts)
        return
    with get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(_labels_of_text, texts, _CHUNK)


def _labels_of_text(text: str) -> bytes:
    return bytes(tag(len(text), list(_words(text)), _INDEX))


def _words(text: str) -> Iterator[Span]:
    """The words of a text as spans, which cover all of it."""
    place = 0
    for pair in posseg.cut(text):
        part = pair.flag[:2] if pair.flag[:2] in PARTS else pair.flag[:1]
        yield Span(place, place + len(pair.word), part if part in PARTS else OTHER)
        place += len(pair.word)
