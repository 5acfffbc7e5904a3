"""The plain text as arrays, and passes over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from training import text as module
from training.corpus import PLAIN_TEXT, UNLABELLED
from training.text import PlainText, characters, chosen_lines
from training.vocabulary import SEP, Vocabulary, collect
from training.words import LABELS, word_labels

LAWS = "plain.laws.txt.xz"
LINES = {UNLABELLED: ["马云在杭州。", "😀 1975年"], LAWS: ["第一条", "中国人民银行行长周小川说", "第二条", "第三条"]}
ALL = [line for of_file in LINES.values() for line in of_file]
VOCABULARY = collect(ALL * 3)


def plain_text(folder: Path) -> PlainText:
    return PlainText(LINES, VOCABULARY, folder)


def numbers(*of_lines: int) -> np.ndarray:
    return np.array(of_lines)


@pytest.fixture
def looked_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts in which words were looked for."""
    seen: list[str] = []

    def noticed(texts: Iterable[str], processes: int) -> Iterator[bytes]:
        given = list(texts)
        seen.extend(given)
        return word_labels(given, processes)

    monkeypatch.setattr(module, "word_labels", noticed)
    return seen


def test_tokens_are_those_of_the_lines_with_a_separator_behind_each(tmp_path: Path) -> None:
    ids, labels = plain_text(tmp_path).tokens(numbers(3, 1, 1))
    once = [*VOCABULARY.encode(ALL[3]), SEP]
    twice = [*VOCABULARY.encode(ALL[1]), SEP] * 2
    assert ids.tolist() == once + twice
    (of_first,) = word_labels([ALL[3]])
    assert labels[: len(once)].tolist() == [*of_first, LABELS.index("S-x")]
    assert len(labels) == len(ids)


def test_words_are_looked_for_once_even_by_a_run_that_goes_on(tmp_path: Path, looked_for: list[str]) -> None:
    text = plain_text(tmp_path)
    first = text.tokens(numbers(0, 3))
    text.tokens(numbers(3, 4))
    again = plain_text(tmp_path).tokens(numbers(0, 3))
    assert looked_for == [ALL[0], ALL[3], ALL[4]]
    assert again.labels.tolist() == first.labels.tolist()


def test_a_line_whose_words_were_written_in_part_is_looked_at_again(tmp_path: Path, looked_for: list[str]) -> None:
    whole = plain_text(tmp_path).tokens(numbers(0)).labels.tolist()
    np.lib.format.open_memmap(tmp_path / "words.npy", "r+")[3:5] = 0
    assert plain_text(tmp_path).tokens(numbers(0)).labels.tolist() == whole
    assert looked_for == [ALL[0]] * 2


def test_words_of_other_text_are_not_taken(tmp_path: Path) -> None:
    plain_text(tmp_path).tokens(numbers(0, 1, 2, 3, 4, 5))
    other = {UNLABELLED: ["北京大学的李红"]}
    (expected,) = word_labels(other[UNLABELLED])
    labels = PlainText(other, VOCABULARY, tmp_path).tokens(numbers(0)).labels
    assert labels[:-1].tolist() == [*expected]


def test_a_pass_has_each_line_as_often_as_its_file_says(tmp_path: Path) -> None:
    text = plain_text(tmp_path)
    passes = [text.lines_of_pass(number).tolist() for number in range(4)]
    times = [Counter(lines) for lines in passes]
    # A quarter of the laws is one line a pass, another one each.
    assert PLAIN_TEXT[LAWS] == 0.25
    assert all(of_pass[line] == PLAIN_TEXT[UNLABELLED] for of_pass in times for line in (0, 1))
    assert sorted(line for lines in passes for line in lines if line >= 2) == [2, 3, 4, 5]
    assert passes[0] == plain_text(tmp_path).lines_of_pass(0).tolist()


@pytest.mark.parametrize("times", [0.15, 0.7, 1.0, 1.5, 4.0])
def test_passes_share_the_lines_out_evenly(times: float) -> None:
    counts = Counter(line for number in range(20) for line in chosen_lines(30, times, number).tolist())
    assert set(counts) == set(range(30))
    assert set(counts.values()) == {20 * times}


def test_characters_count_as_often_as_a_pass_has_them() -> None:
    # Two of 3 times each, and eleven of a quarter.
    tokens = characters({UNLABELLED: ["杭杭"], LAWS: ["法" * 11]})
    assert tokens.tokens == Vocabulary("杭").tokens
    assert "法" in characters({UNLABELLED: ["杭杭"], LAWS: ["法" * 12]}).tokens
