from __future__ import annotations

from benchmarks.bare import dealt


def test_each_text_is_dealt_once_and_keeps_its_place() -> None:
    texts = [str(number) * (number % 7 + 1) for number in range(25)]
    parts = dealt(texts, 3)
    assert sorted(text for part in parts for text in part) == sorted(texts)
    assert all(part == sorted(part, key=texts.index) for part in parts)


def test_the_parts_are_as_much_work() -> None:
    texts = ["字" * length for length in range(1, 101)]
    characters = [sum(map(len, part)) for part in dealt(texts, 4)]
    assert max(characters) - min(characters) <= 4


def test_there_may_be_fewer_texts_than_processes() -> None:
    assert dealt(["一"], 3) == [["一"], [], []]
