"""Entity-level scores: an entity counts where its place and its type are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from training.corpus import Sentence, Span
from training.network import TransformerCrf
from training.tags import labels_of
from training.vocabulary import CLS, SEP, Vocabulary
from workers.engine.labels import Labels
from workers.engine.spans import spans
from workers.engine.tokens import Tokens
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
    labels = Labels(labels_of(types))
    paths = Paths(*(tensor.numpy() for tensor in network.head(head).crf.scores()))
    found = []
    for start in range(0, len(sentences), 64):
        emissions = []
        for sentence in sentences[start : start + 64]:
            ids = torch.tensor([[CLS, *vocabulary.encode(sentence.text), SEP]])
            positions = torch.arange(ids.shape[1])[None]
            with torch.autocast("cpu", torch.bfloat16):
                emissions.append(network.emissions(head, ids, torch.ones_like(ids), positions)[0].numpy())
        found += [spans_of(labels, path, of) for path, of in zip(paths.decode(emissions), emissions, strict=True)]
    return found


def spans_of(labels: Labels, path: NDArray[np.intp], emissions: NDArray[np.float32]) -> list[Span]:
    """The spans of a label path, a label a character, as the engine reads them."""
    places = np.arange(len(path))
    tokens = Tokens(ids=places, first=places, starts=places, ends=places + 1)
    return [Span(entity.start, entity.end, entity.type) for entity in spans(labels, path, emissions, tokens)]
