"""A person is called for an account with a key that no daemon looks after, until one does."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from apps.feeds import leases
from apps.feeds.models import Lease
from apps.trading.credentials import keys
from apps.trading.execution.controls.unattended import LONG_S, watch
from apps.trading.execution.gateway.opened import resource_of
from apps.trading.models import Account, AccountKey
from apps.trading.tests import key_rows
from apps.users.models import Alert

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(settings: Any, tmp_path: Path) -> Account:
    """With a key that was written an hour ago."""
    key_rows.as_web_process(settings, tmp_path)
    settings.CT_SIMULATOR_URL = "http://127.0.0.1:1"
    made = key_rows.account()
    Account.objects.filter(pk=made.pk).update(mode="testnet")
    made.refresh_from_db()
    keys.keep(account=made, found=key_rows.probed(), actor=key_rows.trader())
    AccountKey.objects.update(written_at=Now() - timedelta(hours=1))
    return made


def taken(account: Account) -> None:
    leases.acquire(holder="d1", resources=[resource_of(account.pk)], ttl_s=600.0)


def later(seconds: float) -> None:
    Lease.objects.update(expires_at=F("expires_at") - timedelta(seconds=seconds))


def called(account: Account) -> int:
    """Calls that stand."""
    return Alert.objects.filter(kind="UNATTENDED", scope="account", scope_id=str(account.pk), cleared_at=None).count()


def test_an_account_that_no_daemon_ever_took_calls_a_person_once_until_one_does(account: Account):
    assert [watch(), watch(), called(account)] == [1, 1, 1]
    assert not Alert.objects.get().escalates
    taken(account)
    assert (watch(), called(account)) == (0, 0)


def test_a_person_is_called_once_it_has_lasted_and_anew_when_it_comes_again(account: Account):
    taken(account)
    leases.release(holder="d1", resources=[resource_of(account.pk)])
    later(LONG_S - 10)
    assert watch() == 0
    later(20)
    assert (watch(), called(account)) == (1, 1)
    taken(account)
    watch()
    later(600 + LONG_S + 1)
    assert (watch(), called(account), Alert.objects.count()) == (1, 1, 2)


@pytest.mark.parametrize("values", [{"active": False}, {"mode": "paper"}], ids=["it is closed", "it is on paper"])
def test_what_needs_no_daemon_with_its_key_calls_nobody(account: Account, values: dict[str, Any]):
    watch()
    Account.objects.filter(pk=account.pk).update(**values)
    assert (watch(), called(account)) == (0, 0)


def test_a_key_that_was_just_written_and_one_that_is_gone_call_nobody(account: Account):
    AccountKey.objects.update(written_at=Now())
    assert watch() == 0
    AccountKey.objects.update(written_at=Now() - timedelta(hours=1))
    assert watch() == 1
    AccountKey.objects.all().delete()
    assert (watch(), called(account)) == (0, 0)


def test_an_account_of_the_simulator_calls_nobody_where_there_is_none(account: Account, settings: Any):
    settings.CT_SIMULATOR_URL = None
    assert watch() == 0
