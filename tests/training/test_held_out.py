"""A held-out part without rare names of the rest."""

from __future__ import annotations

from training.corpus import Sentence, Span
from training.held_out import RARE, connected


def sentence(*names: str) -> Sentence:
    text, spans = "", []
    for name in names:
        spans.append(Span(len(text), len(text) + len(name), "PER"))
        text += name + "，"
    return Sentence(text, tuple(spans))


def names_of(sentences: list[Sentence]) -> set[str]:
    return {text[span.start : span.end] for text, spans in sentences for span in spans}


def test_no_rare_name_is_in_both_parts() -> None:
    # Each article has names that connect its sentences one after the other, and all have a name that is not rare.
    articles = [[sentence(f"甲{of}{line}", f"甲{of}{line + 1}", "中国") for line in range(4)] for of in range(50)]
    sentences = [article[line] for line in range(4) for article in articles]
    held_out, others = connected(sentences, 20)
    assert len(held_out) == 20
    assert sorted(held_out + others) == sorted(sentences)
    assert names_of(held_out) & names_of(others) == {"中国"}
    assert connected(sentences, 20) == (held_out, others)


def test_a_name_that_many_sentences_have_does_not_connect_them() -> None:
    sentences = [sentence("中国")] * (RARE + 1) * 5
    held_out, _ = connected(sentences, 2)
    assert len(held_out) == 2


def test_at_most_a_fifth_is_held_out() -> None:
    sentences = [sentence(f"王{number}") for number in range(50)]
    assert len(connected(sentences, 2_000)[0]) == 10
