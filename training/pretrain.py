"""Pre-train an encoder on plain text: ``python -m training.pretrain --data FOLDER --out FOLDER``.

Masked-language modelling (Devlin et al., NAACL 2019) that masks whole words (Cui et al., 2021, "Pre-Training with Whole
Word Masking for Chinese BERT"), and beside it the words and their parts of speech, hidden ones too.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import torch
from torch import nn

from training.corpus import Sentence, read_plain_text
from training.embeddings import company_embeddings
from training.network import EMBEDDING_SPREAD, Shape, hidden_states
from training.run import Run, train
from training.tags import labels_of, tag
from training.vocabulary import CLS, MASK, SEP, SPECIAL, Vocabulary, collect
from training.words import OTHER, PARTS, worded

# Characters of a sequence, sequences of a step, and the share of words to be guessed.
LENGTH = 126
BATCH = 32
MASKED = 0.18

# What each character is labelled with: its place in its word, and the word's part of speech.
LABELS = labels_of([*PARTS, OTHER])
_BEGINS = torch.tensor([label[0] in "BS" for label in LABELS])


class Pretraining(nn.Module):
    """The encoder with what guesses masked characters, and the labels of all, from its hidden states."""

    def __init__(self, shape: Shape, tokens: int) -> None:
        super().__init__()
        self.encoder = shape.encoder(tokens)
        self.transform = nn.Sequential(nn.Linear(shape.width, shape.width), nn.GELU(), nn.LayerNorm(shape.width))
        self.bias = nn.Parameter(torch.zeros(tokens))
        self.labels = nn.Linear(shape.width, len(LABELS))

    def loss(self, batch: Batch) -> torch.Tensor:
        """Mean cross-entropy of the characters to be guessed, and that of the labels of all."""
        wanted = batch.guessed >= 0
        with torch.autocast(batch.ids.device.type, torch.bfloat16):
            hidden = hidden_states(self.encoder, batch.ids, torch.ones_like(batch.ids), batch.positions)
            characters = nn.functional.linear(
                self.transform(hidden[wanted]), self.encoder.embeddings.word_embeddings.weight, self.bias
            )
            labels = self.labels(hidden[:, 1:-1])
        return nn.functional.cross_entropy(characters.float(), batch.guessed[wanted]) + nn.functional.cross_entropy(
            labels.float().flatten(0, 1), batch.labels.flatten()
        )


class Batch(NamedTuple):
    """Sequences of a step.

    ``ids`` and ``positions`` are ``(BATCH, LENGTH + 2)``, with masks in the one; ``guessed`` has the original ids where
    a character is to be guessed, else -1; ``labels`` is ``(BATCH, LENGTH)``, as [CLS] and [SEP] have none.
    """

    ids: torch.Tensor
    guessed: torch.Tensor
    positions: torch.Tensor
    labels: torch.Tensor


class Sequences:
    """Endless batches of masked sequences; which one a step gets depends on the step alone."""

    def __init__(self, lines: Sequence[Sentence], vocabulary: Vocabulary, positions: int) -> None:
        """``lines``: texts with their words."""
        index = {label: i for i, label in enumerate(LABELS)}
        self.encoded = [vocabulary.encode(text) for text, _ in lines]
        self._labels = [tag(len(text), words, index) for text, words in lines]
        self._tokens = len(vocabulary)
        self._positions = positions
        self._epoch = -1
        self._packed = self._packed_labels = torch.empty(0)
        self.steps_of_epoch = sum(map(len, self.encoded)) // LENGTH // BATCH

    def batch(self, step: int) -> Batch:
        """The sequences of a step."""
        epoch, index = divmod(step, self.steps_of_epoch)
        if epoch != self._epoch:
            self._pack(epoch)
        rows = slice(index * BATCH, (index + 1) * BATCH)
        labels = self._packed_labels[rows]
        ids, guessed = self._mask(self._packed[rows], labels)
        # Anywhere in the range, so that the encoder learns all of its positions from short sequences.
        starts = torch.randint(0, self._positions - LENGTH - 1, (BATCH, 1))
        return Batch(ids, guessed, starts + torch.arange(LENGTH + 2), labels)

    def _pack(self, epoch: int) -> None:
        order = Random(epoch).sample(range(len(self.encoded)), len(self.encoded))
        count = self.steps_of_epoch * BATCH
        mixed = torch.randperm(count, generator=torch.Generator().manual_seed(epoch))

        def rows(of: Sequence[Sequence[int]]) -> torch.Tensor:
            flat = torch.tensor([item for line in order for item in of[line]])
            return flat[: count * LENGTH].view(count, LENGTH)[mixed]

        self._packed, self._packed_labels = rows(self.encoded), rows(self._labels)
        self._epoch = epoch

    def _mask(self, original: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids with masks and what is to be guessed there, with [CLS] and [SEP] around them."""
        # One draw a word, which all of its characters look up.
        words = _BEGINS[labels].cumsum(1)
        chosen = (torch.rand(original.shape[0], LENGTH + 1).gather(1, words) < MASKED) & (original >= len(SPECIAL))
        fate = torch.rand(original.shape)
        ids = original.clone()
        ids[chosen & (fate < 0.8)] = MASK
        other = chosen & (fate >= 0.8) & (fate < 0.9)
        ids[other] = torch.randint(len(SPECIAL), self._tokens, (int(other.sum()),))
        guessed = torch.where(chosen, original, -1)
        edge = torch.ones(len(ids), 1, dtype=torch.long)
        return torch.cat([edge * CLS, ids, edge * SEP], 1), torch.cat([-edge, guessed, -edge], 1)


def main() -> None:
    """Collect the vocabulary, train, write ``vocab.txt`` and ``encoder.pt``."""
    parser = argparse.ArgumentParser(description="Pre-train an encoder on plain text.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; goes on where it was interrupted")
    parser.add_argument("--epochs", type=float, default=6.0)
    parser.add_argument("--layers", type=int, default=Shape.layers)
    parser.add_argument("--width", type=int, default=Shape.width)
    arguments = parser.parse_args()

    lines = read_plain_text(arguments.data)
    vocabulary = collect(lines)
    run = Run(arguments.out)
    vocabulary.save(run.folder / "vocab.txt")
    shape = Shape(arguments.layers, arguments.width)
    sequences = Sequences(worded(lines, os.cpu_count() or 1), vocabulary, shape.positions)
    torch.manual_seed(0)
    network = Pretraining(shape, len(vocabulary))
    embeddings = company_embeddings(sequences.encoded, len(vocabulary), CLS, shape.width)
    with torch.no_grad():
        network.encoder.embeddings.word_embeddings.weight.copy_(embeddings * EMBEDDING_SPREAD)

    def loss_of(step: int) -> tuple[torch.Tensor, int]:
        return network.loss(sequences.batch(step)), BATCH * LENGTH

    train(run, network, loss_of, steps=int(arguments.epochs * sequences.steps_of_epoch), rate=4e-4, warmup=0.03)
    torch.save(network.encoder.state_dict(), run.folder / "encoder.pt")


if __name__ == "__main__":
    main()
