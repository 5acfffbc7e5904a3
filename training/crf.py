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

    def loss(self, emissions: torch.Tensor, allowed: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Negative log-likelihood, for each text, of all the paths that its annotation allows: ``(batch,)``.

        Where an annotation says all there is, one path is allowed. Where it has no word of some types, those are
        allowed wherever it says nothing (Tsuboi et al., COLING 2008, "Training Conditional Random Fields Using
        Incomplete Annotations"; Greenberg et al., EMNLP 2018).

        Args:
            emissions: ``(batch, length, labels)``.
            allowed: ``(batch, length, labels)``, the labels that a character may have; whatever stands beyond a text's
                length is not looked at.
            lengths: ``(batch,)``, at least 1.
        """
        among = emissions.masked_fill(~allowed, FORBIDDEN)
        return self._log_partition(emissions, lengths) - self._log_partition(among, lengths)

    @staticmethod
    def local_loss(emissions: torch.Tensor, allowed: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Negative log-likelihood of what each character is allowed, by its own emissions alone: ``(batch,)``.

        The CRF's loss leaves it to the transitions to tell labels apart, and the softmax of an emission, which is an
        entity's score, says little then. Arguments as for :meth:`loss`.
        """
        among = emissions.masked_fill(~allowed, FORBIDDEN)
        of_characters = torch.logsumexp(emissions, dim=2) - torch.logsumexp(among, dim=2)
        inside = torch.arange(emissions.shape[1], device=emissions.device) < lengths[:, None]
        return of_characters.masked_fill(~inside, 0).sum(1)

    def marginals(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Probability of each label for each character, over all paths: ``(batch, length, labels)``.

        It is the derivative of the logarithm of the paths' sum by the emission.
        """
        emissions = emissions.detach().requires_grad_()
        with torch.enable_grad():
            total = self._log_partition(emissions, lengths).sum()
        return torch.autograd.grad(total, emissions)[0]

    def _log_partition(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Logarithm of the sum of the exponentials of all paths' scores: ``(batch,)``.

        A text's steps from label to label are matrices, and their product is taken in pairs, pairs of pairs and so on
        (Särkkä and García-Fernández, 2021, "Temporal Parallelization of Bayesian Smoothers"). So a text of 256
        characters takes 8 products one after the other, where a loop takes 255. Each product is kept relative to its
        greatest value, below whose e^-69th is nothing.
        """
        start, end, between = self.scores()
        batch, length, labels = emissions.shape
        # The steps to the second character and so on. Behind a text nothing changes.
        greatest = emissions[:, 1:].amax(2).detach()
        inside = torch.arange(1, length, device=emissions.device) < lengths[:, None]
        steps = between.exp() * (emissions[:, 1:] - greatest[..., None]).exp()[:, :, None]
        same = torch.eye(labels, device=emissions.device)
        steps = torch.where(inside[..., None, None], steps, same)
        scales = greatest.masked_fill(~inside, 0)
        while steps.shape[1] > 1:
            if steps.shape[1] % 2:
                steps = torch.cat([steps, same.expand(batch, 1, -1, -1)], 1)
                scales = torch.cat([scales, scales.new_zeros(batch, 1)], 1)
            steps = steps[:, ::2] @ steps[:, 1::2]
            greatest = steps.amax((2, 3)).detach().clamp_min(_NOTHING)
            steps = steps / greatest[..., None, None]
            scales = scales[:, ::2] + scales[:, 1::2] + greatest.log()
        first = start + emissions[:, 0]
        if length > 1:
            greatest = first.amax(1, keepdim=True).detach()
            through = (first - greatest).exp()[:, None] @ steps[:, 0]
            first = through[:, 0].clamp_min(_NOTHING).log() + greatest + scales
        return torch.logsumexp(first + end, dim=1)


_NOTHING = 1e-30
