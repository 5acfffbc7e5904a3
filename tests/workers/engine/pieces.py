"""A text in pieces, from web's plan to the entities, without a queue."""

from __future__ import annotations

from shared.entities import Entity
from shared.pieces import WHOLE, plan
from shared.text import decode_text, encode_text
from workers.engine.merge import Part
from workers.engine.recogniser import Recogniser


def in_pieces(model: Recogniser, text: str, piece_chars: int) -> list[Entity]:
    """What a worker finds in a text that web cuts into pieces of that size."""
    joined = encode_text(text)
    parts: list[Part] = []
    for (item,) in plan([text], [(0, len(joined))], [0], piece_chars):
        slice_ = decode_text(joined[item.byte_start : item.byte_end])
        if item.part == WHOLE:
            return model.recognise([slice_])[0]
        found = model.recognise_part(slice_, item.core_start, item.core_end)
        parts.extend(part.moved(item.start) for part in found)
    return model.join(text, parts)
