"""The network and what it begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from training.network import Shape, TransformerCrf, taken_from
from training.tags import labels_of
from training.vocabulary import MOST, SPECIAL

SHAPE = Shape(layers=2, width=64, inner=128, heads=4)


def test_each_character_has_emissions() -> None:
    network = TransformerCrf(SHAPE.encoder(50), {"news": labels_of(["PER"]), "generic": labels_of(["TIME", "LOC"])})
    ids = torch.randint(5, 50, (2, 12))
    positions = torch.arange(12).expand(2, -1)
    emissions = network(ids, torch.ones_like(ids), positions)
    assert {head: tuple(of_head.shape) for head, of_head in emissions.items()} == {
        "news": (2, 10, 5),
        "generic": (2, 10, 9),
    }
    assert list(network(ids, torch.ones_like(ids), positions, ["generic"])) == ["generic"]


def test_a_smaller_encoder_has_layers_and_inner_values_of_the_larger() -> None:
    larger, smaller = Shape(layers=4, width=32, inner=64, heads=2), Shape(layers=2, width=32, inner=16, heads=2)
    encoder: Any = larger.encoder(20)
    with torch.no_grad():
        encoder.encoder.layer[2].intermediate.dense.weight[5:21] *= 10
    state = encoder.state_dict()
    taken = taken_from(state, larger, smaller)
    smaller.encoder(20).load_state_dict(taken)
    assert torch.equal(taken["embeddings.word_embeddings.weight"], state["embeddings.word_embeddings.weight"])
    kept = "encoder.layer.{}.attention.self.query.weight"
    assert torch.equal(taken[kept.format(1)], state[kept.format(2)])
    of_inner = "encoder.layer.{}.intermediate.dense.{}"
    for kind in ("weight", "bias"):
        assert torch.equal(taken[of_inner.format(1, kind)], state[of_inner.format(2, kind)][5:21])
    out_of = "encoder.layer.{}.output.dense.weight"
    assert torch.equal(taken[out_of.format(1)], state[out_of.format(2)][:, 5:21])


def test_an_encoder_of_the_same_shape_is_taken_as_it_is() -> None:
    state = SHAPE.encoder(20).state_dict()
    taken = taken_from(state, SHAPE, SHAPE)
    assert all(torch.equal(taken[name], tensor) for name, tensor in state.items())


def test_a_shape_is_read_as_it_was_written(tmp_path: Path) -> None:
    SHAPE.save(tmp_path)
    assert Shape.load(tmp_path) == SHAPE


def test_the_default_shape_fits_in_a_file_of_22_mib() -> None:
    weights = sum(tensor.numel() for tensor in Shape().encoder(MOST + len(SPECIAL)).parameters())
    assert 2 * weights < 22 * 2**20
