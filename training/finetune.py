"""Teach a pre-trained encoder to find entities: ``python -m training.finetune --data … --pretrained … --out …``."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.batches import BATCH_TOKENS, Epochs, pieces
from training.corpus import read_gazetteer, read_set
from training.crf import Crf
from training.network import Shape, TransformerCrf
from training.precision import DEVICE, fastest
from training.run import Average, Run, train
from training.scores import ALL, find, score, score_apart
from training.sets import DEVELOPMENT, HEADS, NAMED, TRAINING, LabelledSet, sentences_of
from training.tags import UNKNOWN, labels_of
from training.views import Names, as_read
from training.vocabulary import Vocabulary

# Weight of the loss of each character alone.
LOCAL = 0.2
# Of what the networks before have labelled, so much is in an epoch.
SHARE = 1 / 3
# The lists of names that are shown in sentences.
PLACES = ("places", "china_divisions", "world_places")
COMPANIES = ("companies_short", "companies_short_more")
JAPANESE = ("japanese_names",)
PEOPLE = ("historical_people",)


def main() -> None:
    """Train, report scores on the development sets, write the average of the weights: ``network.pt``."""
    parser = argparse.ArgumentParser(description="Teach a pre-trained encoder to find entities.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument(
        "--pretrained",
        type=Path,
        required=True,
        help="folder of the pre-training run, or of a fine-tuning run to go on from",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; goes on where it was interrupted")
    parser.add_argument("--epochs", type=float, default=6.0)
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--evaluate-every", type=int, default=1_000)
    parser.add_argument("--batch-tokens", type=int, default=BATCH_TOKENS, help="most tokens of a step")
    parser.add_argument("--minutes", type=float, help="end after so many, whatever is left of the epochs")
    parser.add_argument("--processes", type=int, default=0, help="how many make the batches; 0: the run itself")
    parser.add_argument("--labelled", type=Path, help="folder that training.label wrote: its texts are learnt from too")
    parser.add_argument("--seed", type=int, default=0, help="another one makes other batches and another network")
    arguments = parser.parse_args()

    run = Run(arguments.out)
    vocabulary = Vocabulary.load(arguments.pretrained / "vocab.txt")
    vocabulary.save(run.folder / "vocab.txt")
    shape = Shape.load(arguments.pretrained)
    shape.save(run.folder)
    torch.manual_seed(arguments.seed)
    precision = fastest(shape)
    encoder = shape.encoder(len(vocabulary), precision.attention)
    network = TransformerCrf(encoder, {head: labels_of(types) for head, types in HEADS.items()})
    if (whole := arguments.pretrained / "network.pt").exists():
        network.load_state_dict(torch.load(whole, weights_only=True))
    else:
        encoder.load_state_dict(torch.load(arguments.pretrained / "encoder.pt", weights_only=True))

    sets = dict(TRAINING)
    sentences = {name: sentences_of(arguments.data, name) for name in sets}
    if arguments.labelled:
        for head, types in HEADS.items():
            sets[f"labelled.{head}"] = LabelledSet({head: {kind: (kind,) for kind in types}}, SHARE)
            sentences[f"labelled.{head}"] = read_set(arguments.labelled, f"labelled.{head}", (*types, UNKNOWN))
    lists = [
        [entry for name in of_kind for entry in read_gazetteer(arguments.data, name)]
        for of_kind in (PLACES, COMPANIES, JAPANESE, PEOPLE)
    ]
    known = {
        sentence.text[span.start : span.end]
        for name in TRAINING
        for sentence in map(as_read, sentences[name])
        for span in sentence.spans
        if span.type != UNKNOWN
    }
    named = [sentence for name in NAMED for sentence in sentences[name]]
    epochs = Epochs(
        sentences,
        sets,
        vocabulary,
        shape.positions,
        Names(named, *lists),
        arguments.seed,
        arguments.batch_tokens,
        arguments.processes,
    )
    development = {
        (head, name): [
            piece
            for sentence in sentences_of(arguments.data, name)
            for piece in pieces(as_read(sentence))
            if piece.text
        ]
        for head, sets in DEVELOPMENT.items()
        for name in sets
    }
    steps = int(arguments.epochs * epochs.steps_of_epoch)
    network.to(DEVICE)

    def loss_of(step: int) -> tuple[torch.Tensor, int]:
        made = epochs.batch(step)
        batch = made.tensors(DEVICE)
        with precision.autocast():
            emissions = network(batch.ids, batch.mask, batch.positions)
        losses = []
        for head, allowed in batch.allowed.items():
            given = (emissions[head], allowed, batch.lengths)
            losses.append((network.head(head).crf.loss(*given) + LOCAL * Crf.local_loss(*given)).sum())
        return torch.stack(losses).sum() / made.characters * 10, made.characters

    average = Average(network, 0.998)

    def evaluate(_: int) -> dict[str, float]:
        own = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        network.load_state_dict(average.state)
        figures = {}
        for (head, name), of_set in development.items():
            reading = DEVELOPMENT[head][name]
            found = find(network, head, vocabulary, of_set, precision)
            figures[name] = score(of_set, found, reading)[ALL].f1
            seen, unseen = score_apart(of_set, found, reading, known)
            figures |= {f"{name}.seen": seen.f1, f"{name}.unseen": unseen.f1}
        network.load_state_dict(own)
        return figures

    train(
        run,
        network,
        loss_of,
        steps=steps,
        rate=arguments.rate,
        minutes=arguments.minutes,
        average=average,
        evaluations={*range(arguments.evaluate_every, steps, arguments.evaluate_every), steps},
        evaluate=evaluate,
    )
    epochs.close()
    state = {name: tensor.cpu() for name, tensor in average.state.items()}
    torch.save(state, run.folder / "network.pt")


if __name__ == "__main__":
    main()
