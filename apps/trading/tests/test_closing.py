"""What a flatten closes and what it leaves, and why."""

from decimal import Decimal
from typing import Any

import pytest

from apps.trading.halts import closing
from apps.trading.halts.closing import BEFORE, CLOSED, ELSEWHERE
from apps.trading.models import Account, Position, Wallet
from apps.trading.risk.view import Scope
from apps.trading.tests import rows

pytestmark = pytest.mark.django_db


def held(account: Account, name: str = "BTC/USDT", **values: Any) -> Position:
    pair = rows.pair(name, account.exchange.code, account.market_type)
    return Position.objects.create(account=account, pair=pair, **values)


def told(account: Account) -> list[tuple[str, str, Decimal, Decimal, str]]:
    found = closing.holdings(Scope.ACCOUNT, str(account.pk))
    return [(each.pair, each.side, each.amount, each.left, each.why) for each in found]


def closed(account: Account) -> list[Decimal]:
    return [row.amount for row in closing.positions(Scope.ACCOUNT, str(account.pk))]


def test_what_fills_have_made_is_closed_and_what_was_there_before_stays():
    account = rows.account(market_type="futures")
    held(account, amount=2, opening=3, told_amount=5)
    assert told(account) == [("BTC/USDT", "net", 2, 3, BEFORE)]
    assert closed(account) == [2]


def test_what_only_the_exchange_tells_of_stays():
    account = rows.account(market_type="futures")
    held(account, amount=2, told_amount=5)
    held(account, "ETH/USDT", told_amount=-1, side="short")
    assert told(account) == [("BTC/USDT", "net", 2, 3, ELSEWHERE), ("ETH/USDT", "short", 0, -1, ELSEWHERE)]
    assert closed(account) == [2]


def test_what_is_flat_or_was_closed_is_not_told():
    account = rows.account(market_type="futures")
    held(account, amount=0, told_amount=0)
    held(account, "ETH/USDT", amount=1, told_amount=1)
    assert told(account) == [("ETH/USDT", "net", 1, 0, "")]


def test_nothing_is_closed_in_an_account_that_is_closed():
    account = rows.account(market_type="futures", active=False)
    held(account, amount=2, told_amount=2)
    assert told(account) == [("BTC/USDT", "net", 0, 2, CLOSED)]
    assert closed(account) == []


def test_coins_that_no_position_accounts_for_stay_and_money_is_not_named():
    account = rows.account()
    held(account, amount=2)
    for asset, total in (("BTC", 5), ("ETH", 1), ("USDT", 100), ("USDC", 7), ("SOL", 0)):
        Wallet.objects.create(account=account, asset=asset, total=total)
    assert told(account) == [
        ("BTC/USDT", "net", 2, 0, ""),
        ("BTC", "net", 0, 3, BEFORE),
        ("ETH", "net", 0, 1, BEFORE),
    ]


def test_of_a_trade_only_its_own_pair_is_told():
    account = rows.account()
    trade = rows.trade(account)
    held(account, amount=2)
    held(account, "ETH/USDT", amount=9)
    Wallet.objects.create(account=account, asset="ETH", total=9)
    Wallet.objects.create(account=account, asset="BTC", total=3)
    found = closing.holdings(Scope.TRADE, str(trade.pk))
    assert [(each.pair, each.amount, each.left) for each in found] == [("BTC/USDT", 2, 0), ("BTC", 0, 1)]
    assert [row.amount for row in closing.positions(Scope.TRADE, str(trade.pk))] == [2]


def test_of_what_was_bought_on_spot_fees_and_less_than_a_lot_are_not_there_to_be_closed():
    account = rows.account()
    lot = rows.pair().lot
    held(account, amount=Decimal(2) + lot / 2, fee_sums={"BTC": "0.5", "BNB": "1"})
    held(account, "ETH/USDT", amount="0.001", fee_sums={"ETH": "0.001"})
    assert told(account) == [("BTC/USDT", "net", Decimal("1.5"), 0, "")]
    assert closed(account) == [Decimal(2) + lot / 2]
