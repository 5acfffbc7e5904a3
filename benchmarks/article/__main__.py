"""Serve the baseline: ``python -m benchmarks.article --model FOLDER --instances N --port PORT [--threads T]``."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import uvicorn

from benchmarks.article.app import create_app, load_pipelines


def main() -> None:
    """Load the pipelines, then listen; a connection is refused until then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of a ModelScope model")
    parser.add_argument("--instances", type=int, required=True, help="pipelines in the pool")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, help="PyTorch's threads for one recognition; default: PyTorch's own")
    arguments = parser.parse_args()
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    app = create_app(load_pipelines(arguments.model, arguments.instances))
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
