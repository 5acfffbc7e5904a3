"""FastAPI with the engine in the process: ``uvicorn benchmarks.peers.fastapi_app:app --workers 2``."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.peers.engine import Engine

app = FastAPI()
_engine = Engine()


class NerRequest(BaseModel):
    """One text."""

    text: str


# In the event loop: a text takes less than the way to a thread and back. With `def` it answers fewer a second.
@app.post("/ner", response_model=None)
async def ner(request: NerRequest) -> dict[str, Any]:
    """The text's entities."""
    (answer,) = _engine.answers([request.text])
    return answer
