"""Which characters a model knows."""

from __future__ import annotations

from pathlib import Path

from transformers import BertTokenizer

from training.vocabulary import MOST, SPECIAL, UNK, Vocabulary, collect, most_frequent

TEXT = "马云在杭州，Ａa1 \u3000\n\x00\u200b\uf900é😀𠮷①" * 3


def test_it_has_what_is_frequent_enough_the_most_frequent_first() -> None:
    assert collect(["杭杭杭州州州州云云"]).tokens == (*SPECIAL, "州", "杭")


def test_berts_tokenizer_keeps_each_of_its_characters(tmp_path: Path) -> None:
    vocabulary = collect([TEXT])
    vocabulary.save(tmp_path / "vocab.txt")
    tokenizer = BertTokenizer(str(tmp_path / "vocab.txt"), do_lower_case=False)  # type: ignore[no-untyped-call]
    characters = vocabulary.tokens[len(SPECIAL) :]
    assert set("马云在杭州，Ａa1é😀𠮷①") == set(characters)
    for character in characters:
        assert tokenizer.encode(character, add_special_tokens=False) == vocabulary.encode(character)


def test_what_it_lacks_and_white_space_is_unknown() -> None:
    assert collect([TEXT]).encode("马 \n亘") == [*collect([TEXT]).encode("马"), UNK, UNK, UNK]


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    vocabulary = collect([TEXT])
    vocabulary.save(tmp_path / "vocab.txt")
    assert Vocabulary.load(tmp_path / "vocab.txt").tokens == vocabulary.tokens


def test_it_has_no_more_than_the_most_frequent() -> None:
    counts = {chr(ord("一") + place): 20_000.0 - place for place in range(MOST + 10)}
    assert most_frequent(counts).characters == tuple(counts)[:MOST]
