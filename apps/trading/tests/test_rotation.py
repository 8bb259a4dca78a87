"""Keys of accounts move to a new sealing key; each can be opened before, while and after that."""

import io

import pytest
from django.core.management import CommandError, call_command
from msgspec.structs import replace

from apps.feeds.tests import canaries
from apps.trading.credentials import keyring, keys, rotation
from apps.trading.credentials.rotation import forget_old, rotate
from apps.trading.credentials.sealing import NotOfThisRow, Sealed, UnknownKey
from apps.trading.models import AccountKey
from apps.trading.tests.key_rows import KEYS, account, as_web_process, probed, trader
from apps.users.models import Audit
from apps.users.selectors import verify_audit
from apps.users.services import SYSTEM, Actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def files(settings, tmp_path) -> keyring.KeyFiles:
    files = as_web_process(settings, tmp_path)
    settings.CT_SEAL_PRIVATE_KEYS_FILE = files.private
    return files


@pytest.fixture
def anna() -> Actor:
    return trader()


def filled(anna: Actor, count: int = 3) -> list[AccountKey]:
    kept = [replace(KEYS, secret=f"{KEYS.secret}-{number}") for number in range(count)]
    return [
        keys.keep(account=account(f"account {number}"), found=probed(one), actor=anna)
        for number, one in enumerate(kept)
    ]


def turn(files: keyring.KeyFiles, **more) -> rotation.Rotation:
    return rotate(private=files.private, public=files.public, actor=SYSTEM, **more)


def all_open(rows: list[AccountKey]) -> bool:
    return [keys.open_key(row.pk).secret for row in rows] == [f"{KEYS.secret}-{at}" for at in range(len(rows))]


class Killed(BaseException):
    """What no code of ours catches."""


def test_all_keys_move_to_a_new_one_and_still_open(files, anna):
    rows, old = filled(anna), keys.public_key().key_id
    done = turn(files)
    assert (done.made_key, done.resealed, done.unreadable, done.old_keys) == (True, 3, (), (old,))
    assert set(AccountKey.objects.values_list("key_id", "version")) == {(keys.public_key().key_id, 2)}
    assert keys.public_key().key_id != old
    assert all_open(rows)


def test_several_transactions_leave_no_row_out(files, anna, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 2)
    rows, told = filled(anna, 5), []
    assert turn(files, told=told.append).resealed == 5
    assert told == [2, 4, 5]
    assert all_open(rows)


def test_the_old_private_key_goes_when_it_is_given_up_and_not_before(files, anna):
    rows, old = filled(anna), keys.public_key().key_id
    assert forget_old(private=files.private, actor=SYSTEM) == ()
    turn(files)
    assert old in keyring.read_ring(files.private).ids()
    assert forget_old(private=files.private, actor=SYSTEM) == (old,)
    assert keyring.read_ring(files.private).ids() == (keys.public_key().key_id,)
    assert all_open(rows)
    assert Audit.objects.get(action="keys.forget").before == {"key_ids": [old]}


def test_an_old_row_that_is_put_back_opens_no_more(files, anna):
    [row] = filled(anna, 1)
    old = Sealed(row.key_id, bytes(row.sealed))
    turn(files)
    AccountKey.objects.filter(pk=row.pk).update(key_id=old.key_id, sealed=old.box)
    with pytest.raises(NotOfThisRow):
        keys.open_key(row.pk)
    AccountKey.objects.filter(pk=row.pk).update(version=row.version)  # whole: the old private key decides
    assert keys.open_key(row.pk).secret == f"{KEYS.secret}-0"
    AccountKey.objects.filter(pk=row.pk).update(key_id="0" * 16)
    with pytest.raises(UnknownKey):
        keys.open_key(row.pk)


def test_a_key_that_an_old_public_half_sealed_is_taken_along_before_the_old_one_goes(settings, files, anna):
    former = keys.public_key().text
    turn(files)
    settings.CT_SEAL_PUBLIC_KEY = former  # a web process that was not started again
    rows = filled(anna)
    assert forget_old(private=files.private, actor=SYSTEM) == ()
    done = turn(files)
    assert (done.made_key, done.resealed) == (False, 3)
    assert len(forget_old(private=files.private, actor=SYSTEM)) == 1
    assert all_open(rows)


