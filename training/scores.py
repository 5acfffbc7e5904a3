"""Entity-level scores: an entity counts where its place and its type are right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.corpus import Sentence, Span
from training.emissions import by_length, emissions
from training.network import TransformerCrf
from training.precision import Precision
from training.sets import HEADS, Reading
from training.tags import labels_of
from training.vocabulary import Vocabulary
from workers.engine.labels import Labels
from workers.engine.spans import spans
from workers.engine.tokens import Tokens
from workers.engine.viterbi import Crf as Paths

# The name under which a score is of all types.
ALL = "all"
_BATCH_TOKENS = 8_192


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


def score(sentences: Sequence[Sentence], found: Sequence[Sequence[Span]], reading: Reading) -> dict[str, Score]:
    """Scores by type, and of all as :data:`ALL`, of the spans that a head found in a set's sentences.

    Types that the reading does not tell apart are scored as one, such as GOV/ORG; what a head found of types that the
    set does not annotate is not looked at.
    """
    as_one = {kind: "/".join(kinds) for kinds in reading.values() for kind in kinds}
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for sentence, given in zip(sentences, found, strict=True):
        wanted = {span._replace(type="/".join(reading[span.type])) for span in sentence.spans}
        looked_at = {span._replace(type=as_one[span.type]) for span in given if span.type in as_one}
        for place, counted in enumerate((wanted, looked_at, wanted & looked_at)):
            for span in counted:
                counts[span.type][place] += 1
                counts[ALL][place] += 1
    return {kind: Score(*counts[kind]) for kind in sorted(counts)}


def score_apart(
    sentences: Sequence[Sentence], found: Sequence[Sequence[Span]], reading: Reading, known: Collection[str]
) -> tuple[Score, Score]:
    """Scores of all types for the names that are ``known`` from training, and for all other names.

    A network finds nine in ten of the names that it has learnt, and fewer of the others, which a stranger's text is
    full of. What is found by mistake counts among the known names if it is one of them.
    """
    of_parts = []
    for is_known in (True, False):
        there, given = [], []
        for sentence, of_sentence in zip(sentences, found, strict=True):
            text = sentence.text
            there.append(
                Sentence(
                    text, tuple(span for span in sentence.spans if (text[span.start : span.end] in known) == is_known)
                )
            )
            given.append([span for span in of_sentence if (text[span.start : span.end] in known) == is_known])
        of_parts.append(score(there, given, reading).get(ALL, Score(0, 0, 0)))
    return of_parts[0], of_parts[1]


def find(
    network: TransformerCrf, head: str, vocabulary: Vocabulary, sentences: Sequence[Sentence], precision: Precision
) -> list[list[Span]]:
    """The spans that a network in training finds in each sentence."""
    network.eval()
    labels = Labels(labels_of(HEADS[head]))
    paths = Paths(*(tensor.detach().cpu().numpy() for tensor in network.head(head).crf.scores()))
    texts = [sentence.text for sentence in sentences]
    found: list[list[Span]] = [[] for _ in sentences]
    for places in by_length(texts, _BATCH_TOKENS):
        rows, _ = emissions(network, head, vocabulary, [texts[place] for place in places], precision)
        of_texts = [of[: len(texts[place])] for place, of in zip(places, rows.cpu().numpy(), strict=True)]
        for place, path, of in zip(places, paths.decode(of_texts), of_texts, strict=True):
            found[place] = spans_of(labels, path, of)
    return found


def spans_of(labels: Labels, path: NDArray[np.intp], emissions: NDArray[np.float32]) -> list[Span]:
    """The spans of a label path, a label a character, as the engine reads them."""
    places = np.arange(len(path))
    tokens = Tokens(ids=places, first=places, starts=places, ends=places + 1)
    return [Span(entity.start, entity.end, entity.type) for entity in spans(labels, path, emissions, tokens)]
