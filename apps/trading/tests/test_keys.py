"""Keys of accounts: kept sealed, shown by their last four characters, opened by executors and nobody else."""

import json
import traceback

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.forms.models import model_to_dict
from msgspec.structs import replace

from apps.feeds.orders import Credentials
from apps.feeds.tests import canaries
from apps.trading.credentials import keyring, keys
from apps.trading.credentials.probing import Check, Outcome
from apps.trading.credentials.sealing import CannotOpen, NotOfThisRow, PrivateKey, UnknownKey
from apps.trading.models import AccountKey
from apps.trading.tests.key_rows import KEYS, account, as_web_process, probed, trader
from apps.users.models import Audit
from apps.users.selectors import verify_audit

pytestmark = pytest.mark.django_db


@pytest.fixture
def files(settings, tmp_path) -> keyring.KeyFiles:
    return as_web_process(settings, tmp_path)


@pytest.fixture
def executor(settings, files) -> None:
    """This process may open keys."""
    settings.CT_SEAL_PRIVATE_KEYS_FILE = files.private


def test_a_kept_key_opens_for_an_executor(executor):
    row = keys.keep(account=account(), found=probed(), actor=trader())
    assert keys.open_key(row.pk) == KEYS


def test_of_a_kept_key_only_the_last_four_of_its_id_can_be_read(files):
    row = keys.keep(account=account(), found=probed(), actor=trader())
    row.refresh_from_db()
    assert row.hint == KEYS.key[-4:]
    shown = f"{row!r} {row} {model_to_dict(row)} {list(Audit.objects.values())} {bytes(row.sealed)!r}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM account_key")
        shown += repr(cursor.fetchall())
    assert canaries.found(shown, KEYS) == []


def test_a_short_key_shows_nothing(files):
    assert keys.keep(account=account(), found=probed(replace(KEYS, key="short")), actor=trader()).hint == ""


def test_what_is_kept_is_told_by_the_trail(files):
    actor, row = trader(), account()
    keys.keep(account=row, found=probed(), actor=actor, reason="first")
    keys.keep(account=row, found=probed(replace(KEYS, key="another-key-9c1f5d")), actor=actor)
    newer, older = Audit.objects.filter(action="key.set")[:2]
    assert (older.object, older.user, older.reason, older.before) == (f"account {row.pk}", "anna", "first", None)
    assert older.after["permissions"]["withdraw"] is False
    assert (newer.before["hint"], newer.after["hint"]) == (KEYS.key[-4:], "1f5d")
    assert (newer.before["version"], newer.after["version"]) == (1, 2)
    assert verify_audit().intact


def test_the_name_of_the_account_at_the_exchange_is_kept_where_requests_find_it(files):
    row = account()
    keys.keep(account=row, found=probed(), actor=trader())
    row.refresh_from_db()
    assert row.exchange_account == KEYS.account


@pytest.mark.parametrize(
    "told", [{"withdraw": True}, {"trade_spot": False}, {"read": False}, {"withdraw": True, "trade_spot": None}]
)
def test_a_key_that_may_withdraw_or_cannot_trade_is_not_kept_and_the_trail_says_so(files, told: dict[str, bool]):
    row = account()
    with pytest.raises(keys.KeyRefused) as refused:
        keys.keep(account=row, found=probed(**told), actor=trader(), cannot_withdraw=True)
    assert not AccountKey.objects.exists()
    assert canaries.found(f"{refused.value!r} {refused.value.findings}", KEYS) == []
    assert Audit.objects.get(action="key.set").result == "refused"


def test_a_refused_key_leaves_the_former_one_in_place(executor):
    row, actor = account(), trader()
    keys.keep(account=row, found=probed(), actor=actor)
    with pytest.raises(keys.KeyRefused):
        keys.keep(account=row, found=probed(replace(KEYS, key="x" * 20), withdraw=True), actor=actor)
    assert keys.open_key(row.pk) == KEYS


def test_where_the_exchange_does_not_tell_a_person_has_to_know_that_it_cannot_withdraw(files):
    row, actor = account(), trader()
    with pytest.raises(keys.KeyRefused, match="confirm") as refused:
        keys.keep(account=row, found=probed(withdraw=None), actor=actor)
    assert [one.check for one in refused.value.findings if one.outcome is Outcome.FAILED] == [Check.WITHDRAW]
    assert keys.keep(account=row, found=probed(withdraw=None), actor=actor, cannot_withdraw=True).version == 1


def test_a_process_without_the_private_keys_opens_nothing_and_the_trail_says_that_it_tried(files):
    row = keys.keep(account=account(), found=probed(), actor=trader())
    with pytest.raises(keys.NotAnExecutor):
        keys.open_key(row.pk)
    tried = Audit.objects.get(action="key.open")
    assert (tried.object, tried.result, tried.reason) == (f"account {row.pk}", "refused", "NotAnExecutor")


