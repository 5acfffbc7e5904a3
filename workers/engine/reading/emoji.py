"""An emoji separates what stands before it from what stands behind it.

It may be several characters: joined ones, flags, keycaps, and those with a tone of skin. The digit of a keycap would
pass for part of a name, so a mark is read in its place.
"""

from __future__ import annotations

from dataclasses import replace

import regex

from workers.engine.reading.view import View

_KEYCAP = r"[0-9#*]\uFE0F?\u20E3"
# Signs that are also text, such as ©, are emoji only if a variation selector says so.
_EMOJI = regex.compile(
    rf"(?:{_KEYCAP}|(?:\p{{Emoji_Presentation}}|\p{{RI}}|\p{{Extended_Pictographic}}(?=[\uFE0F\u200D]))"
    r"[\uFE0F\u200D\p{Emoji_Modifier}]*+)++"
)
_KEYCAPS = regex.compile(_KEYCAP)
_MARK = "，"


def as_separators(view: View) -> View:
    """The view with a separator before each run of emoji and behind it."""
    if view.text.isascii() or not (runs := [run.span() for run in _EMOJI.finditer(view.text)]):
        return view
    places = view.known_places
    ends = sorted({place for run in runs for place in run if place < len(view.text)})
    characters, dropped = list(view.text), list[int]()
    for keycap in _KEYCAPS.finditer(view.text):
        characters[keycap.start()] = _MARK
        dropped.extend(range(keycap.start() + 1, keycap.end()))
    separators = [*view.separators, *(int(places[end]) for end in ends)]
    return replace(view, text="".join(characters), separators=sorted(separators)).without(dropped)
