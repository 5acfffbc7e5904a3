"""Pre-train an encoder on plain text: ``python -m training.pretrain --data FOLDER --out FOLDER``.

Masked-language modelling (Devlin et al., NAACL 2019) that masks whole words (Cui et al., 2021, "Pre-Training with Whole
Word Masking for Chinese BERT"), and beside it the words and their parts of speech, hidden ones too.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import nn

from training.embeddings import company_embeddings
from training.network import EMBEDDING_SPREAD, Shape, hidden_states
from training.precision import Precision, fastest
from training.run import Run, train
from training.sequences import BATCH, LENGTH, Batch, Sequences
from training.text import PlainText, characters, read
from training.vocabulary import SEP, Vocabulary
from training.words import LABELS


class Pretraining(nn.Module):
    """The encoder with what guesses masked characters, and the labels of all, from its hidden states."""

    def __init__(self, shape: Shape, tokens: int, precision: Precision) -> None:
        super().__init__()
        self.encoder = shape.encoder(tokens, precision.attention)
        self._precision = precision
        self.transform = nn.Sequential(nn.Linear(shape.width, shape.width), nn.GELU(), nn.LayerNorm(shape.width))
        self.bias = nn.Parameter(torch.zeros(tokens))
        self.labels = nn.Linear(shape.width, len(LABELS))

    def loss(self, batch: Batch) -> torch.Tensor:
        """Mean cross-entropy of the characters to be guessed, and that of the labels of all."""
        wanted = batch.guessed >= 0
        with self._precision.autocast():
            hidden = hidden_states(self.encoder, batch.ids, torch.ones_like(batch.ids), batch.positions)
            characters = nn.functional.linear(
                self.transform(hidden[wanted]), self.encoder.embeddings.word_embeddings.weight, self.bias
            )
            labels = self.labels(hidden[:, 1:-1])
        return nn.functional.cross_entropy(characters.float(), batch.guessed[wanted]) + nn.functional.cross_entropy(
            labels.float().flatten(0, 1), batch.labels.flatten()
        )


def main() -> None:
    """Collect the vocabulary, train, write ``vocab.txt``, ``shape.json`` and ``encoder.pt``."""
    parser = argparse.ArgumentParser(description="Pre-train an encoder on plain text.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; goes on where it was interrupted")
    parser.add_argument(
        "--passes",
        type=float,
        default=2.0,
        help="over the plain text as corpus.py weights it; a run may go on with another number",
    )
    parser.add_argument("--layers", type=int, default=Shape.layers)
    parser.add_argument("--width", type=int, default=Shape.width)
    parser.add_argument("--inner", type=int, default=Shape.inner)
    parser.add_argument("--threads", type=int, help="instead of one for each core")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)

    run = Run(arguments.out)
    shape = Shape(arguments.layers, arguments.width, arguments.inner)
    shape.save(run.folder)
    lines = read(arguments.data)
    if not (run.folder / "vocab.txt").exists():
        characters(lines).save(run.folder / "vocab.txt")
    vocabulary = Vocabulary.load(run.folder / "vocab.txt")
    text = PlainText(lines, vocabulary, run.folder, processes=torch.get_num_threads())
    sequences = Sequences(text, len(vocabulary), shape.positions)
    precision = fastest(shape)
    print(f"{len(vocabulary)} tokens, products in {precision.products}, {precision.attention} attention", flush=True)

    torch.manual_seed(0)
    network = Pretraining(shape, len(vocabulary), precision)
    if run.load() is None:
        tokens = text.ids(text.lines_of_pass(0))
        embeddings = company_embeddings(tokens, len(vocabulary), SEP, shape.width)
        with torch.no_grad():
            network.encoder.embeddings.word_embeddings.weight.copy_(embeddings * EMBEDDING_SPREAD)

    def loss_of(step: int) -> tuple[torch.Tensor, int]:
        return network.loss(sequences.batch(step)), BATCH * LENGTH

    train(run, network, loss_of, steps=int(arguments.passes * sequences.steps_of_pass), rate=4e-4, warmup=0.03)
    torch.save(network.encoder.state_dict(), run.folder / "encoder.pt")


if __name__ == "__main__":
    main()
