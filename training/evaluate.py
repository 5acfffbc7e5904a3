"""Scores of the bundled models: ``python -m training.evaluate --data FOLDER``.

Through the product's engine, on what the models were not trained on. The tables are those of the models' cards.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from statistics import median

from shared.job_texts import JobTexts
from shared.markup.read import Markup, read
from shared.settings import BUNDLED_GENERIC_MODEL, BUNDLED_MODEL, BackendName, settings
from training.corpus import Sentence, Span, join
from training.forms import FORMS
from training.scores import ALL, Score, score
from training.sets import DEVELOPMENT, HEADS, TRAINING, Reading, sentences_of
from training.views import Typos
from training.vocabulary import SPECIAL, Vocabulary
from workers.engine.recogniser import Recogniser
from workers.loading import load
from workers.preparation.ensure import ensure_prepared
from workers.preparation.source import RELEVANT_FILES

# Share of characters that are disturbed, and lengths that sentences are joined to, in characters.
DISTURBED = 0.05
JOINED = (500, 4_000)
AS_IT_IS = "as it is"
# The development sets whose sentences are put into forms, each with the training set whose readings are its own too,
# and how many of its sentences.
FORMED = {"msra.dev": "msra.train", "uner_gsdsimp.dev": "uner_gsdsimp.train"}
FORMED_SENTENCES = 250
# The sentence that is timed: 35 characters.
TIMED = "阿里巴巴集团创始人马云昨在杭州出席了由中国人工智能学会主办的技术峰会。"
TIMES = 200


def main() -> None:
    """Print the tables of each model as Markdown."""
    parser = argparse.ArgumentParser(description="Print the tables of the models' cards.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument(
        "models",
        type=Path,
        nargs="*",
        default=[BUNDLED_MODEL, BUNDLED_GENERIC_MODEL],
        metavar="MODEL",
        help="folder of a model",
    )
    arguments = parser.parse_args()
    for folder in arguments.models:
        report(folder, arguments.data)


def report(folder: Path, data: Path) -> None:
    """Print the tables of the model in ``folder``."""
    int8, fp32 = (_load(folder, backend) for backend in (BackendName.ONNX_INT8, BackendName.ONNX_FP32))
    # The one with the most types, as those of news are types of generic too.
    head = max(
        (head for head, types in HEADS.items() if set(types) <= set(int8.types)), key=lambda head: len(HEADS[head])
    )
    sets = {name: sentences_of(data, name) for name in DEVELOPMENT[head]}

    print(f"\n# {folder.name}\n")
    _print_scores(head, sets, int8, fp32)
    print()
    _print_views(head, sets, int8, Vocabulary.load(folder / "vocab.txt"))
    print()
    _print_forms(head, {name: sentences_of(data, name) for name in FORMED}, int8)
    print()
    _print_confusions(head, sets, int8)
    print()
    size = sum((folder / name).stat().st_size for name in RELEVANT_FILES if (folder / name).exists())
    print(f"{size / 2**20:.1f} MiB; {len(TIMED)} characters on one core: ", end="")
    print(f"{_milliseconds(int8):.1f} ms in INT8, {_milliseconds(fp32):.1f} ms in FP32")


def recognise(recogniser: Recogniser, sentences: Sequence[Sentence]) -> list[list[Span]]:
    """The spans that the farm finds in each sentence: markup is read before the engine sees the text."""
    texts = JobTexts([sentence.text for sentence in sentences])
    shown = {index: as_read for index, text in enumerate(texts.sent) if (as_read := read(text, Markup.AUTO))}
    texts = JobTexts(texts.sent, shown)
    found = recogniser.recognise([texts.as_read(index) for index in range(len(sentences))])
    return [
        [Span(*texts.span(index, entity.start, entity.end), entity.type) for entity in entities]
        for index, entities in enumerate(found)
    ]


def confused(
    sentences: Sequence[Sentence], found: Sequence[Sequence[Span]], reading: Reading
) -> Counter[tuple[str, str]]:
    """How often an entity of a type is found as each type, at other places that overlap it, or not at all.

    What is found where nothing is counts as ``nothing`` that is found as its type.
    """
    known = {kind for kinds in reading.values() for kind in kinds}
    counts: Counter[tuple[str, str]] = Counter()
    for sentence, given in zip(sentences, found, strict=True):
        looked_at = [span for span in given if span.type in known]
        for start, end, kind in sentence.spans:
            same = [span.type for span in looked_at if (span.start, span.end) == (start, end)]
            overlapping = any(span.start < end and start < span.end for span in looked_at)
            counts["/".join(reading[kind]), same[0] if same else "elsewhere" if overlapping else "nothing"] += 1
        for start, end, kind in looked_at:
            if not any(span.start < end and start < span.end for span in sentence.spans):
                counts["nothing", kind] += 1
    return counts


def joined(sentences: Sequence[Sentence], length: int) -> list[Sentence]:
    """The sentences joined to texts of about so many characters."""
    texts: list[Sentence] = []
    waiting: list[Sentence] = []
    for sentence in sentences:
        waiting.append(sentence)
        if sum(len(each.text) for each in waiting) >= length:
            texts.append(join(waiting))
            waiting = []
    return [*texts, join(waiting)] if waiting else texts


def formed(sentences: Sequence[Sentence]) -> Iterator[tuple[str, Sequence[Sentence]]]:
    """The names of all forms, each with some of the sentences in that form, and these as they are before."""
    few = Random(0).sample(sentences, min(FORMED_SENTENCES, len(sentences)))
    yield AS_IT_IS, few
    for name, form in FORMS.items():
        yield name, form(few)


def _print_scores(head: str, sets: Mapping[str, Sequence[Sentence]], int8: Recogniser, fp32: Recogniser) -> None:
    _table("set", "type", "entities", "precision", "recall", "F1", "F1 in FP32")
    for name, sentences in sets.items():
        reading = DEVELOPMENT[head][name]
        scores, of_fp32 = (score(sentences, recognise(model, sentences), reading) for model in (int8, fp32))
        for kind, of_kind in scores.items():
            _row(name, kind, of_kind.there, *_figures(of_kind), f"{of_fp32[kind].f1:.3f}")


def _print_views(head: str, sets: Mapping[str, Sequence[Sentence]], model: Recogniser, vocabulary: Vocabulary) -> None:
    typos = Typos([token for token in vocabulary.tokens[len(SPECIAL) :] if "一" <= token <= "龥"][:3_000])
    _table("set", "text", "F1")
    for name, sentences in sets.items():
        for text, view in _views(sentences, typos):
            _row(name, text, _f1(view, model, DEVELOPMENT[head][name]))


def _print_forms(head: str, sets: Mapping[str, Sequence[Sentence]], model: Recogniser) -> None:
    _table("form", *(f"F1, {name}" for name in sets))
    readings = [TRAINING[FORMED[name]].readings[head] for name in sets]
    for of_sets in zip(*map(formed, sets.values()), strict=True):
        figures = [_f1(texts, model, reading) for (_, texts), reading in zip(of_sets, readings, strict=True)]
        _row(of_sets[0][0], *figures)


def _print_confusions(head: str, sets: Mapping[str, Sequence[Sentence]], model: Recogniser) -> None:
    kinds = [*HEADS[head], "nothing"]
    _table("there is", *(f"found {kind}" for kind in kinds), "found elsewhere")
    confusions: Counter[tuple[str, str]] = Counter()
    for name, sentences in sets.items():
        confusions.update(confused(sentences, recognise(model, sentences), DEVELOPMENT[head][name]))
    for kind in sorted({there for there, _ in confusions}):
        _row(kind, *(confusions[kind, found] for found in (*kinds, "elsewhere")))


def _views(sentences: Sequence[Sentence], typos: Typos) -> Iterable[tuple[str, Sequence[Sentence]]]:
    yield AS_IT_IS, sentences
    random = Random(0)
    yield f"{DISTURBED:.0%} of characters disturbed", [typos.disturb(each, DISTURBED, random) for each in sentences]
    for length in JOINED:
        yield f"joined to {length:,} characters", joined(sentences, length)


def _load(folder: Path, backend: BackendName) -> Recogniser:
    return load(ensure_prepared(str(folder), backend, settings().data_dir / "prepared", settings().int8_limit), 1)


def _milliseconds(recogniser: Recogniser) -> float:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        recogniser.recognise([TIMED])
        taken.append(time.perf_counter() - began)
    return median(taken) * 1e3


def _f1(sentences: Sequence[Sentence], model: Recogniser, reading: Reading) -> str:
    return f"{score(sentences, recognise(model, sentences), reading)[ALL].f1:.3f}"


def _figures(of: Score) -> list[str]:
    return [f"{figure:.3f}" for figure in (of.precision, of.recall, of.f1)]


def _table(*names: str) -> None:
    _row(*names)
    _row(*["---"] * len(names))


def _row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
