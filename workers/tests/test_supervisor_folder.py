"""The checks before anything starts, and what is kept between runs."""

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fixtures.ports import free_port
from workers.supervisor.folder import GIVEN, PORTS, CannotStart, Folder, check_port, free_ports


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "var")
    made.create()
    return made


def test_a_second_run_on_the_same_folder_is_told_who_holds_it(folder: Folder):
    with ExitStack() as first, ExitStack() as second:
        folder.lock(first)
        with pytest.raises(CannotStart, match=r"already running .* stop it with kill \d+"):
            folder.lock(second)


def test_the_folder_is_free_again_after_the_run(folder: Folder):
    for _ in range(2):
        with ExitStack() as run:
            folder.lock(run)


def test_a_run_waits_for_the_processes_of_the_one_before(folder: Folder):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as former:
        (folder.run / "supervisord.pid").write_text(f"{former.pid}\n")
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(folder.await_former)
            assert not wait([waiting], timeout=0.15).done
            former.communicate(b"\n")
            waiting.result(timeout=30)


@pytest.mark.parametrize("left", ["", "no number"])
def test_a_damaged_pid_file_is_not_waited_for(folder: Folder, left: str):
    (folder.run / "supervisord.pid").write_text(left)
    folder.await_former()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match=r"cannot write to .*/file/var.* CT_DATA_DIR="):
        Folder(tmp_path / "file" / "var").create()


def test_only_the_owner_reads_what_runs(folder: Folder):
    assert {path.stat().st_mode & 0o777 for path in (folder.root, folder.run)} == {0o700}


def test_a_folder_from_before_is_closed_to_other_users(tmp_path: Path):
    root = tmp_path / "var"
    root.mkdir()
    root.chmod(0o775)
    Folder(root).create()
    assert root.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_everybodys_is_refused_and_stays_as_it_is(tmp_path: Path):
    tmp_path.chmod(0o1777)
    with pytest.raises(CannotStart, match=r"everybody's: CT_DATA_DIR=.*/ct make run"):
        Folder(tmp_path).create()
    assert tmp_path.stat().st_mode & 0o7777 == 0o1777
    assert list(tmp_path.iterdir()) == []


def test_a_taken_web_port_is_named_with_another_to_try():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"port {port}: .* PORT=\d+ make run"):
            check_port(port)


def test_a_free_web_port_passes():
    check_port(free_port())


@pytest.mark.skipif(not GIVEN.exists(), reason="nobody tells here which ports the kernel gives away")
def test_a_server_that_starts_later_gets_no_port_that_a_connection_may_take_meanwhile():
    first_given = int(GIVEN.read_text().split()[0])
    assert all(port < first_given for _ in range(5) for port in free_ports([None] * 3))


def test_servers_keep_their_ports_from_run_to_run(folder: Folder):
    first = folder.ports()
    assert set(first) == set(PORTS)
    assert len(set(first.values())) == len(PORTS)
    assert folder.ports() == first


def test_a_port_that_somebody_took_is_replaced_and_the_others_stay(folder: Folder):
    first = folder.ports()
    with socket.create_server(("127.0.0.1", first["redis"])):
        second = folder.ports()
    assert second["redis"] != first["redis"]
    assert second["history"] == first["history"]


def test_a_damaged_list_of_ports_is_made_anew(folder: Folder):
    (folder.run / "ports.json").write_text("{")
    assert set(folder.ports()) == set(PORTS)
