"""The engine against the processor: achieved operations per second over the measured matrix-product rate.

In FP32 and in INT8, at each length and in the natural mix of lengths, one thread; and where the rest goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from benchmarks import machine
from benchmarks.base_model import base_model, prepared
from benchmarks.breakdown import operators, steps
from benchmarks.options import Options, parse
from benchmarks.products import SQUARE, Run, onnx_dynamic, onnx_fp32, onnx_int8, squares, torch_fp32
from benchmarks.report import Cell, Report
from benchmarks.shape import Shape
from benchmarks.texts import long_text, sentences
from benchmarks.timing import medians
from shared.pieces import PIECE_TEXTS
from shared.settings import BUNDLED_MODEL, BackendName
from training.evaluate import recognise
from training.scores import ALL, score
from training.sets import PLAIN, sentences_of
from workers.engine.reading.reader import Reader
from workers.engine.tokens import SPECIAL_TOKENS, TextTokenizer
from workers.loading import load
from workers.preparation.manifest import TOKENIZER, read_manifest

# Characters of a text, which the network reads as so many tokens and two more; 510 are the most.
LENGTHS = (8, 16, 32, 64, 128, 256, 510)
QUICK_LENGTHS = (8, 64, 510)
MIX = "natural mix"
# Texts that are looked at for where the time goes.
PROFILED = 128

METHOD = """one process and one thread; the engine is the product's, from texts to entities, in pieces of up to
{piece} texts. Operations are two for each multiply-add of the network's matrix products, none for the rest. The rate
they are held against is that of the same products at the same lengths with nothing between them, each layer with
weights of its own: in FP32 by ONNX Runtime, with weights packed beforehand, or by PyTorch, whichever is faster there;
in INT8 by ONNX Runtime's MatMulInteger or DynamicQuantizeMatMul, attention's two products in FP32 as in the product's
network. The rate of large squares, {square} wide, stands beside it. Medians of {rounds} rounds after one that is not
counted; in a round all take their turn, each with a block of texts: of one length and together {characters} characters,
or {mix} sentences of the natural mix (base size or bundled). The model of base size has random weights, so F1 is that
of the bundled one, on MSRA's development set."""
GOAL_FP32 = 0.85
GOAL_INT8 = 1.7
GOAL_F1 = 0.5  # points
GOAL_READING = 3  # % of recognition
# Characters of the texts that the reading step is timed on, and their number.
READ, READ_TEXTS = 35, 100

FP32, INT8 = str(BackendName.ONNX_FP32), str(BackendName.ONNX_INT8)
# What each form's bare products are done by.
PRODUCTS: Mapping[str, Mapping[str, Callable[[Shape], Run]]] = {
    FP32: {"ONNX Runtime's MatMul": onnx_fp32, "PyTorch's": torch_fp32},
    INT8: {"MatMulInteger": onnx_int8, "DynamicQuantizeMatMul": onnx_dynamic},
}

Block = Sequence[str]


@dataclass(frozen=True)
class Measured:
    """Seconds that each form and each kind of bare products took for a block, its texts and its operations."""

    seconds: Mapping[str, float]
    texts: int
    operations: int

    def rate(self, *kinds: str) -> float:
        """Operations per second of the fastest of these."""
        return self.operations / min(self.seconds[kind] for kind in kinds)

    def over_products(self, form: str) -> float:
        """The engine's rate over that of the bare products."""
        return self.rate(form) / self.rate(*PRODUCTS[form])


