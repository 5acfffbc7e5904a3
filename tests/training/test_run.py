"""A training run goes on where it was interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from training import run as running
from training.run import Average, Run, train

STEPS = 120


def network() -> nn.Module:
    torch.manual_seed(7)
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.2), nn.Linear(8, 1))


class Interrupted(Exception):
    """Somebody pulled the plug."""


def go(folder: Path, until: int = STEPS) -> dict[str, torch.Tensor]:
    """Train, or go on training; returns the averaged weights."""
    trained = network()
    average = Average(trained, 0.9)

    def loss_of(step: int) -> tuple[torch.Tensor, int]:
        if step == until:
            raise Interrupted
        given = torch.randn(16, 4, generator=torch.Generator().manual_seed(step))
        loss: torch.Tensor = (trained(given).squeeze(1) - given.sum(1)).square().mean()
        return loss, 16

    train(
        Run(folder),
        trained,
        loss_of,
        steps=STEPS,
        rate=0.02,
        average=average,
        evaluations={60, STEPS},
        evaluate=lambda step: {"f1": float(step)},
    )
    return average.state


def test_an_interrupted_run_ends_as_if_it_had_not_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHECKPOINT_EVERY", 0.0)
    whole = go(tmp_path / "whole")
    with pytest.raises(Interrupted):
        go(tmp_path / "halves", until=70)
    halves = go(tmp_path / "halves")
    assert all(torch.equal(whole[name], halves[name]) for name in whole)
    assert last_loss(tmp_path / "halves") == pytest.approx(last_loss(tmp_path / "whole"))


def last_loss(folder: Path) -> float:
    """The loss that a run reported last, of the steps since the report before."""
    return float([record["loss"] for record in Run(folder).records() if "loss" in record][-1])


def test_it_reports_loss_and_figures_as_it_goes(tmp_path: Path) -> None:
    go(tmp_path)
    records = Run(tmp_path).records()
    losses = [record["loss"] for record in records if "loss" in record]
    assert [record["step"] for record in records if "loss" in record] == [50, 100, 120]
    assert losses[-1] < losses[0]
    assert [(record["step"], record["f1"]) for record in records if "f1" in record] == [(60, 60.0), (120, 120.0)]


def test_a_run_that_is_over_has_nothing_to_do(tmp_path: Path) -> None:
    first = go(tmp_path)
    reports = len(Run(tmp_path).records())
    again = go(tmp_path)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert len(Run(tmp_path).records()) == reports
