"""Teach a pre-trained encoder to find entities: ``python -m training.finetune --data … --pretrained … --out …``."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.batches import Epochs
from training.corpus import read_gazetteer, read_set
from training.network import Shape, TransformerCrf
from training.run import Average, Run, train
from training.scores import find, score
from training.sets import NEWS, TASKS, sentences_of
from training.tags import labels_of
from training.views import Names
from training.vocabulary import Vocabulary

DEVELOPMENT = ("msra.dev", "uner_gsdsimp.dev")


def main() -> None:
    """Train, report scores on the development sets, write ``network.pt``: the average of the weights."""
    parser = argparse.ArgumentParser(description="Teach a pre-trained encoder to find entities.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--pretrained", type=Path, required=True, help="folder of the pre-training run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; goes on where it was interrupted")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--layers", type=int, default=Shape.layers)
    parser.add_argument("--width", type=int, default=Shape.width)
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--evaluate-every", type=int, default=400)
    arguments = parser.parse_args()

    run = Run(arguments.out)
    vocabulary = Vocabulary.load(arguments.pretrained / "vocab.txt")
    vocabulary.save(run.folder / "vocab.txt")
    shape = Shape(arguments.layers, arguments.width)
    torch.manual_seed(0)
    encoder = shape.encoder(len(vocabulary))
    encoder.load_state_dict(torch.load(arguments.pretrained / "encoder.pt", weights_only=True))
    network = TransformerCrf(encoder, {name: labels_of(task.types) for name, task in TASKS.items()})

    sentences = {name: sentences_of(arguments.data, task) for name, task in TASKS.items()}
    lists = (read_gazetteer(arguments.data, name) for name in ("places", "companies_short", "japanese_names"))
    epochs = Epochs(
        sentences,
        {name: task.types for name, task in TASKS.items()},
        vocabulary,
        shape.positions,
        {NEWS: Names(sentences[NEWS], *lists)},
    )
    development = {name: read_set(arguments.data, name, TASKS[NEWS].types) for name in DEVELOPMENT}

    steps = arguments.epochs * epochs.steps_of_epoch

    def loss_of(step: int) -> tuple[torch.Tensor, int]:
        batch = epochs.batch(step)
        with torch.autocast("cpu", torch.bfloat16):
            emissions = network.emissions(batch.task, batch.ids, batch.mask, batch.positions)
        losses = network.head(batch.task).crf.loss(emissions, batch.tags, batch.lengths)
        return losses.sum() / batch.characters * 10, batch.characters

    average = Average(network, 0.998)

    def evaluate(_: int) -> dict[str, float]:
        own = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        network.load_state_dict(average.state)
        figures = {
            name: score(
                zip(
                    (sentence.spans for sentence in of_set),
                    find(network, NEWS, TASKS[NEWS].types, vocabulary, of_set),
                    strict=True,
                )
            )[""].f1
            for name, of_set in development.items()
        }
        network.load_state_dict(own)
        return figures

    train(
        run,
        network,
        loss_of,
        steps=steps,
        rate=arguments.rate,
        average=average,
        evaluations={*range(arguments.evaluate_every, steps, arguments.evaluate_every), steps},
        evaluate=evaluate,
    )
    torch.save(average.state, run.folder / "network.pt")


if __name__ == "__main__":
    main()
