"""Labels that networks give the plain text."""

from __future__ import annotations

import torch

from training.corpus import Span
from training.label import label
from training.network import PLAIN_ATTENTION, Shape, TransformerCrf
from training.precision import Precision
from training.sets import HEADS, NEWS
from training.tags import UNKNOWN, labels_of
from training.vocabulary import Vocabulary

VOCABULARY = Vocabulary("马云在杭州")
LABELS = labels_of(HEADS[NEWS])
SHAPE = Shape(layers=1, width=64, heads=2)
PLAIN = Precision(torch.float32, PLAIN_ATTENTION)


def network(**biases: float) -> TransformerCrf:
    """A network that gives each character the same emissions: these, and 0 for all other labels."""
    made = TransformerCrf(SHAPE.encoder(len(VOCABULARY)), {NEWS: LABELS}).eval()
    linear = made.head(NEWS).linear
    with torch.no_grad():
        linear.weight.zero_()
        linear.bias.zero_()
        for name, bias in biases.items():
            linear.bias[LABELS.index(name.replace("_", "-"))] = bias
    return made


def test_what_is_sure_is_a_span() -> None:
    (sentence,) = label([network(S_PER=20)], NEWS, VOCABULARY, ["马云"], PLAIN)
    assert sentence.text == "马云"
    assert sentence.spans == (Span(0, 1, "PER"), Span(1, 2, "PER"))
    (nothing,) = label([network(O=20)], NEWS, VOCABULARY, ["马云"], PLAIN)
    assert nothing.spans == ()


def test_what_is_not_sure_is_left_open() -> None:
    (sentence,) = label([network()], NEWS, VOCABULARY, ["马云在杭州"], PLAIN)
    assert sentence.spans == (Span(0, 5, UNKNOWN),)


def test_where_networks_differ_it_is_left_open() -> None:
    (sentence,) = label([network(S_PER=20), network(S_LOC=20)], NEWS, VOCABULARY, ["马云"], PLAIN)
    assert sentence.spans == (Span(0, 2, UNKNOWN),)


def test_each_text_is_labelled_for_itself() -> None:
    texts = ["马", "马云在杭州" * 30, "杭州"]
    found = list(label([network(S_LOC=20)], NEWS, VOCABULARY, texts, PLAIN))
    assert sorted(sentence.text for sentence in found) == sorted(texts)
    assert all(len(sentence.spans) == len(sentence.text) for sentence in found)
