"""``python -m workers.prepare SOURCE``: prepare a model for serving.

For an id on the hub it asks for the newest state of its revision, which workers do not: they serve what is prepared.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import FarmError
from shared.settings import BackendName, settings
from workers.engine.labels import Labels
from workers.preparation.index import find, folder_of, record
from workers.preparation.lock import preparing
from workers.preparation.manifest import check_int8_limit, read_manifest
from workers.preparation.parent import die_with_reader
from workers.preparation.progress import say, step
from workers.preparation.source import Source, parse_source, stat_files, version_of

if TYPE_CHECKING:
    from workers.preparation.build import Figures


def main() -> int:
    """Prepare what the command line names. Returns the exit status."""
    arguments = _parser().parse_args()
    if arguments.report is not None:
        die_with_reader(arguments.report)
    try:
        backend = BackendName(arguments.backend or settings().backend)
        limit = settings().int8_limit if arguments.int8_limit is None else arguments.int8_limit
        prepared_dir = arguments.prepared_dir or settings().data_dir / "prepared"
        folder = prepare(arguments.source, backend, prepared_dir.absolute(), limit, refresh=arguments.report is None)
    except (FarmError, OSError) as error:
        if arguments.report is None:
            say(str(error))
        _report(arguments.report, {"error": type(error).__name__, "message": str(error)})
        return 1
    _report(arguments.report, {"folder": str(folder)})
    return 0


def prepare(text: str, backend: BackendName, prepared_dir: Path, limit: float, *, refresh: bool) -> Path:
    """Prepare a source unless that is done already, and print what came of it. Returns the prepared folder.

    Args:
        refresh: ask the hub even where the id and revision were prepared before.

    Raises:
        ModelError: the source cannot be had, or is not what can be served.
        OSError: ``prepared_dir`` cannot be written.
    """
    source = parse_source(text)
    say(f"{source} for {backend}")
    with preparing(prepared_dir, lambda: say("waiting for another preparation to end")):
        # Looked at before the content is, so that a change meanwhile shows the next time.
        files = stat_files(source.folder) if source.folder else None
        folder = None if refresh and source.folder is None else find(source, backend, prepared_dir)
        figures = None
        if folder is None:
            with step("resolve"):
                model = source.folder or _fetch(source)
                version = version_of(model, backend)
            folder = folder_of(source, version, prepared_dir)
            if not folder.is_dir():
                # Only now what takes seconds to import.
                from workers.preparation.build import build

                figures = build(source, model, version, backend, folder, limit)
        record(source, backend, prepared_dir, folder, files)
    if figures is None:
        check_int8_limit(source.name, read_manifest(folder).int8_difference, limit)
        say("already prepared")
    _summarise(folder, limit, figures)
    return folder


def _fetch(source: Source) -> Path:
    from workers.preparation.hub import fetch

    return fetch(source)


def _summarise(folder: Path, limit: float, figures: Figures | None) -> None:
    manifest = read_manifest(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    lines = {
        "folder": folder,
        "version": manifest.version,
        "backend": manifest.backend,
        "types": ", ".join((*Labels(manifest.labels).types, *manifest.rules)),
        "size": f"{size / 1e6:.1f} MB",
    }
    if manifest.int8_difference is not None:
        measured = figures.int8 if figures else f"{manifest.int8_difference:.2%} differ"
        lines["int8"] = f"{measured} from FP32; limit {limit:.2%}"
    if figures and figures.export is not None:
        lines["export"] = f"emissions within {figures.export:.1e} of PyTorch's"
    for name, value in lines.items():
        print(f"{name:<8} {value}", flush=True)


def _report(pipe: int | None, result: dict[str, str]) -> None:
    if pipe is not None:
        os.write(pipe, json.dumps(result).encode())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers.prepare", description="Prepare a model for serving.")
    parser.add_argument("source", metavar="SOURCE", help="a folder or a ModelScope id, with @revision if wanted")
    parser.add_argument("--backend", choices=[str(name) for name in BackendName], help="default: RANER_BACKEND")
    parser.add_argument(
        "--int8-limit",
        type=_share,
        metavar="X",
        help="largest share in which INT8 may differ from FP32, 0 to 1; default: RANER_INT8_LIMIT",
    )
    parser.add_argument(
        "--prepared-dir", type=Path, metavar="DIR", help="folder of prepared models; default: RANER_DATA_DIR/prepared"
    )
    # Where ensure_prepared wants the result: the number of a pipe, on which JSON is written.
    parser.add_argument("--report", type=int, help=argparse.SUPPRESS)
    return parser


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return share


if __name__ == "__main__":
    sys.exit(main())
