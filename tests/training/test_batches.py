"""What an epoch is made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.training.labelled import spelt
from training import batches
from training.batches import Batch, Epochs, pieces
from training.corpus import Sentence, Span
from training.sets import HEADS, LabelledSet
from training.tags import labels_of
from training.views import Names
from training.vocabulary import CLS, MASK, PAD, SEP, SPECIAL, UNK, Vocabulary

NEWS = [
    Sentence(f"{person}在{place}工作。", (Span(0, len(person), "PER"), Span(len(person) + 1, len(person) + 3, "LOC")))
    for person in ("马云", "王小明", "李红")
    for place in ("杭州", "北京")
] * 40
TIMES = [Sentence("今天开会。", (Span(0, 2, "time"),))] * 10
SETS = {
    "news.train": LabelledSet({"news": {"LOC": ("LOC",), "PER": ("PER",)}}),
    "times.train": LabelledSet({"generic": {"time": ("TIME",)}}, times=2),
}
NAMES = Names(NEWS, ["上海"], ["百度"], ["田中"], ["钱学森"])
NUMERALS = "一二三四五六七八九十"
VOCABULARY = Vocabulary(sorted({character for sentence in NEWS + TIMES for character in sentence.text}))


@pytest.fixture
def epochs() -> Epochs:
    return Epochs({"news.train": NEWS, "times.train": TIMES}, SETS, VOCABULARY, 512, NAMES)


def test_an_epoch_is_the_same_whenever_it_is_made(epochs: Epochs) -> None:
    first, again, other = epochs.batches(3), epochs.batches(3), epochs.batches(4)
    assert len(first) == len(again)
    assert all(np.array_equal(left.ids, right.ids) for left, right in zip(first, again, strict=True))
    assert not all(np.array_equal(left.ids, right.ids) for left, right in zip(first, other, strict=False))


def test_a_step_has_its_batch_in_whatever_order_they_are_asked_for(epochs: Epochs) -> None:
    steps = [0, epochs.steps_of_epoch * 2, 1, epochs.steps_of_epoch - 1]
    expected = [epochs.batches(0)[0], epochs.batches(2)[0], epochs.batches(0)[1], epochs.batches(0)[-1]]
    assert all(np.array_equal(epochs.batch(step).ids, batch.ids) for step, batch in zip(steps, expected, strict=True))


def test_processes_make_the_same_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SENTENCES_OF_PART", 50)
    given = ({"news.train": NEWS, "times.train": TIMES}, SETS, VOCABULARY, 512, NAMES)
    alone, shared = Epochs(*given), Epochs(*given, processes=2)
    try:
        for step in (0, shared.steps_of_epoch + 1):
            assert np.array_equal(shared.batch(step).ids, alone.batch(step).ids)
    finally:
        shared.close()


def test_a_batch_is_within_its_size(epochs: Epochs) -> None:
    for batch in epochs.batches(0):
        assert batch.ids.size <= batches.BATCH_TOKENS
        assert batch.positions.max() < 512
        for head, types in HEADS.items():
            assert batch.allowed[head].shape == batch.ids[:, 2:].shape
            allowed = batch.tensors(torch.device("cpu")).allowed[head]
            assert allowed.shape == (*batch.ids[:, 2:].shape, len(labels_of(types)))


def test_the_labels_of_a_text_stand_beside_its_characters(epochs: Epochs) -> None:
    seen = {"news": 0, "generic": 0}
    for batch in epochs.batches(0):
        for row, length in enumerate(batch.lengths.tolist()):
            ids = batch.ids[row].tolist()
            assert ids[0] == CLS
            assert ids[length + 1] == SEP
            assert set(ids[length + 2 :]) <= {PAD}
            assert (batch.ids[row] != PAD).sum() == length + 2
            for head in seen:
                seen[head] += _recognised(batch, head, row, length)
    assert seen["news"] > 300
    assert seen["generic"] > 10


def _recognised(batch: Batch, head: str, row: int, length: int) -> int:
    """How many entities are names that stand there undisturbed, where the head is taught one path."""
    allowed = batch.tensors(torch.device("cpu")).allowed[head][row, :length]
    tags = allowed.int().argmax(1)
    if head == "news" and int(allowed.sum()) > length * 5:
        assert allowed.all()
        return 0
    characters = [VOCABULARY.tokens[token] for token in batch.ids[row, 1 : length + 1].tolist()]
    spans = spelt(labels_of(HEADS[head]), tags.tolist()) if head == "news" else _times(allowed)
    names = ("马云", "王小明", "李红", "杭州", "北京", "今天")
    return sum("".join(characters[start:end]) in names for start, end, _ in spans)


def _times(allowed: torch.Tensor) -> list[Span]:
    """Where TIME is the only thing allowed."""
    labels = labels_of(HEADS["generic"])
    begins = (allowed[:, labels.index("B-TIME")] & (allowed.sum(1) == 1)).nonzero().flatten().tolist()
    return [Span(begin, begin + 2, "TIME") for begin in begins]


def test_of_a_set_that_is_there_less_than_once_each_epoch_has_another_share(monkeypatch: pytest.MonkeyPatch) -> None:
    for chance in ("RENAMED", "DISTURBED", "IN_FORM", "IN_TABLES", "HIDDEN"):
        monkeypatch.setattr(batches, chance, 0)
    texts = [f"今天{first}{second}开会。" for first in NUMERALS for second in NUMERALS]
    sentences = {"times.train": [Sentence(text, (Span(0, 2, "time"),)) for text in texts]}
    sets = {"times.train": LabelledSet(SETS["times.train"].readings, times=1 / 3)}
    vocabulary = Vocabulary(sorted(set("".join(texts))))
    epochs = Epochs(sentences, sets, vocabulary, 512, NAMES)

    shown = []
    for epoch in range(12):
        characters = "".join(
            vocabulary.tokens[token] for batch in epochs.batches(epoch) for token in batch.ids.flatten().tolist()
        )
        shown.append({text for text in texts if text in characters})
    assert all(len(texts) / 6 < len(share) < len(texts) / 2 for share in shown)
    assert len(set[str]().union(*shown)) > len(texts) * 0.9


@pytest.mark.parametrize("form", batches.FORMS)
def test_a_sentence_may_be_in_each_form(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    for chance in ("RENAMED", "DISTURBED", "IN_TABLES", "IN_CONTEXT", "HIDDEN"):
        monkeypatch.setattr(batches, chance, 0)
    monkeypatch.setattr(batches, "IN_FORM", 1)
    monkeypatch.setattr(batches, "AS_SENT", 1)
    monkeypatch.setattr(batches, "FORMS", {form: 1})
    text = "马云在A1杭州工作，" * 8
    sentences = [Sentence(text, (Span(0, 2, "PER"), Span(5, 7, "LOC")))] * 10
    vocabulary = Vocabulary(f"{text[:10]}馬雲")
    epochs = Epochs({"news.train": sentences}, {"news.train": SETS["news.train"]}, vocabulary, 512, NAMES)
    given = [CLS, *vocabulary.encode(text), SEP]
    shown = [row[row != PAD].tolist() for batch in epochs.batches(0) for row in batch.ids]
    assert len(shown) == len(sentences)
    assert any(ids != given for ids in shown)


@pytest.mark.parametrize(("as_sent", "shown"), [(0, "1"), (1, "１")])
def test_texts_are_shown_as_the_model_reads_them_or_as_sent(
    monkeypatch: pytest.MonkeyPatch, as_sent: float, shown: str
) -> None:
    for chance in ("RENAMED", "DISTURBED", "IN_FORM", "IN_TABLES", "HIDDEN"):
        monkeypatch.setattr(batches, chance, 0)
    monkeypatch.setattr(batches, "AS_SENT", as_sent)
    sentences = {"times.train": [Sentence("今天１日开会。", (Span(0, 2, "time"),))] * 20}
    sets = {"times.train": SETS["times.train"]}
    vocabulary = Vocabulary("今天1１日开会。")
    epochs = Epochs(sentences, sets, vocabulary, 512, NAMES)
    ids = np.concatenate([batch.ids.flatten() for batch in epochs.batches(0)])
    assert {"1", "１"} & {vocabulary.tokens[token] for token in ids.tolist()} == {shown}


def test_names_are_shown_in_tables_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "IN_TABLES", 1)
    epochs = Epochs({"news.train": NEWS}, {"news.train": SETS["news.train"]}, VOCABULARY, 512, NAMES)
    ids = np.concatenate([batch.ids.flatten() for batch in epochs.batches(0)])
    words = "".join(VOCABULARY.tokens[token] for token in ids.tolist())
    assert "工作" not in words
    assert "杭州" in words


def test_some_characters_are_hidden_and_some_texts_begin_elsewhere(epochs: Epochs) -> None:
    made = epochs.batches(0)
    ids = np.concatenate([batch.ids.flatten() for batch in made])
    shares = [float((ids == token).sum() / (ids >= len(SPECIAL)).sum()) for token in (MASK, UNK)]
    assert all(batches.HIDDEN / 4 < share < batches.HIDDEN * 3 for share in shares)
    begins = np.concatenate([batch.positions[:, 0] for batch in made])
    assert 0.2 < float((begins == 0).mean()) < 0.8


def test_a_document_is_cut_behind_full_stops_outside_of_names() -> None:
    name = "一。二"
    text = ("中" * 60 + "。" + name + "，") * 20
    spans = tuple(Span(start + 61, start + 64, "PER") for start in range(0, len(text), 65))
    parts = list(pieces(Sentence(text, spans)))
    assert "".join(part.text for part in parts) == text
    assert all(len(part.text) <= batches.LONGEST for part in parts)
    assert [part.text[start:end] for part in parts for start, end, _ in part.spans] == [name] * 20
