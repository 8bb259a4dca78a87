"""A rotation whose process is killed again and again: no key is ever lost, and the last run finishes the work.

CT_EXAMPLES above 1 makes it as long as the specification has it: 10,000 rows and 20 kills.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from django.db import connection
from msgspec.structs import replace

from apps.feeds.orders import Credentials
from apps.trading.credentials import keyring
from apps.trading.credentials.keys import TABLE, place_of, sealed_of
from apps.trading.credentials.rotation import BATCH
from apps.trading.credentials.sealing import Place
from apps.trading.models import Account, AccountKey
from apps.trading.tests.key_rows import KEYS, account, as_web_process, trader
from apps.users.models import Audit
from apps.users.selectors import verify_audit
from tests.fixtures.captures import ROOT
from tests.sizes import examples

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

ROWS, KILLS = (10_000, 20) if examples(1) > 1 else (2_000, 6)


@pytest.fixture
def files(settings, tmp_path: Path) -> keyring.KeyFiles:
    return as_web_process(settings, tmp_path)


def environment(folder: Path) -> dict[str, str]:
    """For a process that works on the database of this test."""
    name = connection.settings_dict["NAME"]
    url = f"sqlite:///{name}"
    if connection.vendor == "mysql":
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    return {**os.environ, "DATABASE_URL": url, "CT_DATA_DIR": str(folder), "CT_EMBEDDED": "1"}


def key_of(number: int) -> Credentials:
    return replace(KEYS, secret=f"secret of {number}")


def fill(files: keyring.KeyFiles, user_id: int) -> None:
    public, first = keyring.read_public(files.public), account("0")
    accounts = [
        Account(pk=first.pk + at, name=str(at), exchange=first.exchange, market_type="spot") for at in range(ROWS)
    ]
    Account.objects.bulk_create(accounts[1:], batch_size=500)
    rows = []
    for one in accounts:
        place = Place(table=TABLE, pk=one.pk, user_id=user_id, version=1)
        sealed = public.seal(msgspec.json.encode(key_of(one.pk)), place)
        rows.append(AccountKey(account=one, user_id=user_id, version=1, key_id=sealed.key_id, sealed=sealed.box))
    AccountKey.objects.bulk_create(rows, batch_size=500)


class Stepwise:
    """A process that rotates, and waits for a word after each transaction."""

    CODE = """
import sys, django
django.setup()
from django.conf import settings
from apps.trading.credentials import keyring, rotation
from apps.users.services import SYSTEM
def told(count):
    print(count, flush=True)
    sys.stdin.readline()
files = keyring.embedded(settings.CT_DATA_DIR)
rotation.rotate(private=files.private, public=files.public, actor=SYSTEM, told=told)
"""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.CODE],
            cwd=ROOT,
            env={**environment(folder), "DJANGO_SETTINGS_MODULE": "ctweb.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def step(self) -> None:
        """Let it begin the next transaction."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def await_step(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()
        assert self.process.returncode == -signal.SIGKILL


def unreadable(files: keyring.KeyFiles) -> Iterator[int]:
    """Accounts whose key is not what it was."""
    ring = keyring.read_ring(files.private)
    for row in AccountKey.objects.iterator():
        if msgspec.json.decode(ring.open(sealed_of(row), place_of(row)), type=Credentials) != key_of(row.pk):
            yield row.pk


def test_a_rotation_that_is_killed_loses_no_key_and_is_finished_by_the_next(files: keyring.KeyFiles, tmp_path: Path):
    fill(files, trader().user_id)
    for kill in range(KILLS):
        rotating = Stepwise(tmp_path)
        for _ in range(kill % 3):
            rotating.await_step()
            rotating.step()
        rotating.await_step()
        rotating.step()
        time.sleep(kill * 0.002)  # anywhere in the transaction that is under way
        rotating.kill()
        assert list(unreadable(files)) == []
    left = AccountKey.objects.exclude(key_id=keyring.read_ring(files.private).current.key_id).count()
    assert 0 < left <= ROWS - KILLS * BATCH  # the kills came in the middle
    command = [sys.executable, "manage.py", "rotate_keys"]
    said = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=True)
    assert f"{left} sealed to the current key" in said.stdout
    ring = keyring.read_ring(files.private)
    assert len(ring.keys) == 2  # one rotation, however often it was begun
    assert set(AccountKey.objects.values_list("key_id", flat=True)) == {ring.current.key_id}
    assert keyring.read_public(files.public).key_id == ring.current.key_id
    assert list(unreadable(files)) == []
    assert [row.action for row in Audit.objects.all()] == ["keys.rotated", "keys.rotate"]
    assert verify_audit().intact
