"""Batches of an epoch: views of the sentences, by length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray

from training import views
from training.corpus import Sentence, join
from training.sets import HEADS, LabelledSet
from training.tags import Annotation, labels_in, labels_of
from training.views import Names, Typos
from training.vocabulary import CLS, MASK, PAD, SEP, SPECIAL, UNK, Vocabulary

# Most tokens of a batch, padding included, and of a text with its context.
BATCH_TOKENS = 4_096
LONGEST = 254
# An epoch is made in so many parts, which processes may share, or in fewer, of at least so many sentences.
PARTS = 16
SENTENCES_OF_PART = 2_000
# Shares of sentences that are shown with other names, with context, disturbed, in another form, or of which the names
# are shown in tables.
RENAMED = 0.5
IN_CONTEXT = 0.35
DISTURBED = 0.3
IN_FORM = 0.3
IN_TABLES = 0.04
# How often each form is among those.
FORMS: Mapping[str, float] = {
    "between spaces": 6,
    "wrapped": 5,
    "half-width punctuation": 5,
    "remnants of markup": 4,
    "no punctuation": 3,
    "full width": 3,
    "spaces for punctuation": 2,
    "traditional": 2,
}
# The share that is shown as it was sent. All other texts are shown as the farm's model reads them.
AS_SENT = 0.1
# Most sentences of which the names are in one table.
TABULATED = 8
# Share of characters hidden, and of texts that begin elsewhere than at the first position.
HIDDEN = 0.06
SHIFTED = 0.5


@dataclass(frozen=True)
class Batch:
    """Texts with what their annotations allow.

    ``ids`` and ``positions`` are ``(batch, tokens)``; ``lengths`` is ``(batch,)``; ``allowed`` has of each head the
    labels that a character may have, as bits: ``(batch, tokens - 2)``.
    """

    ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    lengths: NDArray[np.int64]
    allowed: Mapping[str, NDArray[np.int64]]

    @property
    def characters(self) -> int:
        """How many characters there are to be labelled."""
        return int(self.lengths.sum())

    def tensors(self, device: torch.device) -> Tensors:
        """The batch for a network on a device."""

        def moved(array: NDArray[np.int64]) -> torch.Tensor:
            return torch.from_numpy(array).to(device)

        ids = moved(self.ids)
        return Tensors(
            ids,
            (ids != PAD).long(),
            moved(self.positions),
            moved(self.lengths),
            {head: labels_in(moved(bits), len(labels_of(HEADS[head]))) for head, bits in self.allowed.items()},
        )


@dataclass(frozen=True)
class Tensors:
    """A :class:`Batch` as a network takes it: ``allowed`` is ``(batch, tokens - 2, labels)``, boolean."""

    ids: torch.Tensor
    mask: torch.Tensor
    positions: torch.Tensor
    lengths: torch.Tensor
    allowed: Mapping[str, torch.Tensor]


class Epochs:
    """The batches of each epoch, made anew from its number."""

    def __init__(
        self,
        sentences: Mapping[str, Sequence[Sentence]],
        sets: Mapping[str, LabelledSet],
        vocabulary: Vocabulary,
        positions: int,
        names: Names,
        seed: int = 0,
        size: int = BATCH_TOKENS,
        processes: int = 0,
    ) -> None:
        """``sentences``: of each of the ``sets``; ``names``: those of PER, LOC and ORG to be shown in them.

        ``size``: most tokens of a batch. ``processes``: how many make epochs, the next while one is learnt from; 0
        means that they are made when they are wanted.
        """
        self._seed = seed
        self._size = size
        self._parts = min(PARTS, 1 + sum(map(len, sentences.values())) // SENTENCES_OF_PART)
        self._sentences = sentences
        self._sets = sets
        # A head that a set does not teach gets a reading without types, which allows everything.
        self._annotations = {
            (head, name): Annotation(types, of_set.readings.get(head, {}))
            for head, types in HEADS.items()
            for name, of_set in sets.items()
        }
        self._vocabulary = vocabulary
        self._positions = positions
        self._names = names
        known = frozenset(vocabulary.characters)
        self._typos = Typos([token for token in vocabulary.tokens[len(SPECIAL) :] if "一" <= token <= "龥"][:3000])
        # By the names in FORMS.
        self._forms: Mapping[str, Callable[[Sentence, Random], Sentence]] = {
            "between spaces": views.between_spaces,
            "wrapped": views.wrapped,
            "half-width punctuation": lambda sentence, _: views.half_width_punctuation(sentence),
            "remnants of markup": views.with_remnants,
            "no punctuation": lambda sentence, _: views.without_punctuation(sentence),
            "full width": lambda sentence, _: views.full_width(sentence),
            "spaces for punctuation": lambda sentence, _: views.spaces_for_punctuation(sentence),
            "traditional": lambda sentence, _: views.traditional(sentence, known),
        }
        # They are forked, as the sentences would take longer to send than an epoch to make.
        self._pool = ProcessPoolExecutor(processes, get_context("fork"), _work_for, (self,)) if processes else None
        self._begun: dict[int, list[Future[list[Batch]]]] = {}
        self._current = (0, self.batches(0))
        self.steps_of_epoch = len(self._current[1])

    def batch(self, step: int) -> Batch:
        """The batch of a step; which one depends on the step alone."""
        epoch, index = divmod(step, self.steps_of_epoch)
        if epoch != self._current[0]:
            self._current = (epoch, self.batches(epoch))
        # Epochs differ by a batch or two.
        return self._current[1][index % len(self._current[1])]

    def batches(self, epoch: int) -> list[Batch]:
        """The batches of an epoch, in the order they are learnt from."""
        if self._pool is None:
            parts = [self.part(epoch, part) for part in range(self._parts)]
        else:
            for begun in (epoch, epoch + 1):
                if begun not in self._begun:
                    self._begun[begun] = [self._pool.submit(_part, begun, part) for part in range(self._parts)]
            parts = [part.result() for part in self._begun.pop(epoch)]
        found = [batch for part in parts for batch in part]
        Random(self._seed * 1_000 + epoch).shuffle(found)
        return found

    def part(self, epoch: int, part: int) -> list[Batch]:
        """One of the parts of an epoch, each of which has its share of every set."""
        seed = (self._seed * 1_000 + epoch) * PARTS + part
        return list(self._grouped(part, Random(seed), np.random.default_rng(seed)))

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _grouped(self, part: int, random: Random, generator: np.random.Generator) -> Iterator[Batch]:
        shown = [(name, view) for name in self._sets for view in self._shown(name, part, random) if view.text]
        # Of one length, about, so that there is little padding; not the same neighbours in each epoch.
        shown.sort(key=lambda item: len(item[1].text) + random.random() * 4)
        group: list[tuple[str, Sentence]] = []
        for name, view in shown:
            if group and (max(len(view.text), len(group[-1][1].text)) + 2) * (len(group) + 1) > self._size:
                yield self._batch(group, generator)
                group = []
            group.append((name, view))
        if group:
            yield self._batch(group, generator)

    def _shown(self, name: str, part: int, random: Random) -> Iterator[Sentence]:
        # A share of a set is another one in each epoch.
        times = self._sets[name].times
        whole = [
            sentence
            for sentence in self._sentences[name][part :: self._parts]
            for _ in range(int(times) + (random.random() < times % 1))
        ]
        random.shuffle(whole)
        tabulated = round(len(whole) * IN_TABLES)
        texts = [*self._tables(whole[:tabulated], random), *(self._view(each, random) for each in whole[tabulated:])]
        shown = [piece for text in texts for piece in pieces(_as_shown(text, random))]
        random.shuffle(shown)
        waiting: list[Sentence] = []
        for view in shown:
            if random.random() >= IN_CONTEXT:
                yield view
            elif waiting and sum(len(each.text) for each in waiting) + len(view.text) > random.randint(40, LONGEST):
                yield join(waiting)
                waiting = [view]
            else:
                waiting.append(view)
        if waiting:
            yield join(waiting)

    def _tables(self, sentences: Sequence[Sentence], random: Random) -> Iterator[Sentence]:
        begin = 0
        while begin < len(sentences):
            end = begin + random.randint(1, TABULATED)
            yield from views.tables([self._renamed(each, random) for each in sentences[begin:end]], random)
            begin = end

    def _view(self, sentence: Sentence, random: Random) -> Sentence:
        view = self._renamed(sentence, random)
        if random.random() < DISTURBED:
            view = self._typos.disturb(view, random.uniform(0.02, 0.12), random)
        if random.random() < IN_FORM:
            (form,) = random.choices(list(FORMS), list(FORMS.values()))
            view = self._forms[form](view, random)
        return view

    def _renamed(self, sentence: Sentence, random: Random) -> Sentence:
        return views.rename(sentence, self._names, random.random(), random) if random.random() < RENAMED else sentence

    def _batch(self, group: Sequence[tuple[str, Sentence]], generator: np.random.Generator) -> Batch:
        lengths = np.array([len(sentence.text) for _, sentence in group])
        most = int(lengths.max())
        ids = np.full((len(group), most + 2), PAD)
        allowed = {head: np.ones((len(group), most), np.int64) for head in HEADS}
        for row, (name, (text, spans)) in enumerate(group):
            ids[row, : len(text) + 2] = [CLS, *self._vocabulary.encode(text), SEP]
            for head, of_head in allowed.items():
                of_head[row, : len(text)] = self._annotations[head, name].allowed(len(text), spans)
        hidden = (generator.random(ids.shape) < HIDDEN) & (ids >= len(SPECIAL))
        ids[hidden] = np.where(generator.random(int(hidden.sum())) < 0.5, MASK, UNK)
        starts = generator.integers(0, self._positions - most - 1, (len(group), 1))
        starts *= generator.random((len(group), 1)) < SHIFTED
        return Batch(ids, starts + np.arange(most + 2), lengths, allowed)


# In a process that makes epochs: those it makes.
_made: list[Epochs] = []


def _work_for(epochs: Epochs) -> None:
    _made.append(epochs)


def _part(epoch: int, part: int) -> list[Batch]:
    return _made[0].part(epoch, part)


def _as_shown(text: Sentence, random: Random) -> Sentence:
    return text if random.random() < AS_SENT else views.as_read(text)


def pieces(sentence: Sentence) -> Iterator[Sentence]:
    """A document in pieces that a batch can take, cut behind full stops outside of names."""
    text, spans = sentence
    begin = 0
    while len(text) - begin > LONGEST:
        cuts = [
            place + 1
            for place in range(begin + 20, begin + LONGEST)
            if text[place] in "。！？；\n" and not any(start <= place < end - 1 for start, end, _ in spans)
        ]
        end = cuts[-1] if cuts else begin + LONGEST
        yield _slice(sentence, begin, end)
        begin = end
    yield _slice(sentence, begin, len(text))


def _slice(sentence: Sentence, begin: int, end: int) -> Sentence:
    return Sentence(
        sentence.text[begin:end],
        tuple(
            span._replace(start=span.start - begin, end=span.end - begin)
            for span in sentence.spans
            if begin <= span.start and span.end <= end
        ),
    )
