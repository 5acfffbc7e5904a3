"""Label the plain text with trained networks: ``python -m training.label --data … --run … --out …``.

What several networks agree on teaches the next one, which is shown the text disturbed, renamed and in context (Xie et
al., CVPR 2020, "Self-training with Noisy Student"); where they doubt, the label is left open.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import torch

from training.batches import pieces
from training.corpus import PLAIN_TEXT, Sentence, Span, read_plain_text
from training.emissions import by_length, emissions
from training.network import Shape, TransformerCrf
from training.precision import DEVICE, Precision, fastest
from training.sets import HEADS
from training.tags import UNKNOWN, labels_of
from training.text import chosen_lines
from training.views import as_read
from training.vocabulary import Vocabulary

# A label that the networks give less than this probability together is left open.
SURE = 0.75
BATCH_TOKENS = 16_384
# Texts that are labelled together, so that those of one length are many.
_TOGETHER = 20_000


def main() -> None:
    """Write ``labelled.HEAD.jsonl.gz`` for each head, each of a part of the plain text."""
    parser = argparse.ArgumentParser(description="Label the plain text with trained networks.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--run", type=Path, nargs="+", required=True, help="folders of fine-tuning runs")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--processes", type=int, default=1, help="how many read the text")
    arguments = parser.parse_args()

    arguments.out.mkdir(parents=True, exist_ok=True)
    vocabulary = Vocabulary.load(arguments.run[0] / "vocab.txt")
    texts = read(arguments.data, arguments.processes)
    networks = [_load(run, vocabulary) for run in arguments.run]
    precision = fastest(Shape.load(arguments.run[0]))
    for part, head in enumerate(HEADS):
        of_head = texts[part :: len(HEADS)]
        with gzip.open(arguments.out / f"labelled.{head}.jsonl.gz", "wt", compresslevel=1, encoding="utf-8") as file:
            for begin in range(0, len(of_head), _TOGETHER):
                for text, spans in label(networks, head, vocabulary, of_head[begin : begin + _TOGETHER], precision):
                    file.write(json.dumps({"text": text, "entities": spans}, ensure_ascii=False) + "\n")
                print(f"{head}: {min(begin + _TOGETHER, len(of_head))} of {len(of_head)}", flush=True)


def read(data: Path, processes: int = 1) -> list[str]:
    """The plain text in pieces, as the model reads it, mixed: of each file the lines of a first pass, each once."""
    lines = []
    for name, times in PLAIN_TEXT.items():
        of_file = [line for line in read_plain_text(data, name) if line]
        lines += [of_file[place] for place in chosen_lines(len(of_file), min(1, times), 0)]
    with get_context("fork").Pool(processes) if processes > 1 else nullcontext() as pool:
        found = pool.imap(_pieces, lines, 1_000) if pool is not None else map(_pieces, lines)
        texts = list(chain.from_iterable(found))
    return [texts[place] for place in chosen_lines(len(texts), 1, 0)]


def _pieces(line: str) -> list[str]:
    return [piece.text for piece in pieces(as_read(Sentence(line, ()))) if piece.text]


def _load(run: Path, vocabulary: Vocabulary) -> TransformerCrf:
    shape = Shape.load(run)
    encoder = shape.encoder(len(vocabulary), fastest(shape).attention)
    network = TransformerCrf(encoder, {head: labels_of(types) for head, types in HEADS.items()})
    network.load_state_dict(torch.load(run / "network.pt", weights_only=True))
    return network.to(DEVICE).eval()


def label(
    networks: Sequence[TransformerCrf],
    head: str,
    vocabulary: Vocabulary,
    texts: Sequence[str],
    precision: Precision,
) -> Iterator[Sentence]:
    """Each text with the spans that the networks find together, :data:`UNKNOWN` ones where they are not sure."""
    names = labels_of(HEADS[head])
    for places in by_length(texts, BATCH_TOKENS):
        group = [texts[place] for place in places]
        found = []
        for network in networks:
            given, lengths = emissions(network, head, vocabulary, group, precision)
            found.append(network.head(head).crf.marginals(given, lengths))
        most = torch.stack(found).mean(0).max(2)
        # Where no label is sure there is none.
        best = torch.where(most.values >= SURE, most.indices, -1).tolist()
        for text, of_text in zip(group, best, strict=True):
            yield Sentence(
                text, tuple(_spans([names[index] if index >= 0 else None for index in of_text[: len(text)]]))
            )


def _spans(labels: Sequence[str | None]) -> Iterator[Span]:
    """The spans that labels spell, and :data:`UNKNOWN` ones over what has none, or half of a span's."""
    place = 0
    unknown = None
    while place < len(labels):
        end = _end(labels, place)
        if end is None and unknown is None:
            unknown = place
        if end is not None and unknown is not None:
            yield Span(unknown, place, UNKNOWN)
            unknown = None
        given = labels[place]
        if end is not None and given is not None and given[0] != "O":
            yield Span(place, end, given[2:])
        place = end or place + 1
    if unknown is not None:
        yield Span(unknown, place, UNKNOWN)


def _end(labels: Sequence[str | None], begin: int) -> int | None:
    """Where what begins at a place ends: a span, or a character outside of all. None where neither begins."""
    first = labels[begin]
    if first is None or first[0] in "IE":
        return None
    if first[0] in "OS":
        return begin + 1
    for place in range(begin + 1, len(labels)):
        if labels[place] == f"E{first[1:]}":
            return place + 1
        if labels[place] != f"I{first[1:]}":
            return None
    return None


if __name__ == "__main__":
    main()