def measure(options: Options) -> Report:
    """Measure the model of base size and the bundled one."""
    rounds = 1 if options.quick else 5
    # Characters and sentences of a block: the bundled model takes a small part of the other's time.
    sizes = {"base size": (256, 20 if options.quick else 100), "bundled": (4_096, 200 if options.quick else 1_000)}
    method = METHOD.format(
        piece=PIECE_TEXTS,
        square=SQUARE,
        rounds=rounds,
        characters=" or ".join(f"{characters:,}" for characters, _ in sizes.values()),
        mix=" or ".join(f"{mix:,}" for _, mix in sizes.values()),
    )
    report = Report("engine", "The engine against the processor", method, machine.describe())
    peaks = {name: 2 * SQUARE**3 / seconds for name, seconds in medians(squares(), 2 * rounds).items()}
    sources = {"base size": base_model(options.work), "bundled": BUNDLED_MODEL}
    for name, source in sources.items():
        blocks = _blocks(options, *sizes[name])
        measured = _measure_model(source, blocks, options, rounds)
        _add_ratios(report, name, measured[MIX], peaks)
        _add_tables(report, name, measured)
        _add_breakdown(report, name, source, blocks[MIX], options)
    _add_reading(report, options, rounds)
    if options.data is not None:
        _add_f1(report, options, options.data)
    rows = [(name, peak / 1e9) for name, peak in peaks.items()]
    report.table(f"Products of squares {SQUARE} wide, one thread", ("", "Gop/s"), rows)
    return report


