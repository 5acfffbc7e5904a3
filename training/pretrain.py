"""Pre-train an encoder on plain text: ``python -m training.pretrain --data FOLDER --out FOLDER``.

Masked-language modelling (Devlin et al., NAACL 2019) with masks of one to four characters in a row, since a Chinese
word is of about two (Cui et al., 2021, "Pre-Training with Whole Word Masking for Chinese BERT").
"""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random

import torch
from torch import nn

from training.corpus import read_plain_text
from training.embeddings import company_embeddings
from training.network import EMBEDDING_SPREAD, Shape, hidden_states
from training.run import Run, train
from training.vocabulary import CLS, MASK, SEP, SPECIAL, Vocabulary, collect

# Characters of a sequence, sequences of a step, and the share of characters to be guessed.
LENGTH = 126
BATCH = 32
MASKED = 0.18


class Pretraining(nn.Module):
    """The encoder with what guesses masked characters from its hidden states."""

    def __init__(self, shape: Shape, tokens: int) -> None:
        super().__init__()
        self.encoder = shape.encoder(tokens)
        self.transform = nn.Sequential(nn.Linear(shape.width, shape.width), nn.GELU(), nn.LayerNorm(shape.width))
        self.bias = nn.Parameter(torch.zeros(tokens))

    def loss(self, ids: torch.Tensor, guessed: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy of the characters to be guessed.

        Args:
            ids: ``(batch, tokens)`` with masks in them.
            guessed: the original ids where a character is to be guessed, else -1.
        """
        wanted = guessed >= 0
        with torch.autocast(ids.device.type, torch.bfloat16):
            hidden = hidden_states(self.encoder, ids, torch.ones_like(ids), positions)[wanted]
            scores = nn.functional.linear(
                self.transform(hidden), self.encoder.embeddings.word_embeddings.weight, self.bias
            )
        return nn.functional.cross_entropy(scores.float(), guessed[wanted])


class Sequences:
    """Endless batches of masked sequences; which one a step gets depends on the step alone."""

    def __init__(self, lines: list[str], vocabulary: Vocabulary, positions: int) -> None:
        self.encoded = [vocabulary.encode(line) for line in lines]
        self._tokens = len(vocabulary)
        self._positions = positions
        self._epoch = -1
        self._packed = torch.empty(0)
        self.steps_of_epoch = sum(map(len, self.encoded)) // LENGTH // BATCH

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Ids, what is to be guessed, and positions, each ``(BATCH, LENGTH + 2)``."""
        epoch, index = divmod(step, self.steps_of_epoch)
        if epoch != self._epoch:
            self._pack(epoch)
        original = self._packed[index * BATCH : (index + 1) * BATCH]
        ids, guessed = self._mask(original)
        # Anywhere in the range, so that the encoder learns all of its positions from short sequences.
        starts = torch.randint(0, self._positions - LENGTH - 1, (BATCH, 1))
        return ids, guessed, starts + torch.arange(LENGTH + 2)

    def _pack(self, epoch: int) -> None:
        order = Random(epoch).sample(range(len(self.encoded)), len(self.encoded))
        flat = torch.tensor([token for line in order for token in self.encoded[line]])
        count = self.steps_of_epoch * BATCH
        rows = flat[: count * LENGTH].view(count, LENGTH)
        self._packed = torch.cat([torch.full((count, 1), CLS), rows, torch.full((count, 1), SEP)], dim=1)
        self._packed = self._packed[torch.randperm(count, generator=torch.Generator().manual_seed(epoch))]
        self._epoch = epoch

    def _mask(self, original: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        # Runs of 1, 2, 3 or 4 characters, the mean of whose lengths is 2.
        begins = torch.rand(original.shape) < MASKED / 2
        lengths = torch.multinomial(torch.tensor([0.4, 0.3, 0.2, 0.1]), original.numel(), True).view_as(original) + 1
        chosen = begins.clone()
        for further in range(1, 4):
            chosen[:, further:] |= begins[:, :-further] & (lengths[:, :-further] > further)
        chosen &= original >= len(SPECIAL)
        fate = torch.rand(original.shape)
        ids = original.clone()
        ids[chosen & (fate < 0.8)] = MASK
        other = chosen & (fate >= 0.8) & (fate < 0.9)
        ids[other] = torch.randint(len(SPECIAL), self._tokens, (int(other.sum()),))
        return ids, torch.where(chosen, original, -1)


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
    sequences = Sequences(lines, vocabulary, shape.positions)
    torch.manual_seed(0)
    network = Pretraining(shape, len(vocabulary))
    embeddings = company_embeddings(sequences.encoded, len(vocabulary), CLS, shape.width)
    with torch.no_grad():
        network.encoder.embeddings.word_embeddings.weight.copy_(embeddings * EMBEDDING_SPREAD)

    def loss_of(step: int) -> tuple[torch.Tensor, int]:
        return network.loss(*sequences.batch(step)), BATCH * LENGTH

    train(run, network, loss_of, steps=int(arguments.epochs * sequences.steps_of_epoch), rate=4e-4, warmup=0.03)
    torch.save(network.encoder.state_dict(), run.folder / "encoder.pt")


if __name__ == "__main__":
    main()
