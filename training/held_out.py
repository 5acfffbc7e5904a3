"""Sentences to be kept from training that share no rare name with those that are trained on.

The lines of MSRA are in random order, so the lines of an article cannot be told by their place: neighbours have no more
names in common than others. But lines of one article share its rare names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from training.corpus import Sentence

# A name that so many sentences have, or fewer, is rare. With 5, a third of the names in the held-out part of MSRA are
# in no other sentence. With 3 or 8 fewer are, and with 8 a tenth of all sentences is one group.
RARE = 5
# Groups of more sentences are not held out: rare names connect several articles in them.
LARGEST = 60


def connected(sentences: Sequence[Sentence], count: int) -> tuple[list[Sentence], list[Sentence]]:
    """About ``count`` sentences, in whole groups that rare names connect, and all others.

    At most a fifth of the sentences is held out. Sentences that no rare name connects to others are groups too.
    """
    groups = _groups(sentences)
    Random(0).shuffle(groups)
    chosen: set[int] = set()
    for group in groups:
        if len(group) <= LARGEST and len(chosen) + len(group) <= min(count, len(sentences) // 5):
            chosen.update(group)
    parts: tuple[list[Sentence], list[Sentence]] = ([], [])
    for place, sentence in enumerate(sentences):
        parts[place not in chosen].append(sentence)
    return parts


def _groups(sentences: Sequence[Sentence]) -> list[list[int]]:
    """The places of sentences that rare names connect."""
    having: defaultdict[str, list[int]] = defaultdict(list)
    for place, (text, spans) in enumerate(sentences):
        for name in {text[span.start : span.end] for span in spans}:
            having[name].append(place)
    leads = list(range(len(sentences)))

    def lead(place: int) -> int:
        while leads[place] != place:
            leads[place] = place = leads[leads[place]]
        return place

    for places in having.values():
        if len(places) <= RARE:
            for one, other in pairwise(places):
                leads[lead(other)] = lead(one)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for place in range(len(sentences)):
        groups[lead(place)].append(place)
    return list(groups.values())
