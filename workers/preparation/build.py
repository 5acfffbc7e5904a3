"""The steps of a preparation, from a source to a prepared folder."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shared.cpus import usable_cpus
from shared.errors import SourceIncomplete
from shared.settings import BackendName
from workers.backends.onnx import OnnxNetwork
from workers.preparation.check import Difference, check_ids, check_sentences, export_difference, int8_difference
from workers.preparation.checkpoint import check_folder
from workers.preparation.export import export, fuse
from workers.preparation.lock import staging
from workers.preparation.manifest import (
    CRF,
    FORMAT,
    NETWORK,
    SOURCE,
    TOKENIZER,
    Manifest,
    check_int8_limit,
    write_manifest,
)
from workers.preparation.original import Original, load_original
from workers.preparation.progress import say, step
from workers.preparation.quantise import quantise
from workers.preparation.source import Source, stat_files, version_of


@dataclass(frozen=True)
class Figures:
    """What was measured: INT8 against FP32, and the largest difference of an emission, ONNX against PyTorch."""

    int8: Difference | None = None
    export: float | None = None


def build(source: Source, model: Path, version: str, backend: BackendName, target: Path, limit: float) -> Figures:
    """Prepare the ModelScope folder ``model`` and write ``target``, at once and whole.

    The caller holds the preparation's lock.

    Args:
        version: of ``model``'s content.
        limit: largest share in which INT8 may differ from FP32.

    Raises:
        ModelError: the model is not what can be served; nothing is written then.
    """
    with step("load"):
        farm = check_folder(model)
        original = load_original(model, check_sentences())
    with staging(target.parent) as work:
        folder = work / "prepared"
        folder.mkdir()
        figures = Figures()
        if backend in (BackendName.ONNX_INT8, BackendName.ONNX_FP32):
            figures = _make_network(original, backend, source, work, folder, limit)
        else:
            (folder / SOURCE).mkdir()
            with step("copy"):
                for name in stat_files(model):
                    shutil.copyfile(model / name, folder / SOURCE / name)
        if version_of(model, backend) != version:
            raise SourceIncomplete(f"{model} changed while it was prepared; prepare it again")
        with step("write"):
            original.tokenizer.save(str(folder / TOKENIZER))
            crf = original.crf
            np.savez(folder / CRF, start=crf.start, end=crf.end, transitions=crf.transitions)
            write_manifest(
                folder,
                Manifest(
                    format=FORMAT,
                    version=version,
                    source=source.location,
                    revision=source.revision,
                    backend=backend,
                    labels=original.labels,
                    rules=farm.rules,
                    reading=farm.reading,
                    splitting=original.splitting,
                    max_tokens=original.max_tokens,
                    cls_id=original.cls_id,
                    sep_id=original.sep_id,
                    unk_id=original.unk_id,
                    int8_difference=figures.int8.share if figures.int8 else None,
                ),
            )
            _publish(folder, target)
    return figures


def _make_network(
    original: Original, backend: BackendName, source: Source, work: Path, folder: Path, limit: float
) -> Figures:
    """Write ``model.onnx`` into ``folder``, checked against the original. ``work`` takes what is between."""
    quantised = backend is BackendName.ONNX_INT8
    exported = work / "exported"
    exported.mkdir()
    with step("export"):
        export(original.network, exported / NETWORK)
    fp32 = folder
    if quantised:
        fp32 = work / "fp32"
        fp32.mkdir()
    with step("fuse"):
        fused = fuse(exported / NETWORK, fp32 / NETWORK, original.encoder_config)
    say("fused " + (", ".join(f"{count} {name}" for name, count in fused.items()) or "nothing: it will run slower"))
    if quantised:
        with step("quantise"):
            quantise(fp32 / NETWORK, folder / NETWORK, check_ids(original))
    threads = usable_cpus()
    with step("check"):
        network = OnnxNetwork(fp32, threads)
        of_export = export_difference(original, network)
        of_int8 = int8_difference(original, network, OnnxNetwork(folder, threads)) if quantised else None
    if of_int8:
        check_int8_limit(source.name, of_int8.share, limit, str(of_int8))
    return Figures(of_int8, of_export)


def _publish(folder: Path, target: Path) -> None:
    """Move a finished folder to its place; after a crash there is either all of it or nothing."""
    for path in [*folder.rglob("*"), folder]:
        if path.is_file():
            path.chmod(0o444)
        _sync(path)
    folder.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
