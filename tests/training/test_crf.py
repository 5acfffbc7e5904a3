"""The CRF's loss against what its definition gives, path by path."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch

from training.crf import FORBIDDEN, Crf
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


def one_path(paths: torch.Tensor) -> torch.Tensor:
    """What allows these paths ``(batch, length)`` alone."""
    return torch.nn.functional.one_hot(paths, len(LABELS)).bool()


def test_the_loss_is_that_of_the_definition(crf: Crf) -> None:
    emissions = torch.randn(1, 3, len(LABELS))
    paths = list(product(range(len(LABELS)), repeat=3))
    everything = torch.logsumexp(torch.stack([score(crf, emissions[0], path) for path in paths]), dim=0)
    well_formed = [path for path in paths if score(crf, emissions[0], path) > FORBIDDEN / 2]
    assert len(well_formed) > 30
    for path in well_formed[::5]:
        loss = crf.loss(emissions, one_path(torch.tensor([path])), torch.tensor([3]))
        assert torch.allclose(loss[0], everything - score(crf, emissions[0], path), rtol=1e-4)


def test_an_annotation_that_leaves_types_open_is_all_the_paths_it_allows(crf: Crf) -> None:
    emissions = torch.randn(1, 4, len(LABELS))
    allowed = torch.zeros(1, 4, len(LABELS), dtype=torch.bool)
    outside_or_place = [place for place, label in enumerate(LABELS) if label == "O" or label.endswith("LOC")]
    allowed[0, [0, 2, 3], :] = allowed[0, [0, 2, 3], :].index_fill(1, torch.tensor(outside_or_place), value=True)
    allowed[0, 1, LABELS.index("S-PER")] = True
    paths = list(product(range(len(LABELS)), repeat=4))
    scores = torch.stack([score(crf, emissions[0], path) for path in paths])
    among = torch.tensor([all(allowed[0, place, label] for place, label in enumerate(path)) for path in paths])
    expected = torch.logsumexp(scores, dim=0) - torch.logsumexp(scores[among], dim=0)
    assert torch.allclose(crf.loss(emissions, allowed, torch.tensor([4]))[0], expected, rtol=1e-4)


def test_marginals_are_sums_over_paths(crf: Crf) -> None:
    emissions = torch.randn(1, 3, len(LABELS))
    paths = list(product(range(len(LABELS)), repeat=3))
    weights = torch.softmax(torch.stack([score(crf, emissions[0], path) for path in paths]), dim=0).tolist()
    marginals = crf.marginals(emissions, torch.tensor([3]))
    assert marginals.shape == emissions.shape
    for place, label in ((0, 0), (1, 3), (2, 5)):
        expected = sum(weight for path, weight in zip(paths, weights, strict=True) if path[place] == label)
        assert float(marginals[0, place, label]) == pytest.approx(expected, abs=1e-5)


def test_an_annotation_that_says_nothing_teaches_nothing(crf: Crf) -> None:
    emissions = torch.randn(2, 6, len(LABELS), requires_grad=True)
    loss = crf.loss(emissions, torch.ones(2, 6, len(LABELS), dtype=torch.bool), torch.tensor([6, 3]))
    assert loss.tolist() == [0, 0]
    loss.sum().backward()  # type: ignore[no-untyped-call]
    assert emissions.grad is not None
    assert emissions.grad.abs().max() < 1e-6


def test_what_stands_beyond_a_texts_length_does_not_matter(crf: Crf) -> None:
    emissions = torch.randn(2, 5, len(LABELS))
    allowed = torch.rand(2, 5, len(LABELS)) < 0.9
    allowed[..., LABELS.index("O")] = True
    alone = crf.loss(emissions[:1, :2], allowed[:1, :2], torch.tensor([2]))
    beside = crf.loss(emissions, allowed, torch.tensor([2, 5]))
    assert torch.allclose(alone[0], beside[0])


def test_a_text_of_one_character(crf: Crf) -> None:
    loss = crf.loss(torch.randn(1, 1, len(LABELS)), one_path(torch.tensor([[0]])), torch.tensor([1]))
    assert loss.item() > 0


def test_a_long_text_that_goes_against_the_emissions_has_a_finite_loss(crf: Crf) -> None:
    emissions = torch.randn(1, 500, len(LABELS)) * 200
    emissions.requires_grad_()
    loss = crf.loss(emissions, one_path(torch.zeros(1, 500, dtype=torch.long)), torch.tensor([500]))
    loss.sum().backward()  # type: ignore[no-untyped-call]
    assert emissions.grad is not None
    assert torch.isfinite(loss).all()
    assert torch.isfinite(emissions.grad).all()


def test_it_learns_which_labels_follow_one_another(crf: Crf) -> None:
    allowed = one_path(torch.tensor([[0, LABELS.index("S-PER"), LABELS.index("S-LOC")]] * 4))
    optimiser = torch.optim.Adam(crf.parameters(), 0.1)
    for _ in range(100):
        optimiser.zero_grad()
        loss = crf.loss(torch.zeros(4, 3, len(LABELS)), allowed, torch.tensor([3] * 4)).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert loss.item() < 0.1


def test_the_local_loss_is_of_each_character_alone() -> None:
    emissions = torch.randn(2, 4, len(LABELS))
    allowed = torch.rand(2, 4, len(LABELS)) < 0.5
    allowed[..., 0] = True
    loss = Crf.local_loss(emissions, allowed, torch.tensor([4, 2]))
    probability = (emissions.softmax(2) * allowed).sum(2)
    assert torch.allclose(loss, torch.stack([-probability[0].log().sum(), -probability[1, :2].log().sum()]), rtol=1e-4)
