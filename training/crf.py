"""A linear-chain conditional random field (Lafferty et al., ICML 2001), as RaNER's head has it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from training.tags import forbidden

# Cost of what the tag scheme forbids: beyond any emission, and small enough for half precision.
FORBIDDEN = -10_000.0


class Crf(nn.Module):
    """Scores of label paths. What the tag scheme forbids stays forbidden, the rest is learnt.

    The state has ModelScope's names: ``start_transitions`` and ``end_transitions`` ``(labels,)``, ``transitions``
    ``(labels, labels)`` from the first index to the second.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__()
        start, end, between = forbidden(labels)
        self.start_transitions = nn.Parameter(torch.zeros(len(labels)))
        self.end_transitions = nn.Parameter(torch.zeros(len(labels)))
        self.transitions = nn.Parameter(torch.zeros(len(labels), len(labels)))
        self._start: torch.Tensor
        self._end: torch.Tensor
        self._between: torch.Tensor
        self.register_buffer("_start", start, persistent=False)
        self.register_buffer("_end", end, persistent=False)
        self.register_buffer("_between", between, persistent=False)

    def scores(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Scores of beginnings ``(labels,)``, of ends ``(labels,)``, and of steps ``(labels, labels)``."""
        return (
            self.start_transitions.masked_fill(self._start, FORBIDDEN),
            self.end_transitions.masked_fill(self._end, FORBIDDEN),
            self.transitions.masked_fill(self._between, FORBIDDEN),
        )

    def loss(self, emissions: torch.Tensor, tags: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Negative log-likelihood of each path: ``(batch,)``.

        Args:
            emissions: ``(batch, length, labels)``.
            tags: ``(batch, length)``; whatever stands beyond a text's length is not looked at.
            lengths: ``(batch,)``, at least 1.
        """
        return self._log_partition(emissions, lengths) - self._path_score(emissions, tags, lengths)

    def _path_score(self, emissions: torch.Tensor, tags: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        start, end, between = self.scores()
        inside = torch.arange(tags.shape[1], device=tags.device) < lengths[:, None]
        emitted = emissions.gather(2, tags[:, :, None]).squeeze(2).masked_fill(~inside, 0).sum(1)
        steps = between[tags[:, :-1], tags[:, 1:]].masked_fill(~inside[:, 1:], 0).sum(1)
        last = tags.gather(1, lengths[:, None] - 1).squeeze(1)
        return start[tags[:, 0]] + emitted + steps + end[last]

    def _log_partition(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        start, end, between = self.scores()
        alpha = start + emissions[:, 0]
        for step in range(1, emissions.shape[1]):
            following = torch.logsumexp(alpha[:, :, None] + between, dim=1) + emissions[:, step]
            alpha = torch.where((step < lengths)[:, None], following, alpha)
        return torch.logsumexp(alpha + end, dim=1)
