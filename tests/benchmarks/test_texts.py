from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from benchmarks.options import Options
from benchmarks.texts import long_text, sentences, short


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, texts in {
        "msra.dev": ["马云在杭州。", "马云在杭州。", "他走了。"],
        "uner_gsdsimp.dev": ["杭州是省会"],
        "msra.train": ["他走了。", "联合国总部设在纽约。"],
        "uner_gsdsimp.train": ["北京"],
    }.items():
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as lines:
            lines.writelines(json.dumps({"text": text, "entities": [[0, 2, "PER"]]}) + "\n" for text in texts)
    return tmp_path


def test_sentences_are_those_of_the_development_sets_and_then_of_the_training_sets(data: Path) -> None:
    options = Options(data)
    assert set(sentences(options, 3)) == {"马云在杭州。", "他走了。", "杭州是省会"}
    assert set(sentences(options, 5)[3:]) == {"联合国总部设在纽约。", "北京"}
    with pytest.raises(ValueError, match="6 sentences are wanted, there are 5"):
        sentences(options, 6)


@pytest.mark.parametrize("number", [100, 5000])
def test_without_the_data_folder_there_are_sentences_too(number: int) -> None:
    texts = sentences(Options(), number)
    assert len(set(texts)) == number
    assert all(text.strip() == text for text in texts)


def test_another_seed_draws_others_and_the_same_seed_the_same() -> None:
    first = sentences(Options(), 20)
    assert sentences(Options(), 20) == first
    assert sentences(Options(), 20, seed=1) != first


def test_short_ones_are_short(data: Path) -> None:
    assert short(Options(data), 3, most_chars=5) == [text for text in sentences(Options(data), 5) if len(text) <= 5]
    assert all(len(text) <= 35 for text in short(Options(), 50))


@pytest.mark.parametrize("chars", [1, 30, 1000])
def test_a_long_text_has_exactly_so_many_characters(data: Path, chars: int) -> None:
    assert len(long_text(Options(data), chars)) == chars
    assert len(long_text(Options(), chars)) == chars


def test_a_long_text_is_built_of_sentences(data: Path) -> None:
    first = sentences(Options(data), 5)
    assert long_text(Options(data), 100).startswith("".join(text.rstrip("。") + "。" for text in first))
