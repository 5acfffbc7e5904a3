"""Masked sequences."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from training import sequences as module
from training.corpus import UNLABELLED
from training.sequences import LENGTH, NOT_GUESSED, Batch, Sequences
from training.text import PlainText
from training.vocabulary import CLS, MASK, SEP, SPECIAL, collect

LINES = {UNLABELLED: [f"第{number}条，王小明昨天在杭州见到了李红。" for number in range(700)]}
VOCABULARY = collect(LINES[UNLABELLED])
BATCH = 32


@pytest.fixture
def sequences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sequences:
    """Of passes of ten steps, in parts of four."""
    monkeypatch.setattr(module, "SEQUENCES_OF_PART", 4 * BATCH)
    found = Sequences(PlainText(LINES, VOCABULARY, tmp_path), len(VOCABULARY), positions=512, size=BATCH)
    assert found.steps_of_pass == 10
    return found


def batch(sequences: Sequences, step: int) -> Batch:
    """The batch of a step, with the random numbers that it has in training."""
    torch.manual_seed(step)
    return sequences.batch(step)


def original(of_step: Batch) -> torch.Tensor:
    """The ids before some were masked, without [CLS] and the last [SEP]."""
    asked = of_step.guessed != NOT_GUESSED
    return of_step.ids.flatten().scatter(0, of_step.places[asked], of_step.guessed[asked]).view_as(of_step.ids)[:, 1:-1]


def test_a_batch_depends_on_its_step_alone(sequences: Sequences) -> None:
    steps = (0, 5, 12, 23)
    first = [batch(sequences, step) for step in steps]
    again = [batch(sequences, step) for step in reversed(steps)][::-1]
    assert all(torch.equal(*pair) for batches in zip(first, again, strict=True) for pair in zip(*batches, strict=True))
    assert not torch.equal(original(first[0]), original(first[2]))


def test_a_pass_has_the_whole_text(sequences: Sequences) -> None:
    shown = Counter(
        token
        for step in range(sequences.steps_of_pass)
        for token in original(batch(sequences, step)).flatten().tolist()
    )
    # Each line three times, but for what does not fill a batch.
    lines = 3 * len(LINES[UNLABELLED])
    of_batch = BATCH * LENGTH / (sum(map(len, LINES[UNLABELLED])) + len(LINES[UNLABELLED])) * len(LINES[UNLABELLED])
    for token in (SEP, *VOCABULARY.encode("王杭")):
        assert lines - of_batch - 10 <= shown[token] <= lines


def test_whole_words_are_masked_and_nothing_else_is_asked(sequences: Sequences) -> None:
    of_step = batch(sequences, 0)
    assert (of_step.ids[:, 0] == CLS).all()
    assert (of_step.ids[:, -1] == SEP).all()
    there = of_step.guessed != NOT_GUESSED
    asked = torch.zeros(of_step.ids.numel(), dtype=torch.bool).scatter(0, of_step.places[there], value=True)
    asked = asked.view_as(of_step.ids)
    assert asked.sum() == there.sum()
    assert (of_step.guessed[there] >= len(SPECIAL)).all()
    assert 0.1 < asked.float().mean() < 0.26
    assert 0.7 < (of_step.ids[asked] == MASK).float().mean() < 0.9
    hang, zhou = VOCABULARY.encode("杭州")
    places = (original(of_step)[:, :-1] == hang).nonzero()
    assert (original(of_step)[:, 1:][places[:, 0], places[:, 1]] == zhou).all()
    within = asked[:, 1:-1]
    # What is beyond the most to be guessed is shown, half a word perhaps.
    whole = places[:-1]
    assert torch.equal(within[whole[:, 0], whole[:, 1]], within[whole[:, 0], whole[:, 1] + 1])


def test_as_much_is_guessed_in_each_step(sequences: Sequences) -> None:
    sizes = {len(batch(sequences, step).places) for step in range(5)}
    assert sizes == {int(module.GUESSED * BATCH * LENGTH)}
