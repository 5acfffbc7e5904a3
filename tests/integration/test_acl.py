"""A farm whose Redis user may do no more than the README says that it has to."""

from __future__ import annotations

import re
from pathlib import Path

from redis import Redis

from shared.settings import PROJECT_ROOT
from tests.support.farm import Farm
from tests.support.redis_server import RedisServer


class RedisWithUser(RedisServer):
    """A Redis with the README's user."""

    @property
    def url(self) -> str:
        """Its address, for that user."""
        return f"redis://farm:secret@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and make the user."""
        super().start()
        readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
        (rules,) = re.findall(r"`ACL SETUSER farm on >PASSWORD ([^`]+)`", readme)
        with Redis(port=self.port) as client:
            client.execute_command("ACL", "SETUSER", "farm", "on", ">secret", *rules.split())


def test_the_readmes_user_is_enough(tmp_path: Path, data_dir: Path) -> None:
    farm = Farm(tmp_path, data_dir)
    farm.redis = RedisWithUser(tmp_path / "redis")
    farm.redis.start()
    try:
        farm.start()
        farm.wait_ready()
        assert farm.ended(farm.submit(texts=["马云在杭州。", "联合国总部设在纽约。"]))["status"] == "succeeded"
        assert farm.post("/ner", {"text": "马云在杭州。"}).status_code == 200
        cancelled = farm.delete(f"/api/v1/jobs/{farm.submit(text='他住在上海。' * 20000)}")
        assert cancelled.status_code == 200
        assert farm.get("/metrics").status_code == 200
        for name in list(farm.processes):
            assert farm.stop(name) in (0, -15), farm.log(name)
            assert "NOPERM" not in farm.log(name)
            assert "no permissions" not in farm.log(name)
    finally:
        farm.clear_away()
