"""The CRF's loss against what its definition gives, path by path."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch

from training.crf import Crf
from training.tags import labels_of

LABELS = labels_of(["PER", "LOC"])


@pytest.fixture
def crf() -> Crf:
    torch.manual_seed(0)
    crf = Crf(LABELS)
    for parameter in crf.parameters():
        torch.nn.init.normal_(parameter)
    return crf


def score(crf: Crf, emissions: torch.Tensor, path: tuple[int, ...]) -> torch.Tensor:
    """A path's score by definition."""
    start, end, between = crf.scores()
    total = start[path[0]] + end[path[-1]]
    total = total + sum(emissions[place, label] for place, label in enumerate(path))
    return total + sum(between[before, after] for before, after in pairwise(path))


def test_the_loss_is_that_of_the_definition(crf: Crf) -> None:
    emissions = torch.randn(1, 3, len(LABELS))
    paths = list(product(range(len(LABELS)), repeat=3))
    everything = torch.logsumexp(torch.stack([score(crf, emissions[0], path) for path in paths]), dim=0)
    for path in paths[::50]:
        loss = crf.loss(emissions, torch.tensor([path]), torch.tensor([3]))
        assert torch.allclose(loss[0], everything - score(crf, emissions[0], path), rtol=1e-4)


def test_what_stands_beyond_a_texts_length_does_not_matter(crf: Crf) -> None:
    emissions, tags = torch.randn(2, 5, len(LABELS)), torch.randint(0, len(LABELS), (2, 5))
    alone = crf.loss(emissions[:1, :2], tags[:1, :2], torch.tensor([2]))
    beside = crf.loss(emissions, tags, torch.tensor([2, 5]))
    assert torch.allclose(alone[0], beside[0])


def test_a_text_of_one_character(crf: Crf) -> None:
    loss = crf.loss(torch.randn(1, 1, len(LABELS)), torch.tensor([[0]]), torch.tensor([1]))
    assert loss.item() > 0


def test_it_learns_which_labels_follow_one_another(crf: Crf) -> None:
    tags = torch.tensor([[0, LABELS.index("S-PER"), LABELS.index("S-LOC")]] * 4)
    optimiser = torch.optim.Adam(crf.parameters(), 0.1)
    for _ in range(100):
        optimiser.zero_grad()
        loss = crf.loss(torch.zeros(4, 3, len(LABELS)), tags, torch.tensor([3] * 4)).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert loss.item() < 0.1
