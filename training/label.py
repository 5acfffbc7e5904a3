"""Label the plain text with trained networks: ``python -m training.label --data … --run … --out …``.

What several networks agree on teaches the next one, which is shown the text disturbed, renamed and in context (Xie et
al., CVPR 2020, "Self-training with Noisy Student"); where they doubt, the label is left open.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import torch

from training.batches import pieces
from training.corpus import UNLABELLED, Sentence, Span, read_plain_text
from training.crf import FORBIDDEN
from training.network import Shape, TransformerCrf
from training.scores import spans_of
from training.sets import HEADS
from training.tags import UNKNOWN, forbidden, labels_of
from training.views import as_read
from training.vocabulary import CLS, PAD, SEP, Vocabulary
from workers.engine.labels import Labels
from workers.engine.viterbi import Crf as Paths

# A label that the networks give less than this probability together is left open.
SURE = 0.75
BATCH_TOKENS = 4_096


def main() -> None:
    """Write ``labelled.HEAD.jsonl.gz`` for each head, each of a part of the plain text."""
    parser = argparse.ArgumentParser(description="Label the plain text with trained networks.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--run", type=Path, nargs="+", required=True, help="folders of fine-tuning runs")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args()

    arguments.out.mkdir(parents=True, exist_ok=True)
    vocabulary = Vocabulary.load(arguments.run[0] / "vocab.txt")
    shape = Shape.load(arguments.run[0])
    networks = []
    for run in arguments.run:
        network = TransformerCrf(
            shape.encoder(len(vocabulary)), {head: labels_of(types) for head, types in HEADS.items()}
        )
        network.load_state_dict(torch.load(run / "network.pt", weights_only=True))
        networks.append(network.eval())
    lines = [as_read(Sentence(line, ())) for line in read_plain_text(arguments.data, UNLABELLED) if line]
    for part, head in enumerate(HEADS):
        texts = [piece.text for line in lines[part :: len(HEADS)] for piece in pieces(line)]
        with gzip.open(arguments.out / f"labelled.{head}.jsonl.gz", "wt", encoding="utf-8") as file:
            for done, (text, spans) in enumerate(label(networks, head, vocabulary, texts), 1):
                file.write(json.dumps({"text": text, "entities": spans}, ensure_ascii=False) + "\n")
                if done % 5_000 == 0:
                    print(f"{head}: {done} of {len(texts)}", flush=True)


def label(
    networks: Sequence[TransformerCrf], head: str, vocabulary: Vocabulary, texts: Sequence[str]
) -> Iterator[Sentence]:
    """Each text with the spans that the networks find together, :data:`UNKNOWN` ones where they are not sure."""
    names = labels_of(HEADS[head])
    labels = Labels(names)
    start, end, between = ((matrix.float() * FORBIDDEN).numpy() for matrix in forbidden(names))
    paths = Paths(start, end, between)
    for group in _by_length(texts):
        probabilities = _probabilities(networks, head, vocabulary, group)
        of_texts = [rows[: len(text)] for text, rows in zip(group, probabilities.numpy(), strict=True)]
        decoded = paths.decode([torch.from_numpy(rows).clamp_min(1e-9).log().numpy() for rows in of_texts])
        for text, rows, path in zip(group, of_texts, decoded, strict=True):
            sure = rows[range(len(path)), path] >= SURE
            yield Sentence(text, tuple(_marked(spans_of(labels, path, rows), sure.tolist())))


def _by_length(texts: Sequence[str]) -> Iterator[list[str]]:
    group: list[str] = []
    for text in sorted(texts, key=len):
        if group and (len(text) + 2) * (len(group) + 1) > BATCH_TOKENS:
            yield group
            group = []
        group.append(text)
    if group:
        yield group


def _probabilities(
    networks: Sequence[TransformerCrf], head: str, vocabulary: Vocabulary, texts: Sequence[str]
) -> torch.Tensor:
    """Of each label for each character, the mean of the networks': ``(texts, length, labels)``."""
    lengths = torch.tensor([len(text) for text in texts])
    ids = torch.full((len(texts), int(lengths.max()) + 2), PAD)
    for row, text in enumerate(texts):
        ids[row, : len(text) + 2] = torch.tensor([CLS, *vocabulary.encode(text), SEP])
    positions = torch.arange(ids.shape[1]).expand(len(texts), -1)
    found = []
    for network in networks:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            emissions = network(ids, (ids != PAD).long(), positions, [head])[head]
        found.append(network.head(head).crf.marginals(emissions, lengths))
    return torch.stack(found).mean(0)


def _marked(spans: Sequence[Span], sure: list[bool]) -> list[Span]:
    """The spans of which every character is sure, and unknown ones over what is not."""
    certain = [span for span in spans if all(sure[span.start : span.end])]
    open_places = [not of_character for of_character in sure]
    for span in spans:
        if not all(sure[span.start : span.end]):
            open_places[span.start : span.end] = [True] * (span.end - span.start)
    place = 0
    for is_open, run in groupby(open_places):
        length = len(list(run))
        if is_open:
            certain.append(Span(place, place + length, UNKNOWN))
        place += length
    return sorted(certain)


if __name__ == "__main__":
    main()