def test_keys_of_two_rows_that_were_swapped_stay_closed(executor):
    actor = trader()
    first, second = (keys.keep(account=account(name), found=probed(), actor=actor) for name in ("first", "second"))
    AccountKey.objects.filter(pk=first.pk).update(sealed=second.sealed)
    with pytest.raises(NotOfThisRow):
        keys.open_key(first.pk)
    assert Audit.objects.get(action="key.open").reason == "NotOfThisRow"
    assert keys.open_key(second.pk) == KEYS


def test_a_key_pasted_into_the_row_of_another_owner_stays_closed(executor):
    row = keys.keep(account=account(), found=probed(), actor=trader())
    AccountKey.objects.filter(pk=row.pk).update(user_id=trader("boris").user_id)
    with pytest.raises(NotOfThisRow):
        keys.open_key(row.pk)


def test_a_former_key_that_is_put_back_stays_closed(executor):
    row, actor = account(), trader()
    former = keys.keep(account=row, found=probed(), actor=actor).sealed
    keys.keep(account=row, found=probed(), actor=actor)
    AccountKey.objects.filter(pk=row.pk).update(sealed=former)
    with pytest.raises(NotOfThisRow):
        keys.open_key(row.pk)


@pytest.mark.parametrize("spoil", [lambda box: box[:-1], lambda box: b"", lambda box: box + b"\0"])
def test_a_key_that_was_cut_or_grown_stays_closed(executor, spoil):
    row = keys.keep(account=account(), found=probed(), actor=trader())
    AccountKey.objects.filter(pk=row.pk).update(sealed=spoil(bytes(row.sealed)))
    with pytest.raises(NotOfThisRow):
        keys.open_key(row.pk)


def test_a_key_sealed_to_another_systems_ring_stays_closed(executor):
    row = keys.keep(account=account(), found=probed(), actor=trader())
    stranger = PrivateKey.generate().public.seal(b"{}", keys.place_of(row))
    AccountKey.objects.filter(pk=row.pk).update(sealed=stranger.box, key_id=stranger.key_id)
    with pytest.raises(UnknownKey):
        keys.open_key(row.pk)


def test_what_was_sealed_and_is_no_key_is_refused_without_being_shown(executor):
    row = keys.keep(account=account(), found=probed(), actor=trader())
    sealed = keys.public_key().seal(json.dumps({"key": 1, "secret": KEYS.secret}).encode(), keys.place_of(row))
    AccountKey.objects.filter(pk=row.pk).update(sealed=sealed.box)
    with pytest.raises(CannotOpen) as refused:
        keys.open_key(row.pk)
    assert canaries.found("".join(traceback.format_exception(refused.value)), KEYS) == []


def test_a_ring_that_others_may_read_opens_nothing(executor, files):
    row = keys.keep(account=account(), found=probed(), actor=trader())
    files.private.chmod(0o444)
    with pytest.raises(keyring.KeyFileRefused):
        keys.open_key(row.pk)
    assert Audit.objects.get(action="key.open").reason == "KeyFileRefused"


def test_an_account_without_a_key_has_none_to_open(executor):
    with pytest.raises(AccountKey.DoesNotExist):
        keys.open_key(account().pk)


def test_a_removed_key_is_gone_and_the_trail_says_who_did_it(files):
    row, actor = account(), trader()
    keys.keep(account=row, found=probed(), actor=actor)
    assert keys.remove(account=row, actor=actor, reason="leaked")
    assert not AccountKey.objects.exists()
    assert Audit.objects.get(action="key.remove").before["hint"] == KEYS.key[-4:]
    assert not keys.remove(account=row, actor=actor)


def test_a_deployment_without_a_public_key_takes_no_keys(settings, files):
    settings.CT_EMBEDDED = False
    with pytest.raises(keys.NoSealingKey, match="CT_SEAL_PUBLIC_KEY"):
        keys.keep(account=account(), found=probed(), actor=trader())
    assert not AccountKey.objects.exists()


def test_the_setting_comes_before_the_file_of_the_embedded_run(settings, files):
    settings.CT_SEAL_PUBLIC_KEY = PrivateKey.generate().public.text
    assert keys.public_key().text == settings.CT_SEAL_PUBLIC_KEY
    settings.CT_SEAL_PUBLIC_KEY = None
    assert keys.public_key().key_id == keyring.read_ring(files.private).current.key_id


@pytest.mark.parametrize(
    ("field", "value"),
    [("key", ""), ("secret", ""), ("key", " k"), ("secret", "s\0"), ("passphrase", "пароль"), ("secret", "s" * 501)],
)
def test_a_form_that_cannot_be_right_is_refused_by_field_without_being_repeated(field: str, value: str):
    with pytest.raises(ValidationError) as refused:
        keys.check_form(Credentials(**{"key": "k", "secret": "s", field: value}))
    assert list(refused.value.message_dict) == [field]
    assert not value.strip() or value not in str(refused.value)