def test_what_was_interrupted_is_finished_before_another_key_is_made(files, anna, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 2)
    rows = filled(anna, 5)

    def killed(count: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        turn(files, told=killed)
    assert all_open(rows)
    assert len(set(AccountKey.objects.values_list("key_id", flat=True))) == 2
    done = turn(files)
    assert (done.made_key, done.resealed) == (False, 3)
    assert len(keyring.read_ring(files.private).keys) == 2
    assert turn(files).made_key


def test_a_run_that_was_interrupted_before_its_last_word_says_it_the_next_time(files, anna, monkeypatch):
    rows = filled(anna)

    def killed(count: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        turn(files, told=killed)  # all rows are done
    done = turn(files)
    assert (done.made_key, done.resealed) == (False, 0)
    assert all_open(rows)


def test_the_trail_tells_begin_and_end_and_no_secret(files, anna):
    filled(anna)
    turn(files)
    end, begin = Audit.objects.filter(action__startswith="keys.")
    assert (begin.action, end.action) == ("keys.rotate", "keys.rotated")
    assert begin.object == end.object == f"sealing key {keys.public_key().key_id}"
    assert end.after == {"resealed": 3, "unreadable": []}
    assert verify_audit().intact
    assert canaries.found(str(list(Audit.objects.values())), KEYS) == []


def test_a_row_that_opens_no_more_holds_up_no_other_and_is_named(files, anna):
    rows = filled(anna)
    AccountKey.objects.filter(pk=rows[1].pk).update(sealed=rows[0].sealed)
    done = turn(files)
    assert (done.resealed, done.unreadable) == (2, (rows[1].pk,))
    assert Audit.objects.get(action="keys.rotated").result == "incomplete"
    assert forget_old(private=files.private, actor=SYSTEM) == ()  # its owner may still mend it


def test_rows_can_be_moved_without_a_new_key(files, anna):
    filled(anna)
    assert not turn(files, new_key=False).made_key
    assert len(keyring.read_ring(files.private).keys) == 1


def test_two_rotations_at_once_are_one_too_many(files):
    with keyring.alone(files.private), pytest.raises(keyring.RingBusy):
        turn(files)


# the command


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("rotate_keys", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_of_the_embedded_run_finds_its_files(settings, files, anna):
    rows = filled(anna)
    settings.CT_SEAL_PRIVATE_KEYS_FILE = None  # as everywhere but in the executors
    assert "3 sealed to a new key" in run()
    assert "forgotten: " in run("--forget-old")
    settings.CT_SEAL_PRIVATE_KEYS_FILE = files.private
    assert all_open(rows)


def test_the_command_tells_a_deployment_its_new_public_key(settings, files):
    settings.CT_EMBEDDED = False
    said = run("--private-keys", str(files.private))
    assert f"CT_SEAL_PUBLIC_KEY={keyring.read_ring(files.private).current.text}" in said
    assert "private" not in said


def test_the_command_fails_with_one_line(settings, files, anna):
    rows = filled(anna)
    AccountKey.objects.filter(pk=rows[1].pk).update(sealed=b"")
    with pytest.raises(CommandError, match=f"1 accounts .*: {rows[1].pk}"):
        run()
    with pytest.raises(CommandError, match="No such file"):
        run("--private-keys", str(files.private) + "x")
    settings.CT_EMBEDDED, settings.CT_SEAL_PRIVATE_KEYS_FILE = False, None
    with pytest.raises(CommandError, match="where are the private keys"):
        run()


def test_a_deployment_makes_its_first_key_with_a_command(tmp_path):
    out = io.StringIO()
    where = ["--private", str(tmp_path / "ring"), "--public", str(tmp_path / "public")]
    call_command("make_keys", *where, stdout=out)
    assert out.getvalue().strip() == f"CT_SEAL_PUBLIC_KEY={keyring.read_public(tmp_path / 'public').text}"
    call_command("make_keys", *where, stdout=io.StringIO())
    assert len(keyring.read_ring(tmp_path / "ring").keys) == 1
    (tmp_path / "ring").chmod(0o444)
    with pytest.raises(CommandError, match="others"):
        call_command("make_keys", *where)
