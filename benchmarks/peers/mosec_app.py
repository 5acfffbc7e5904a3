"""mosec: ``python -m benchmarks.peers.mosec_app --port N``. A worker takes up to PEER_BATCH requests at once."""

from __future__ import annotations

import os
from typing import Any

from mosec import Server, Worker, get_logger

from benchmarks.peers.engine import Engine

PROCESSES = 2
BATCH = "PEER_BATCH"
# Milliseconds that a worker waits for a batch to fill.
WAIT = 1


class Ner(Worker):  # type: ignore[misc]
    """Recognises one request, or a list of them if batches are on."""

    def __init__(self) -> None:
        super().__init__()
        self._engine = Engine()

    def forward(self, data: Any) -> Any:
        """Bodies in, answers out."""
        if isinstance(data, list):
            return self._engine.answers([body["text"] for body in data])
        return self._engine.answers([data["text"]])[0]


if __name__ == "__main__":
    get_logger().setLevel("WARNING")
    server = Server()
    server.append_worker(
        Ner, num=PROCESSES, max_batch_size=int(os.environ.get(BATCH, "1")), max_wait_time=WAIT, route="/ner"
    )
    server.run()
