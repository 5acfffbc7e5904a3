"""What a worker process has in hand."""

from __future__ import annotations

import pytest

from shared.jobs import Lane
from shared.piece_stream import Entry, Kind, Piece
from workers.hand import Hand


def piece(entry: str) -> Piece:
    return Piece(Entry(Lane.BULK, entry), 1, "job", Kind.DO, 0, [], [])


def in_hand(hand: Hand) -> list[Entry]:
    return list(hand.entries)


def test_pieces_are_in_hand_until_they_are_finished() -> None:
    hand = Hand()
    pieces = [piece(f"{number}-0") for number in range(3)]
    one, two, three = (each.entry for each in pieces)
    with hand.holding(pieces):
        assert in_hand(hand) == [one, two, three]
        hand.finished(pieces[1:2])
        assert in_hand(hand) == [one, three]
        hand.finished(pieces[1:])
        assert in_hand(hand) == [one]
    assert in_hand(hand) == []


def test_nothing_is_in_hand_after_an_error() -> None:
    hand = Hand()
    one = [piece("1-0")]
    with pytest.raises(ValueError, match="why"), hand.holding(one), hand.recognising(one, 60, alone=True):
        raise ValueError("why")
    assert (hand.entries, hand.recognition) == ((), None)


def test_a_recognition_is_overdue_when_its_time_is_over() -> None:
    hand = Hand()
    for seconds, alone in ((60, False), (-1, True)):
        with hand.recognising([piece("1-0")], seconds, alone):
            recognition = hand.recognition
        assert recognition is not None
        assert recognition.is_overdue == (seconds < 0)
        assert recognition.alone == (piece("1-0") if alone else None)