def _blocks(options: Options, characters: int, mix: int) -> dict[str, Block]:
    """The texts of each block by its name: some of each length, together so many characters, and a natural mix."""
    blocks: dict[str, Block] = {}
    for length in QUICK_LENGTHS if options.quick else LENGTHS:
        text = long_text(options, max(1, characters // length) * length)
        blocks[str(length)] = [text[start : start + length] for start in range(0, len(text), length)]
    return {**blocks, MIX: [text for text in sentences(options, mix) if len(text) <= LENGTHS[-1]]}


def _measure_model(source: Path, blocks: Mapping[str, Block], options: Options, rounds: int) -> dict[str, Measured]:
    shape = Shape.of(source)
    recognisers = {form: load(prepared(source, BackendName(form), options), 1) for form in PRODUCTS}
    products = {kind: make(shape) for kinds in PRODUCTS.values() for kind, make in kinds.items()}
    # Both tokenizers make one token of each character.
    tokens = {block: [len(text) + SPECIAL_TOKENS for text in texts] for block, texts in blocks.items()}
    runs: dict[tuple[str, str], Callable[[], object]] = {}
    for block, texts in blocks.items():
        for form, recogniser in recognisers.items():
            runs[block, form] = partial(_each, recogniser.recognise, _pieces(texts))
        for kind, run in products.items():
            runs[block, kind] = partial(_each, run, tokens[block])
    seconds = medians(runs, rounds)
    return {
        block: Measured(
            {kind: seconds[block, kind] for kind in (*recognisers, *products)},
            len(texts),
            sum(map(shape.operations, tokens[block])),
        )
        for block, texts in blocks.items()
    }


def _each(run: Callable[[Any], object], arguments: Iterable[Any]) -> None:
    for argument in arguments:
        run(argument)


def _pieces(texts: Block) -> list[Block]:
    return [texts[start : start + PIECE_TEXTS] for start in range(0, len(texts), PIECE_TEXTS)]


def _add_ratios(report: Report, name: str, mix: Measured, peaks: Mapping[str, float]) -> None:
    fp32, int8 = (None, None) if name == "bundled" else (GOAL_FP32, GOAL_INT8)
    report.ratio(f"FP32 engine over its own matrix products, {MIX}, {name}", mix.over_products(FP32), fp32)
    report.ratio(f"INT8 over FP32 throughput, {MIX}, {name}", mix.seconds[FP32] / mix.seconds[INT8], int8)
    report.ratio(f"INT8 engine over its own matrix products, {MIX}, {name}", mix.over_products(INT8))
    peak = max(rate for library, rate in peaks.items() if library.endswith("FP32"))
    report.ratio(f"FP32 engine over large square products, {MIX}, {name}", mix.rate(FP32) / peak)


def _add_tables(report: Report, name: str, measured: Mapping[str, Measured]) -> None:
    for form, kinds in PRODUCTS.items():
        header = (
            "characters",
            "Gop a text",
            "ms a text",
            "Gop/s",
            *(f"{kind} Gop/s" for kind in kinds),
            "over the better",
        )
        rows: list[list[Cell]] = []
        for block, of in measured.items():
            figures = [of.operations / of.texts, of.rate(form), *map(of.rate, kinds)]
            operations, *rates = (figure / 1e9 for figure in figures)
            row = [operations, of.seconds[form] / of.texts * 1e3, *rates, of.over_products(form)]
            rows.append([block, *row, *([of.seconds[FP32] / of.seconds[INT8]] if form == INT8 else [])])
        report.table(f"{form}, {name}", [*header, *(["over FP32"] if form == INT8 else [])], rows)
    lengths = [block for block in measured if block != MIX]
    lines = {
        f"{what} {form.removeprefix('onnx-').upper()}": kinds
        for form in (INT8, FP32)
        for what, kinds in (("products", tuple(PRODUCTS[form])), ("engine", (form,)))
    }
    report.plot(
        f"Operations per second, one thread, {name}",
        "characters of a text",
        "Gop/s",
        {
            label: (list(map(int, lengths)), [measured[block].rate(*kinds) / 1e9 for block in lengths])
            for label, kinds in lines.items()
        },
        log_x=True,
        log_y=True,
    )
    report.data[name] = {
        block: {"seconds": of.seconds, "texts": of.texts, "operations": of.operations} for block, of in measured.items()
    }


def _add_breakdown(report: Report, name: str, source: Path, texts: Block, options: Options) -> None:
    texts = texts[:PROFILED]
    for form in PRODUCTS:
        folder = prepared(source, BackendName(form), options)
        recogniser = load(folder, 1)
        recogniser.recognise(texts[:PIECE_TEXTS])
        of_steps, of_operators = steps(recogniser, _pieces(texts)), operators(folder, _pieces(texts))
        for what, seconds in (("Steps of the engine", of_steps), ("Operations of the network", of_operators)):
            total = sum(seconds.values())
            rows = [(part, of / len(texts) * 1e3, of / total * 100) for part, of in seconds.items()]
            report.table(f"{what}, {form}, {name}, {MIX}", ("", "ms a text", "%"), rows)
            report.data[f"{what}, {form}, {name}"] = seconds
        shares = {part: of / sum(of_operators.values()) * 100 for part, of in of_operators.items()}
        report.bars(f"Time of the network, {form}, {name}, %", shares)


def _add_reading(report: Report, options: Options, rounds: int) -> None:
    folder = prepared(BUNDLED_MODEL, BackendName.ONNX_INT8, options)
    recogniser, manifest = load(folder, 1), read_manifest(folder)
    tokenizer = TextTokenizer(Tokenizer.from_file(str(folder / TOKENIZER)), manifest.splitting, manifest.unk_id)
    text = long_text(options, READ * READ_TEXTS)
    texts = [text[start : start + READ] for start in range(0, len(text), READ)]
    seconds = medians(
        {
            "reading": partial(_each, Reader(tokenizer, manifest.reading).view, texts),
            "recognition": partial(_each, recogniser.recognise, [[each] for each in texts]),
        },
        2 * rounds,
    )
    share = seconds["reading"] / seconds["recognition"] * 100
    what = f"reading step of a clean text of {READ} characters, of its recognition, bundled"
    report.ratio(what, share, GOAL_READING, at_least=False, unit="%")
    rows = [(name, of / len(texts) * 1e6) for name, of in seconds.items()]
    report.table(f"The reading step, {READ} characters, bundled", ("", "µs a text"), rows)
    report.data["reading"] = seconds


def _add_f1(report: Report, options: Options, data: Path) -> None:
    labelled = sentences_of(data, "msra.dev")[: 300 if options.quick else None]
    scores = {}
    for form in PRODUCTS:
        recogniser = load(prepared(BUNDLED_MODEL, BackendName(form), options), 1)
        scores[form] = score(labelled, recognise(recogniser, labelled), PLAIN)[ALL]
    difference = abs(scores[INT8].f1 - scores[FP32].f1) * 100
    report.ratio("F1 of INT8 from that of FP32, MSRA, bundled", difference, GOAL_F1, at_least=False, unit="points")
    report.table(
        f"On {len(labelled):,} sentences of MSRA's development set, bundled",
        ("", "precision %", "recall %", "F1 %"),
        [(form, of.precision * 100, of.recall * 100, of.f1 * 100) for form, of in scores.items()],
    )


if __name__ == "__main__":
    _options = parse(__doc__)
    measure(_options).write(_options.out)
