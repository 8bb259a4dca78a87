"""Wallets of futures accounts expect nothing of our fills, those of accounts that were there before included."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from apps.trading.models import Wallet
from apps.trading.tests import rows

pytestmark = pytest.mark.django_db


def test_what_was_expected_of_wallets_on_futures_is_forgotten_and_on_spot_kept():
    for market in ("futures", "spot"):
        account = rows.account(market_type=market)
        Wallet.objects.create(account=account, asset="USDT", free=9, total=9, expected=10_000)
    forget = import_module("apps.trading.migrations.0011_futures_expect_nothing").forget
    forget(apps, SimpleNamespace(connection=connection))
    found = Wallet.objects.filter(total=9).values_list("account__market_type", "expected")
    assert dict(found) == {"futures": None, "spot": 10_000}


def test_no_default_account_on_futures_expects_anything():
    assert not Wallet.objects.filter(account__market_type="futures").exclude(expected=None).exists()
