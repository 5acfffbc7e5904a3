"""The FastAPI application: ``POST /ner`` over a pool of ModelScope pipelines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from benchmarks.article.pool import Pool, PoolExhausted

# What a pipeline is to this application: a text in, ``{"output": [{"type", "start", "end", "span", "prob"}]}`` out.
Pipeline = Callable[[str], dict[str, Any]]

COLOURS = {"PER": "red", "LOC": "cyan", "ORG": "yellow"}


class NerRequest(BaseModel):
    """One text."""

    text: str


def load_pipelines(model: Path, number: int) -> list[Pipeline]:
    """So many pipelines, each with a copy of the model of its own, as ModelScope makes them."""
    from modelscope.pipelines import pipeline

    return [pipeline("named-entity-recognition", model=str(model)) for _ in range(number)]


def create_app(pipelines: Sequence[Pipeline]) -> FastAPI:
    """The application over these pipelines."""
    app = FastAPI()
    pool = Pool(pipelines)

    # Not `async def`: FastAPI runs it in a thread of its pool, or one recognition would hold up the event loop.
    @app.post("/ner")
    def ner(request: NerRequest) -> JSONResponse:
        try:
            with pool.instance() as recognise:
                found = recognise(request.text)["output"]
        except PoolExhausted as error:
            return JSONResponse({"success": False, "error": str(error)}, status_code=503)
        except (RuntimeError, ValueError) as error:  # what the pipeline raises for texts that it cannot read
            return JSONResponse({"success": False, "error": str(error)}, status_code=500)
        return JSONResponse({"success": True, "data": [_plain(entity) for entity in found]})

    return app


def _plain(entity: dict[str, Any]) -> dict[str, Any]:
    # The pipeline's numbers are NumPy scalars, which json refuses.
    return {
        "text": entity["span"],
        "type": entity["type"],
        "start_offset": int(entity["start"]),
        "end_offset": int(entity["end"]),
        "score": round(float(entity["prob"]), 4),
        "color": COLOURS.get(entity["type"], "green"),
    }
