"""A farm whose Redis user may run the commands of `deploy/redis.acl` on the farm's keys, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from shared.settings import PROJECT_ROOT
from tests.integration.test_flower import shown, wait_until_flower_listens
from tests.support.farm import Farm
from tests.support.redis_server import RedisServer

# Commands that a farm needs, but not in the test below: for losses, crowded nodes, and a database other than 0.
RARE = {"select", "hkeys", "hsetnx", "xclaim", "zremrangebyscore", "unsubscribe"}


class RedisWithUser(RedisServer):
    """A Redis whose users are those of the file. Tests ask it as the administrator ``root``."""

    @property
    def url(self) -> str:
        """Its address, for the farm's user."""
        return f"redis://farm:secret@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and make the users."""
        super().start()
        with Redis(port=self.port) as client:
            client.execute_command("ACL", "SETUSER", "root", "on", ">root", "~*", "&*", "+@all")
        with self.root() as client:
            for line in (PROJECT_ROOT / "deploy" / "redis.acl").read_text(encoding="utf-8").splitlines():
                _, name, *rules = line.replace("PASSWORD", "secret").split()
                client.execute_command("ACL", "SETUSER", name, *rules)

    def root(self) -> Redis:
        """A client that may do everything."""
        return Redis(port=self.port, username="root", password="root", decode_responses=True)


@pytest.fixture
def redis_with_user(tmp_path: Path) -> Iterator[RedisWithUser]:
    server = RedisWithUser(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


def test_the_user_of_the_file_is_enough_and_may_do_no_more_than_is_needed(
    redis_with_user: RedisWithUser, tmp_path: Path, data_dir: Path
) -> None:
    farm = Farm(tmp_path, data_dir)
    farm.redis = redis_with_user
    try:
        farm.start()
        farm.wait_ready()
        wait_until_flower_listens(farm)
        texts = ["马云在杭州。", "联合国总部设在纽约。"]
        job = farm.submit(texts=texts)
        assert farm.ended(job)["status"] == "succeeded"
        assert shown(farm, job)["state"] == "SUCCESS"
        again = farm.post("/api/v1/jobs", {"texts": texts}).json()
        assert [result["cached"] for result in again["results"]] == [True, True]
        once = farm.post("/api/v1/jobs", {"text": "他在广州。"}, headers={"Idempotency-Key": "one"}).json()
        assert farm.ended(once["id"])["status"] == "succeeded"
        assert farm.post("/ner", {"text": "李四在北京。"}).status_code == 200
        cancelled = farm.submit(text="他住在上海。" * 20000)
        assert farm.delete(f"/api/v1/jobs/{cancelled}").status_code == 200
        long = farm.submit(text="她住在南京。" * 2000)
        assert farm.ended(long)["status"] == "succeeded"
        assert farm.get("/metrics").status_code == 200
        assert farm.get("/api/v1/farm").status_code == 200
        workers = farm.http.get(f"{farm.flower_url}/api/workers", params={"refresh": "1"}, timeout=30)
        assert workers.status_code == 200
        assert farm.http.get(f"{farm.flower_url}/workers", timeout=30).status_code == 200
        for name in list(farm.processes):
            assert farm.stop(name) in (0, -15), farm.log(name)
            assert "NOPERM" not in farm.log(name)
            assert "no permissions" not in farm.log(name)
        with redis_with_user.root() as root:
            refused = [(entry["object"], entry["context"]) for entry in root.acl_log()]
            used = {
                name.removeprefix("cmdstat_")
                for name, stat in root.info("commandstats").items()
                if stat["calls"] > stat["rejected_calls"]
            }
        assert refused == []
        assert allowed_commands() - used <= RARE
    finally:
        farm.clear_away()


@pytest.mark.parametrize(
    "command",
    [
        "GET other:key",
        "SET other:key value",
        "KEYS *",
        "SCAN 0",
        "FLUSHALL",
        "CONFIG GET requirepass",
        "ACL LIST",
        "EVAL return(redis.call('GET','other:key')) 0",
        "PUBLISH other:channel text",
        "PSUBSCRIBE *",
        "SCRIPT KILL",
        "CLIENT LIST",
        "MONITOR",
        "SHUTDOWN",
        "REPLICAOF 127.0.0.1 1",
        "MODULE LIST",
    ],
)
def test_the_user_may_do_nothing_else(redis_with_user: RedisWithUser, command: str) -> None:
    with Redis.from_url(redis_with_user.url) as client, pytest.raises(NoPermissionError):
        client.execute_command(*command.split())


def test_without_a_password_nobody_gets_in(redis_with_user: RedisWithUser) -> None:
    with Redis(port=redis_with_user.port) as client, pytest.raises(Exception, match="Authentication required"):
        client.ping()


def allowed_commands() -> set[str]:
    return set(re.findall(r"\+([a-z|]+)", (PROJECT_ROOT / "deploy" / "redis.acl").read_text(encoding="utf-8")))
