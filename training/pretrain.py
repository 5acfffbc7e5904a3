"""Pre-train an encoder on plain text: ``python -m training.pretrain --data FOLDER --start FOLDER --out FOLDER``.

Masked-language modelling (Devlin et al., NAACL 2019) that masks whole words (Cui et al., 2021, "Pre-Training with Whole
Word Masking for Chinese BERT"), and beside it the words and their parts of speech, hidden ones too.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import nn

from training.network import Shape, hidden_states, taken_from
from training.precision import DEVICE, Precision, fastest
from training.run import Run, train
from training.sequences import LENGTH, Batch, Sequences
from training.text import PlainText, read
from training.vocabulary import Vocabulary
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

    def forward(self, batch: Batch) -> torch.Tensor:
        """The loss: mean cross-entropy of the characters to be guessed, and that of the labels of all."""
        with self._precision.autocast():
            hidden = hidden_states(self.encoder, batch.ids, None, batch.positions)
            wanted = hidden.flatten(0, 1)[batch.places]
            characters = nn.functional.linear(
                self.transform(wanted), self.encoder.embeddings.word_embeddings.weight, self.bias
            )
            labels = self.labels(hidden[:, 1:-1])
        return nn.functional.cross_entropy(characters.float(), batch.guessed) + nn.functional.cross_entropy(
            labels.float().flatten(0, 1), batch.labels.flatten()
        )


def main() -> None:
    """Train; write ``vocab.txt``, ``shape.json`` and ``encoder.pt``."""
    parser = argparse.ArgumentParser(description="Pre-train an encoder on plain text.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--start", type=Path, required=True, help="folder of the encoder to begin with")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; goes on where it was interrupted")
    parser.add_argument(
        "--passes",
        type=float,
        default=12.0,
        help="over the plain text as corpus.py weights it; a run may go on with another number",
    )
    parser.add_argument("--minutes", type=float, help="end after so many, whatever is left of the passes")
    parser.add_argument("--layers", type=int, help="as many of the encoder's layers; all without it")
    parser.add_argument("--inner", type=int, help="as many of a layer's inner values; all without it")
    parser.add_argument("--batch", type=int, default=32, help="sequences of a step")
    parser.add_argument("--rate", type=float, default=4e-4, help="highest learning rate")
    parser.add_argument("--threads", type=int, help="instead of one for each core")
    parser.add_argument("--compile", action="store_true", help="compile the network first, which pays on a GPU")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)

    run = Run(arguments.out)
    first = Shape.load(arguments.start)
    shape = Shape(
        arguments.layers or first.layers, first.width, arguments.inner or first.inner, first.heads, first.positions
    )
    shape.save(run.folder)
    vocabulary = Vocabulary.load(arguments.start / "vocab.txt")
    vocabulary.save(run.folder / "vocab.txt")
    text = PlainText(read(arguments.data), vocabulary, run.folder, processes=torch.get_num_threads())
    sequences = Sequences(text, len(vocabulary), shape.positions, arguments.batch)
    precision = fastest(shape)
    print(f"{len(vocabulary)} tokens, products in {precision.products}, {precision.attention} attention", flush=True)

    torch.manual_seed(0)
    network = Pretraining(shape, len(vocabulary), precision)
    state = torch.load(arguments.start / "encoder.pt", weights_only=True)
    network.encoder.load_state_dict(taken_from(state, first, shape))
    network.to(DEVICE)
    loss = torch.compile(network) if arguments.compile else network
    if arguments.compile:
        # The first step compiles, which is not of the minutes that the run has.
        loss(sequences.batch(0)).backward()
        network.zero_grad()

    def loss_of(step: int) -> tuple[torch.Tensor, int]:
        return loss(sequences.batch(step)), arguments.batch * LENGTH

    train(
        run,
        network,
        loss_of,
        steps=int(arguments.passes * sequences.steps_of_pass),
        rate=arguments.rate,
        warmup=0.03,
        minutes=arguments.minutes,
    )
    torch.save({name: tensor.cpu() for name, tensor in network.encoder.state_dict().items()}, run.folder / "encoder.pt")


if __name__ == "__main__":
    main()
