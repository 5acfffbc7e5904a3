"""Labels and tag schemes."""

from __future__ import annotations

from workers.engine.labels import Labels, Position


def test_bioes_labels_are_read() -> None:
    labels = Labels(["O", "B-PER", "I-PER", "E-PER", "S-PER"])
    assert [Position(position).name for position in labels.positions] == ["OUTSIDE", "BEGIN", "INSIDE", "END", "SINGLE"]
    assert labels.types == ("PER",)
    assert labels.type_of(3) == "PER"


def test_the_order_is_the_models_own() -> None:
    labels = Labels(["I-公司", "B-公司", "O"])
    assert labels.positions.tolist() == [Position.INSIDE, Position.BEGIN, Position.OUTSIDE]
    assert labels.types == ("公司",)


def test_types_may_hold_the_separator() -> None:
    assert Labels(["B-PER.NAM", "B_work-of-art"]).types == ("PER.NAM", "work-of-art")


def test_bmes_is_read_too() -> None:
    assert Labels(["B-ORG", "M-ORG", "E-ORG"]).positions.tolist() == [Position.BEGIN, Position.INSIDE, Position.END]


def test_what_is_no_label_counts_as_outside() -> None:
    labels = Labels(["O", "[PAD]", "B", "B-", "X", "START"])
    assert not labels.positions.any()
    assert labels.types == ()
