from __future__ import annotations

import subprocess
import sys

from benchmarks.peers.engine import _view
from benchmarks.peers.server import PEERS
from shared.entities import Entity
from shared.settings import PROJECT_ROOT
from web.schemas import NerEntity


def test_what_only_the_peers_need_is_imported_by_their_processes_alone() -> None:
    asked = "import sys, benchmarks.against_peers; print({'mosec', 'fastapi', 'uvicorn'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", asked], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


def test_a_peer_answers_with_the_fields_of_the_farms_blocking_call() -> None:
    view = _view("马云在杭州。", Entity(3, 5, "LOC", 0.91234))
    assert NerEntity.model_validate(view).model_dump(exclude_none=True) == view
    assert view == {"text": "杭州", "type": "LOC", "start_offset": 3, "end_offset": 5, "score": 0.9123, "color": "cyan"}


def test_peers_have_names_of_their_own() -> None:
    assert len({peer.name for peer in PEERS}) == len(PEERS)
