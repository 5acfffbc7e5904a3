"""The network and what it begins with."""

from __future__ import annotations

import torch

from training.embeddings import company_embeddings
from training.network import Shape, TransformerCrf
from training.tags import labels_of

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
    embeddings = company_embeddings(texts, tokens=30, boundary=2, width=3)
    assert embeddings.shape == (30, 3)
    alike = torch.nn.functional.cosine_similarity
    assert alike(embeddings[10], embeddings[11], dim=0) > 0.9
    assert alike(embeddings[20], embeddings[21], dim=0) > 0.9
    assert alike(embeddings[10], embeddings[20], dim=0) < 0.5
