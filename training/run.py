"""A training run's folder: its progress, and a checkpoint to go on from after an interruption."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.plot import plot
from training.precision import DEVICE

# Seconds between two checkpoints, and steps between two lines of progress.
CHECKPOINT_EVERY = 120.0
REPORT_EVERY = 50


class Run:
    """``progress.jsonl`` has a record a report, ``progress.png`` draws them, ``checkpoint.pt`` is to go on from."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._progress = folder / "progress.jsonl"
        self._checkpoint = folder / "checkpoint.pt"

    def report(self, **record: Any) -> None:
        """Print a record and keep it for the plot."""
        print("  ".join(f"{key} {_readable(value)}" for key, value in record.items()), flush=True)
        with self._progress.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def records(self) -> list[dict[str, Any]]:
        """What was reported so far."""
        if not self._progress.exists():
            return []
        return [json.loads(line) for line in self._progress.read_text(encoding="utf-8").splitlines()]

    def save(self, state: dict[str, Any]) -> None:
        """Write the checkpoint, whole or not at all."""
        part = self._checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.replace(self._checkpoint)

    def load(self) -> dict[str, Any] | None:
        """The last checkpoint, if there is one."""
        if not self._checkpoint.exists():
            return None
        state: dict[str, Any] = torch.load(self._checkpoint, map_location=DEVICE, weights_only=True)
        return state


class Average:
    """Exponential moving average of a network's weights (Polyak and Juditsky, 1992)."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take the weights in; the first steps, which begin far away, are soon forgotten."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        state = network.state_dict()
        torch._foreach_lerp_([self.state[name] for name in state], list(state.values()), weight)


def train(
    run: Run,
    network: nn.Module,
    loss_of: Callable[[int], tuple[torch.Tensor, int]],
    *,
    steps: int,
    rate: float,
    warmup: float = 0.06,
    weight_decay: float = 0.01,
    minutes: float | None = None,
    average: Average | None = None,
    evaluations: Collection[int] = (),
    evaluate: Callable[[int], dict[str, float]] | None = None,
) -> None:
    """Train ``network`` with AdamW under a rate that rises and then falls, both linearly.

    Args:
        loss_of: the loss of a step and how many characters it is of; must depend on the step alone, so that a run that
            was interrupted goes on as if it had not been.
        rate: the highest learning rate.
        warmup: share of the run in which the rate rises.
        minutes: the run ends after so many, even if there are steps left, and its rate falls to that end. A run that
            was interrupted counts those before the interruption too.
        evaluations: the steps after which ``evaluate`` is called; its figures are reported.
    """
    decayed = [tensor for tensor in network.parameters() if tensor.dim() > 1]
    others = [tensor for tensor in network.parameters() if tensor.dim() <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=rate,
        betas=(0.9, 0.98),
        fused=DEVICE.type == "cuda",
    )
    begin, seconds = 0, 0.0
    if (state := run.load()) is not None:
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        begin, seconds = state["step"], state["seconds"]
        if average is not None:
            average.state = state["average"]

    started = time.monotonic() - seconds

    def share_done(step: int) -> float:
        of_time = (time.monotonic() - started) / (minutes * 60) if minutes is not None else 0.0
        return max(step / steps, of_time)

    def checkpoint(step: int) -> None:
        run.save(
            {
                "step": step,
                "seconds": time.monotonic() - started,
                "network": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "average": average.state if average is not None else {},
            }
        )

    saved = reported = time.monotonic()
    # Added up where the network is: to read it at each step would hold a GPU up.
    total_loss, characters, unreported = torch.zeros((), device=DEVICE), 0, 0
    network.train()
    for step in range(begin, steps):
        torch.manual_seed(step)
        share = share_done(step)
        for group in optimiser.param_groups:
            group["lr"] = rate * max(0.0, min((share + 1 / steps) / warmup, (1 - share) / (1 - warmup)))
        loss, size = loss_of(step)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        if average is not None:
            average.update(network, step)
        total_loss += loss.detach()
        characters += size
        unreported += 1
        done = step + 1
        share = share_done(done)
        if done % REPORT_EVERY == 0 or share >= 1:
            mean_loss = total_loss.item() / unreported
            now = time.monotonic()
            run.report(
                step=done,
                share=share,
                loss=mean_loss,
                characters_per_second=characters / (now - reported),
                minutes_left=(1 - share) / share * (now - started) / 60,
            )
            total_loss, characters, unreported, reported = torch.zeros_like(total_loss), 0, 0, now
        if evaluate is not None and (done in evaluations or share >= 1):
            run.report(step=done, share=share, **evaluate(done))
            network.train()
            reported = time.monotonic()
        if done in evaluations or share >= 1:
            plot(run.records(), run.folder / "progress.png")
        if time.monotonic() - saved > CHECKPOINT_EVERY or share >= 1:
            checkpoint(done)
            saved = time.monotonic()
        if share >= 1:
            break


def _readable(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
