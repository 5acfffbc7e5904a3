"""The texts that jobs are made of. A calm farm recognises all of them before the first fault, for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.options import Options
from benchmarks.texts import sentences, short

ODD = (
    "",
    " ",
    "\n",
    "。",
    "😀",
    "👨‍👩‍👧‍👦和👩🏽‍🚀在杭州👍🏿",
    "马云😀在😀杭州😀。" * 20,
    "𠮷野家在東京都的𠀋先生",
    "e\u0301cole à Paris：ñ, n\u0303",
    "\ufeff王小明在北京。",
    "王\u200b小\u200d明\u00ad在\u2060北京。",
    "\u202e王小明在北京\u202c",
    "शंकर दिल्ली में, ไทย, العربية, עברית",
    "㍿ＡＢＣ①②③Ⅷ㎏ﬁ",
    "\t王小明\r\n在\x0b北京\x0c。\x00",
    "的" * 700,
    "a" * 600,
    "1234567890" * 30,
    "，。！？；：" * 40,
    "\u0301" * 50,
    "人工智能 " * 100,
    '{"text": "王小明"} <b>北京</b> %s \\u4e00',
)


@dataclass(frozen=True)
class Pool:
    """All texts, and the numbers of those of each kind."""

    texts: list[str]
    short: Sequence[int]
    middle: Sequence[int]
    long: Sequence[int]
    longest: Sequence[int]
    odd: Sequence[int]


def make_pool(seed: int, small: bool = False) -> Pool:
    """The texts of a seed.

    Args:
        small: a tenth of them, for a short soak.
    """
    random = Random(seed)
    share = 10 if small else 1
    material = sentences(Options(), 3_000, seed)
    kinds = {
        "short": random.sample(short(Options(), 3_000), 2_400 // share),
        "middle": [_joined(material, random.randint(100, 600), random) for _ in range(300 // share)],
        # More than one piece, and many.
        "long": [_joined(material, random.randint(4_500, 9_000), random) for _ in range(30 // share)],
        "longest": [_joined(material, 40_000, random) for _ in range(2)],
        "odd": list(ODD),
    }
    texts: list[str] = []
    numbers: dict[str, range] = {}
    for kind, made in kinds.items():
        numbers[kind] = range(len(texts), len(texts) + len(made))
        texts += made
    return Pool(texts, **numbers)


def _joined(material: Sequence[str], chars: int, random: Random) -> str:
    """Sentences joined to a text of about so many characters."""
    parts: list[str] = []
    while sum(map(len, parts)) < chars:
        sentence = random.choice(material)
        parts.append(sentence if sentence.endswith(("。", "！", "？")) else sentence + "。")
    return "".join(parts)
