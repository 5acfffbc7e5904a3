"""How what workers find is stored: entities, results, and parts of cut texts. One place for each format.

Readers take more fields than they know, and do without those that a former format lacks, so that workers and web
servers of two releases can run side by side.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.entities import MODEL, Amount, Entity
from shared.errors import UnreadableRecord
from shared.pieces import PieceItem

_ENTITY_FIELDS = len(Entity._fields)
_AMOUNT_FIELDS = len(Amount._fields)
_ITEM_FIELDS = len(PieceItem._fields)
# What reading a record of another form raises.
_DAMAGED = (ValueError, TypeError, KeyError, AttributeError, OverflowError)


@dataclass(frozen=True)
class TextResult:
    """The result of one text: its entities in code points, of every type, or why it could not be recognised.

    ``model_version`` is ``name@version``, or two of them joined by ``+`` for a text whose parts two versions did.
    """

    entities: tuple[Entity, ...]
    model_version: str
    cached: bool = False
    error: str | None = None


class Core(NamedTuple):
    """What was found in a range of a text that was read at once: ``entities``, with places in the whole text.

    ``[start, end)`` is the range that this answers for; entities may lie in the context on either side of it too.
    """

    start: int
    end: int
    entities: tuple[Entity, ...]


@dataclass(frozen=True)
class PartResult:
    """The result of one part of a cut text: what was found in it, in order, or why it could not be recognised."""

    found: tuple[Core, ...]
    model_version: str
    error: str | None = None


def encode_entities(entities: Iterable[Entity]) -> str:
    """Entities as the cache stores them: JSON ``[[start, end, type, score, source], ...]``, scores to four decimals.

    An entity with an amount has ``[low, high, currency]`` as its sixth field.
    """
    return _dumps([_fields(entity) for entity in entities])


def decode_entities(data: bytes | str) -> tuple[Entity, ...]:
    """What :func:`encode_entities` made ``data`` of.

    Raises:
        UnreadableRecord: it is something else.
    """
    try:
        return _entities(json.loads(data))
    except _DAMAGED as error:
        raise UnreadableRecord(f"no list of entities: {error}") from error


def encode_result(result: TextResult) -> str:
    """A result as a job stores it: JSON ``{"v": version, "c": cached, "e": entities, "x": error}``, ``x`` if any."""
    record = {"v": result.model_version, "c": result.cached, "e": list(map(_fields, result.entities))}
    return _dumps(record | _error(result))


def decode_result(data: bytes | str) -> TextResult:
    """What :func:`encode_result` made ``data`` of.

    Raises:
        UnreadableRecord: it is something else.
    """
    try:
        record = json.loads(data)
        return TextResult(_entities(record["e"]), str(record["v"]), bool(record["c"]), record.get("x"))
    except _DAMAGED as error:
        raise UnreadableRecord(f"no result of a text: {error}") from error


def encode_part(part: PartResult) -> str:
    """A part's result as a job stores it: JSON ``{"v": version, "f": [[start, end, entities], ...], "x": error}``."""
    found = [(core.start, core.end, list(map(_fields, core.entities))) for core in part.found]
    return _dumps({"v": part.model_version, "f": found} | _error(part))


def decode_part(data: bytes | str) -> PartResult:
    """What :func:`encode_part` made ``data`` of.

    Raises:
        UnreadableRecord: it is something else.
    """
    try:
        record = json.loads(data)
        found = tuple(Core(int(start), int(end), _entities(entities)) for start, end, entities, *_ in record["f"])
        return PartResult(found, str(record["v"]), record.get("x"))
    except _DAMAGED as error:
        raise UnreadableRecord(f"no result of a part: {error}") from error


def encode_items(items: Sequence[PieceItem]) -> str:
    """The items of a piece, as a job stores them: JSON, a list of the fields of each."""
    return _dumps(items)


def decode_items(data: bytes | str) -> list[PieceItem]:
    """What :func:`encode_items` made ``data`` of.

    Raises:
        UnreadableRecord: it is something else.
    """
    try:
        return [_item(*item[:_ITEM_FIELDS]) for item in json.loads(data)]
    except _DAMAGED as error:
        raise UnreadableRecord(f"no items of a piece: {error}") from error


def _error(result: TextResult | PartResult) -> dict[str, str]:
    return {} if result.error is None else {"x": result.error}


def _fields(entity: Entity) -> tuple[object, ...]:
    fields = entity.start, entity.end, entity.type, round(entity.score, 4), entity.source
    return fields if entity.amount is None else (*fields, entity.amount)


def _entities(stored: list[list[Any]]) -> tuple[Entity, ...]:
    return tuple(_entity(*fields[:_ENTITY_FIELDS]) for fields in stored)


def _entity(
    start: object, end: object, kind: object, score: object, source: object = MODEL, amount: object = None
) -> Entity:
    if (
        isinstance(start, int)
        and isinstance(end, int)
        and isinstance(kind, str)
        and isinstance(score, int | float)
        and isinstance(source, str)
    ):
        return Entity(start, end, kind, score, source, None if amount is None else _amount(amount))
    raise TypeError("an entity has fields of other types")


def _amount(fields: object) -> Amount:
    if isinstance(fields, list) and all(field is None or isinstance(field, str) for field in fields):
        return Amount(*fields[:_AMOUNT_FIELDS])
    raise TypeError("an amount has fields of other types")


def _item(*fields: object) -> PieceItem:
    if all(isinstance(field, int) for field in fields):
        return PieceItem(*fields)  # type: ignore[arg-type]
    raise TypeError("an item has fields of other types")


def _dumps(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
