"""What each labelled set teaches which head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from training.corpus import Sentence, read_gazetteer, read_marked, read_set
from training.held_out import connected
from training.left_open import with_countries_open

NEWS = "news"
GENERIC = "generic"
# The heads with their types: what is shipped as a model each.
HEADS = {
    NEWS: ("LOC", "ORG", "PER"),
    GENERIC: ("COMPANY", "GAME", "GOV", "LOC", "ORG", "PER", "PRODUCT", "SCENE", "TIME", "TITLE", "WORK"),
}
# Types that a rule finds beside a head, where no set has them: see workers/engine/rules.py.
RULES: Mapping[str, tuple[str, ...]] = {GENERIC: ("MONEY",)}

# A set's types, each with those of a head that an entity of it may have: one that is certain, or several where the set
# does not tell them apart. The head's other types are not annotated in the set: its texts say nothing about them.
Reading = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class LabelledSet:
    """A set's readings by head, and how many times its sentences are in an epoch: below 1, that share of them."""

    readings: Mapping[str, Reading]
    times: float = 1


PLAIN: Reading = {"LOC": ("LOC",), "ORG": ("ORG",), "PER": ("PER",)}
_WITH_PLAIN_TYPES = {
    NEWS: PLAIN,
    GENERIC: {"LOC": ("LOC", "SCENE"), "ORG": ("COMPANY", "GOV", "ORG"), "PER": ("PER",)},
}
_CLUENER: Reading = {
    "address": ("LOC",),
    "book": ("WORK",),
    "company": ("COMPANY",),
    "game": ("GAME",),
    "government": ("GOV",),
    "movie": ("WORK",),
    "name": ("PER",),
    "organization": ("ORG",),
    "position": ("TITLE",),
    "scene": ("SCENE",),
}
# A product of Boson's with the marks of a title: 《画皮》. CLUENER's books and films nearly always have these marks, so
# a product without them is no work. No other set has products.
_TITLED = "titled product"
_BOSON: Reading = {
    "company_name": ("COMPANY",),
    "location": ("LOC", "SCENE"),
    "org_name": ("GOV", "ORG"),
    "person_name": ("PER",),
    "product_name": ("GAME", "PRODUCT"),
    _TITLED: ("GAME", "WORK"),
    "time": ("TIME",),
}
# Countries that stand in a nationality are no places there, so Resume's places are not taken for all there are.
_RESUME: Reading = {"NAME": ("PER",), "ORG": ("COMPANY", "GOV", "ORG"), "TITLE": ("TITLE",)}
_WEIBO: Reading = {
    "GPE.NAM": ("LOC", "SCENE"),
    "LOC.NAM": ("LOC", "SCENE"),
    "ORG.NAM": ("COMPANY", "GOV", "ORG"),
    "PER.NAM": ("PER",),
}
_WEIBO_NEWS: Reading = {"GPE.NAM": ("LOC",), "LOC.NAM": ("LOC",), "ORG.NAM": ("ORG",), "PER.NAM": ("PER",)}
_RESUME_NEWS: Reading = {"NAME": ("PER",), "ORG": ("ORG",)}

TRAINING = {
    "msra.train": LabelledSet(_WITH_PLAIN_TYPES),
    "uner_gsdsimp.train": LabelledSet(_WITH_PLAIN_TYPES, times=4),
    "uner_pud.train": LabelledSet(_WITH_PLAIN_TYPES, times=4),
    # Of people, these two mean what MSRA means.
    "cluener.train": LabelledSet({NEWS: {"name": ("PER",)}, GENERIC: _CLUENER}, times=2),
    "boson.train": LabelledSet({NEWS: {"person_name": ("PER",)}, GENERIC: _BOSON}),
    "resume.train": LabelledSet({NEWS: _RESUME_NEWS, GENERIC: _RESUME}, times=2),
    "weibo.train": LabelledSet({NEWS: _WEIBO_NEWS, GENERIC: _WEIBO}, times=4),
    "youku.train": LabelledSet({GENERIC: {"PER": ("PER",), "TELEVISION": ("WORK",)}}),
}
# The sets whose names are of PER, LOC and ORG, and are shown in other sentences.
NAMED = ("msra.train", "uner_gsdsimp.train", "uner_pud.train")
# What a head is measured on while it learns, and afterwards.
DEVELOPMENT: Mapping[str, Mapping[str, Reading]] = {
    NEWS: {
        "msra.dev": PLAIN,
        "msra.held_out": PLAIN,
        "uner_gsdsimp.dev": PLAIN,
        "weibo.dev": _WEIBO_NEWS,
        "today": PLAIN,
    },
    GENERIC: {"cluener.dev": _CLUENER, "resume.dev": _RESUME, "boson.dev": _BOSON},
}

# Paragraphs as news has them today, which we wrote and marked as UNER does: the other sets are older.
_TODAY = Path(__file__).parent / "today.txt"
# Sets that leave 法国 in 法国人 without a mark.
_COUNTRIES_OPEN = ("uner_gsdsimp.train", "uner_pud.train")
# Boson has no development part: its last documents are kept from training as one.
_BOSON_DEVELOPMENT = 200
# msra.dev has lines of the same articles as msra.train. So a part of msra.train with names of its own is kept too.
_MSRA_DEVELOPMENT = 2_000


def sentences_of(data: Path, name: str) -> list[Sentence]:
    """The sentences of a training or development set, with the entities that its readings know."""
    of_head = {head: sets[name] for head, sets in DEVELOPMENT.items() if name in sets}
    readings = TRAINING[name].readings if name in TRAINING else of_head
    types = {kind for reading in readings.values() for kind in reading}
    if name == "today":
        return read_marked(_TODAY)
    if name in ("boson.train", "boson.dev"):
        sentences = [_with_titled(sentence) for sentence in read_set(data, "boson.train", types)]
        return sentences[:-_BOSON_DEVELOPMENT] if name == "boson.train" else sentences[-_BOSON_DEVELOPMENT:]
    if name in ("msra.train", "msra.held_out"):
        held_out, others = connected(read_set(data, "msra.train", types), _MSRA_DEVELOPMENT)
        return held_out if name == "msra.held_out" else others
    sentences = read_set(data, name, types)
    if name in _COUNTRIES_OPEN:
        return with_countries_open(sentences, read_gazetteer(data, "world_places"))
    return sentences


def _with_titled(sentence: Sentence) -> Sentence:
    """The sentence with the products that are titles told apart."""
    spans = [
        span._replace(type=_TITLED)
        if span.type == "product_name" and "《" in sentence.text[max(0, span.start - 1) : span.start + 1]
        else span
        for span in sentence.spans
    ]
    return sentence._replace(spans=tuple(spans))
