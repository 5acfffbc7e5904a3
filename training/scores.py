"""Entity-level scores: an entity counts where its place and its type are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from training.corpus import Sentence, Span
from training.network import TransformerCrf
from training.tags import OUTSIDE, labels_of
from training.vocabulary import CLS, SEP, Vocabulary
from workers.engine.viterbi import Crf as Paths


@dataclass(frozen=True)
class Score:
    """How many entities there are, were found, and of these are right."""

    there: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        """Right ones of those found."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Right ones of those there."""
        return self.right / self.there if self.there else 0.0

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        return 2 * self.right / (self.there + self.found) if self.right else 0.0


def score(pairs: Iterable[tuple[Sequence[Span], Sequence[Span]]]) -> dict[str, Score]:
    """Scores by type, and of all under the empty name; of pairs of (what is there, what was found)."""
    there: Counter[str] = Counter()
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for expected, given in pairs:
        there.update(kind for span in expected for kind in (span.type, ""))
        found.update(kind for span in given for kind in (span.type, ""))
        right.update(kind for span in set(expected) & set(given) for kind in (span.type, ""))
    return {kind: Score(there[kind], found[kind], right[kind]) for kind in sorted(there | found)}


@torch.no_grad()
def find(
    network: TransformerCrf, head: str, types: Sequence[str], vocabulary: Vocabulary, sentences: Sequence[Sentence]
) -> list[list[Span]]:
    """The spans that a network in training finds in each sentence."""
    network.eval()
    labels = labels_of(types)
    paths = Paths(*(tensor.numpy() for tensor in network.head(head).crf.scores()))
    spans = []
    for start in range(0, len(sentences), 64):
        emissions = []
        for sentence in sentences[start : start + 64]:
            ids = torch.tensor([[CLS, *vocabulary.encode(sentence.text), SEP]])
            positions = torch.arange(ids.shape[1])[None]
            with torch.autocast("cpu", torch.bfloat16):
                emissions.append(network.emissions(head, ids, torch.ones_like(ids), positions)[0].numpy())
        spans += [spans_of([labels[index] for index in path]) for path in paths.decode(emissions)]
    return spans


def spans_of(path: Sequence[str]) -> list[Span]:
    """The entities of a well-formed BIOES path."""
    found, start = [], 0
    for place, label in enumerate(path):
        if label == OUTSIDE:
            continue
        if label[0] in "BS":
            start = place
        if label[0] in "ES":
            found.append(Span(start, place + 1, label[2:]))
    return found
