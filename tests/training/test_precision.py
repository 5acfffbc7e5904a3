"""The choice of what a machine trains fastest in."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from training import precision as module
from training.corpus import UNLABELLED
from training.network import Shape
from training.precision import ALL, Precision, fastest
from training.pretrain import Pretraining
from training.run import Run, train
from training.sequences import Sequences
from training.text import PlainText
from training.vocabulary import collect

SHAPE = Shape(layers=1, width=64, inner=64, heads=2)


@pytest.mark.parametrize("best", ALL)
def test_what_takes_the_least_time_is_chosen(best: Precision, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_seconds", lambda _, precision, __: 1.0 if precision == best else 2.0)
    assert fastest(SHAPE) == best


def test_it_is_measured() -> None:
    seconds = [module._seconds(SHAPE, precision, math.inf) for precision in ALL]
    assert all(0 < took < math.inf for took in seconds)


def test_a_checkpoint_goes_on_in_any_precision(tmp_path: Path) -> None:
    lines = {UNLABELLED: ["王小明昨天在杭州见到了李红。"] * 20}
    vocabulary = collect(lines[UNLABELLED])
    sequences = Sequences(PlainText(lines, vocabulary, tmp_path), len(vocabulary), SHAPE.positions, size=32)
    losses = []
    for turn, precision in enumerate(ALL, 1):
        network = Pretraining(SHAPE, len(vocabulary), precision)

        def loss_of(step: int, network: Pretraining = network) -> tuple[torch.Tensor, int]:
            loss: torch.Tensor = network(sequences.batch(step))
            losses.append(loss.item())
            return loss, 1

        train(Run(tmp_path), network, loss_of, steps=5 * turn, rate=1e-3)
    assert len(losses) == 5 * len(ALL)
    assert losses[-1] < losses[0]
