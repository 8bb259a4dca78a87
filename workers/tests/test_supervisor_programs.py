"""How long the processes of the embedded run may take to stop, against what everybody promises."""

import os
import stat
from itertools import groupby
from pathlib import Path

import pytest

from apps.trading.credentials import keyring
from workers.leaving import THREADS_END_S
from workers.lifecycle import CannotStart
from workers.supervisor import programs
from workers.supervisor.__main__ import exchanges, own_processes, sealing_keys
from workers.supervisor.folder import Folder
from workers.supervisor.stack import LAST_WORDS_S, STOP_S

CTRL_C_S = 15.0


def stages() -> dict[int, int]:
    """Seconds that each stage of the stop may take: its processes stop together."""
    stores = [programs.redis(Path("redis-server"), Path("redis.conf")), programs.history(Path("history"), 8123, ())]
    table = sorted(
        [*stores, *exchanges(Folder(Path("var")), 8090), *own_processes()], key=lambda program: program.order
    )
    return {order: max(program.stop_s for program in stage) for order, stage in groupby(table, lambda one: one.order)}


def test_all_stages_together_end_before_the_stack_is_killed_and_that_before_ctrl_c_is_over():
    assert len(stages()) == 3
    assert sum(stages().values()) <= STOP_S
    assert STOP_S + LAST_WORDS_S < CTRL_C_S


def test_a_run_that_only_watches_has_no_worker_for_orders(settings):
    settings.CT_ROLE = "monitor"
    assert "orders" not in {program.name for program in own_processes()}


@pytest.mark.parametrize("role", ["monitor", "both"])
def test_a_daemon_settles_before_the_supervisor_kills_it(role: str):
    daemon = programs.daemon(role)
    told = dict(zip(daemon.command[3::2], daemon.command[4::2], strict=True))
    assert float(told["--settle-s"]) + THREADS_END_S < daemon.stop_s


def told_of(programs_text: str, path: Path) -> set[str]:
    """Names of the programs whose section names `path`."""
    sections = programs_text.split("[program:")[1:]
    return {section.partition("]")[0] for section in sections if str(path) in section}


def test_only_executors_are_told_where_the_private_keys_are(tmp_path: Path):
    secret = tmp_path / "keys of 100 %" / 'it\'s "private"'
    text = programs.configuration(own_processes(secret), Folder(tmp_path), tmp_path)
    assert told_of(text, Path("keys of 100 %%")) == {"daemon", "orders"}
    watching = programs.configuration([programs.daemon("monitor", secret)], Folder(tmp_path), tmp_path)
    assert "CT_SEAL" not in watching


def test_the_embedded_run_makes_its_sealing_keys_and_tells_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CT_SEAL_PRIVATE_KEYS_FILE", raising=False)
    path = sealing_keys(Folder(tmp_path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert sealing_keys(Folder(tmp_path)) == path
    given = tmp_path / "own" / "ring"
    monkeypatch.setenv("CT_SEAL_PRIVATE_KEYS_FILE", str(given))
    assert sealing_keys(Folder(tmp_path)) == given
    assert "CT_SEAL_PRIVATE_KEYS_FILE" not in os.environ
    public = keyring.read_public(keyring.embedded(tmp_path).public)
    assert public.key_id == keyring.read_ring(given).current.key_id


def test_sealing_keys_that_others_may_read_stop_the_start(tmp_path: Path):
    path = sealing_keys(Folder(tmp_path))
    path.chmod(0o444)
    with pytest.raises(CannotStart, match=r"sealing keys: .*others"):
        sealing_keys(Folder(tmp_path))


def test_nobody_who_writes_to_the_database_gives_way_to_others():
    """SQLite has one lock for all: who holds it must not wait for a processor."""
    assert {program.name for program in own_processes() if program.nice} == {"beat"}
