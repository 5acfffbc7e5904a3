"""The network and what it begins with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from training.embeddings import company_embeddings
from training.network import Shape, TransformerCrf
from training.tags import labels_of
from training.vocabulary import MOST, SPECIAL

SHAPE = Shape(layers=2, width=256, positions=512)


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


def test_the_first_heads_look_at_neighbours_wherever_a_text_stands() -> None:
    torch.manual_seed(0)
    encoder = SHAPE.encoder(5000).train(False)
    ids = torch.randint(5, 5000, (1, 60))
    for begin in (0, 400):
        positions = (begin + torch.arange(60))[None]
        with torch.no_grad():
            seen = encoder(input_ids=ids, position_ids=positions, output_attentions=True).attentions[0][0]
        for head, offset in enumerate((-1, 1, -2, 2)):
            there = float(seen[head].diagonal(offset).mean())
            assert there > 5 * float(seen[head].diagonal(0).mean())


def test_characters_in_the_same_company_are_alike() -> None:
    texts = [[10 + noun, 20 + verb, 10 + noun, 5] for noun in range(4) for verb in range(4)] * 5
    embeddings = company_embeddings(one_after_the_other(texts), count=30, boundary=2, width=3)
    assert embeddings.shape == (30, 3)
    alike = torch.nn.functional.cosine_similarity
    assert alike(embeddings[10], embeddings[11], dim=0) > 0.9
    assert alike(embeddings[20], embeddings[21], dim=0) > 0.9
    assert alike(embeddings[10], embeddings[20], dim=0) < 0.5


def test_what_stands_on_the_other_side_of_a_boundary_is_no_company() -> None:
    # 3 and 4 have the same company but for what the lines before and behind have.
    lines = [[5, 3], [5, 4], [6, 7], [8, 9]]
    apart = [[5, 3], [6, 7], [5, 4], [8, 9]]
    found = [
        company_embeddings(one_after_the_other(each * 10), count=10, boundary=2, width=8) for each in (lines, apart)
    ]
    assert torch.allclose(found[0] @ found[0].T, found[1] @ found[1].T, atol=0.05)


def one_after_the_other(texts: list[list[int]]) -> np.ndarray:
    return np.array([token for text in texts for token in (*text, 2)], np.uint16)


def test_a_shape_is_read_as_it_was_written(tmp_path: Path) -> None:
    SHAPE.save(tmp_path)
    assert Shape.load(tmp_path) == SHAPE


def test_the_default_shape_fits_in_a_file_of_22_mib() -> None:
    weights = sum(tensor.numel() for tensor in Shape().encoder(MOST + len(SPECIAL)).parameters())
    assert 2 * weights < 22 * 2**20
