"""The texts that are recognised: real sentences in their natural mix of lengths, where the data folder is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, product
from random import Random

from benchmarks.options import Options
from shared.settings import PROJECT_ROOT
from training.corpus import read_set

# In the order in which they are taken: what the bundled models did not learn from comes first.
_SETS = (("msra.dev", "uner_gsdsimp.dev"), ("msra.train", "uner_gsdsimp.train"))
# What preparation checks models with. Read here since its module imports PyTorch.
_OWN = PROJECT_ROOT / "workers" / "preparation" / "check_sentences.txt"


def sentences(options: Options, number: int, seed: int = 0) -> list[str]:
    """So many sentences, no two alike, drawn at random.

    Of MSRA and Wikipedia (UNER) where the data folder is given: their development sets, and where those are too small
    their training sets too. Else sentences written for this project, put together anew from their clauses.

    Raises:
        ValueError: there are not so many.
    """
    return _take(_drawn(options, seed), number)


def short(options: Options, number: int, most_chars: int = 35) -> list[str]:
    """The first so many of :func:`sentences` that have at most ``most_chars`` characters.

    Raises:
        ValueError: there are not so many.
    """
    return _take((text for text in _drawn(options, 0) if len(text) <= most_chars), number)


def long_text(options: Options, chars: int) -> str:
    """Sentences joined to a text of exactly ``chars`` characters; past the last one they begin anew."""
    parts: list[str] = []
    length = 0
    while length < chars:
        for sentence in _drawn(options, 0):
            parts.append(sentence if sentence.endswith(("。", "！", "？")) else sentence + "。")
            length += len(parts[-1])
            if length >= chars:
                break
    return "".join(parts)[:chars]


def _drawn(options: Options, seed: int) -> Iterator[str]:
    """All sentences there are, each once."""
    seen: set[str] = set()
    for group in _groups(options):
        texts = [text for text in dict.fromkeys(group) if text.strip() and text not in seen]
        seen.update(texts)
        Random(seed).shuffle(texts)
        yield from texts


def _groups(options: Options) -> Iterator[Iterable[str]]:
    if options.data is None:
        own = _OWN.read_text(encoding="utf-8").splitlines()
        yield own
        # The first clause of each with the rest of each; then with a first clause between them too.
        halves = [(first, rest) for first, comma, rest in (text.partition("，") for text in own) if comma]
        firsts, rests = zip(*halves, strict=True)
        yield map("，".join, product(firsts, rests))
        yield map("，".join, product(firsts, firsts, rests))
        return
    for names in _SETS:
        yield (sentence.text for name in names for sentence in read_set(options.data, name, ()))


def _take(texts: Iterable[str], number: int) -> list[str]:
    found = list(islice(texts, number))
    if len(found) < number:
        raise ValueError(f"{number} sentences are wanted, there are {len(found)}")
    return found
