"""The files of the sealing keys: made once, whole, and the private ring for its owner's eyes only."""

import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from apps.trading.credentials import keyring
from apps.trading.credentials.keyring import KeyFileRefused, KeyFiles, RingBusy
from apps.trading.credentials.sealing import KeyRing, Place
from tests.fixtures.captures import ROOT

ROW = Place(table="account_key", pk=1, user_id=1, version=1)


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    files = keyring.embedded(tmp_path)
    keyring.make_once(files)
    return files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_sealed_with_one_file_opens_with_the_other(files: KeyFiles):
    sealed = keyring.read_public(files.public).seal(b"value", ROW)
    assert keyring.read_ring(files.private).open(sealed, ROW) == b"value"


def test_the_private_file_is_its_owners_alone_and_read_only(files: KeyFiles):
    assert mode(files.private) == 0o400
    assert mode(files.private.parent) == 0o700
    assert "private" not in files.public.read_text()


def test_keys_are_made_once(files: KeyFiles):
    before = files.private.read_text(), files.public.read_text()
    keyring.make_once(files)
    assert (files.private.read_text(), files.public.read_text()) == before


def test_those_who_start_together_make_one_key(tmp_path: Path):
    files = keyring.embedded(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        made = {key.key_id for key in threads.map(lambda _: keyring.make_once(files), range(8))}
    assert made == set(keyring.read_ring(files.private).ids())


def test_a_public_half_that_was_lost_or_left_behind_is_written_again(files: KeyFiles):
    right = files.public.read_text()
    files.public.unlink()
    keyring.make_once(files)
    assert files.public.read_text() == right
    keyring.change(files.private, keyring.read_ring(files.private).with_new())
    keyring.make_once(files)
    assert keyring.read_public(files.public).key_id == keyring.read_ring(files.private).current.key_id


@pytest.mark.parametrize("open_to", [0o440, 0o404, 0o644, 0o420])
def test_a_private_file_that_others_may_touch_is_refused(files: KeyFiles, open_to: int):
    files.private.chmod(open_to)
    with pytest.raises(KeyFileRefused, match="others"):
        keyring.read_ring(files.private)


def test_a_public_file_that_others_may_write_is_refused(files: KeyFiles):
    files.public.chmod(0o666)
    with pytest.raises(KeyFileRefused, match="others"):
        keyring.read_public(files.public)


def test_a_file_that_is_missing_or_no_file_is_named(files: KeyFiles, tmp_path: Path):
    with pytest.raises(KeyFileRefused, match="absent: No such file"):
        keyring.read_ring(tmp_path / "absent")
    os.mkfifo(tmp_path / "pipe", 0o400)
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(KeyFileRefused):
            keyring.read_ring(path)


def test_a_file_of_the_other_half_is_refused_without_being_repeated(files: KeyFiles):
    files.private.chmod(0o400)
    with pytest.raises(KeyFileRefused) as refused:
        keyring.read_public(files.private)
    assert "AAA" not in str(refused.value)
    assert files.private.read_text()[-20:-1] not in str(refused.value)
    files.public.chmod(0o400)
    with pytest.raises(KeyFileRefused):
        keyring.read_ring(files.public)


def test_only_one_changes_the_ring(files: KeyFiles):
    with keyring.alone(files.private), pytest.raises(RingBusy), keyring.alone(files.private):
        pytest.fail("two at once")
    with keyring.alone(files.private):
        pass


def test_a_failure_inside_is_not_taken_for_a_busy_ring(files: KeyFiles):
    with pytest.raises(BlockingIOError), keyring.alone(files.private):
        raise BlockingIOError


GROW = """
import sys
from pathlib import Path
from apps.trading.credentials import keyring
path = Path(sys.argv[1])
while True:
    with keyring.alone(path):
        ring = keyring.read_ring(path)
        print(ring.current.key_id, flush=True)
        keyring.change(path, ring.with_new() if len(ring.keys) < 20 else ring.without(ring.ids()[1:]))
"""


@pytest.mark.faults
def test_a_ring_whose_writer_is_killed_is_whole_and_free(files: KeyFiles):
    for turn in range(10):
        command = [sys.executable, "-c", GROW, str(files.private)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(3 + turn):
                assert writer.stdout.readline()
            time.sleep(turn / 1000)
            writer.send_signal(signal.SIGKILL)
        ring = keyring.read_ring(files.private)
        assert 1 <= len(ring.keys) <= 20
        with keyring.alone(files.private):
            keyring.change(files.private, ring)
        assert keyring.read_ring(files.private).ids() == ring.ids()
    left = {path.name for path in files.private.parent.iterdir()}
    assert left == {"seal.private", "seal.public", "seal.private.lock"}


def test_nothing_of_the_ring_is_lost_on_the_way_through_its_file(files: KeyFiles):
    ring = keyring.read_ring(files.private).with_new()
    assert keyring.change(files.private, ring).secret_text == ring.secret_text
    assert mode(files.private) == 0o400
    assert isinstance(ring, KeyRing)
