"""What the exchange tells is kept beside what our fills make of it, and a difference knows since when it is there."""

from decimal import Decimal

import pytest

from apps.feeds.market import Side
from apps.feeds.orders import Balance, Balances, Positions, PositionSide
from apps.feeds.orders import Position as Told
from apps.trading.bookkeeping import comparing, recording
from apps.trading.models import Account, FillSource, Position, Wallet
from apps.trading.tests import rows, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_bus(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


def balances(exchange_ms: int | None = None, whole: bool = True, **totals: str) -> Balances:
    found = [Balance(asset=asset, free=Decimal(total), total=Decimal(total)) for asset, total in totals.items()]
    return Balances(rows=found, whole=whole, exchange_ms=exchange_ms)


def wallets(account: Account) -> dict[str, Decimal]:
    return dict(Wallet.objects.filter(account=account).values_list("asset", "total"))


def tell_position(account: Account, amount: str | None, exchange_ms: int | None = None) -> int:
    pair = rows.pair(market_type="futures")
    held = (
        []
        if amount is None
        else [Told(symbol=pair.symbol, side=PositionSide.NET, amount=Decimal(amount), entry_price=Decimal(60_000))]
    )
    positions = Positions(rows=held, whole=True, exchange_ms=exchange_ms)
    return comparing.take_positions(account.pk, {pair.symbol: pair}, positions)


def test_balances_that_are_told_again_write_nothing():
    account = rows.account()
    assert comparing.take_balances(account.pk, balances(USDT="100", BTC="1")) == 2
    assert comparing.take_balances(account.pk, balances(USDT="100", BTC="1")) == 0


def test_what_a_whole_list_does_not_name_is_gone_and_what_a_part_does_not_name_stays():
    account = rows.account()
    comparing.take_balances(account.pk, balances(USDT="100", BTC="1"))
    comparing.take_balances(account.pk, balances(USDT="90", whole=False))
    assert wallets(account) == {"USDT": 90, "BTC": 1}
    comparing.take_balances(account.pk, balances(USDT="90"))
    assert wallets(account) == {"USDT": 90, "BTC": 0}


def test_an_older_word_about_a_wallet_is_not_taken():
    account = rows.account()
    comparing.take_balances(account.pk, balances(2_000, USDT="100"))
    comparing.take_balances(account.pk, balances(1_000, USDT="50"))
    assert wallets(account) == {"USDT": 100}


def test_what_was_there_before_our_first_fill_is_no_difference():
    account = rows.account()
    comparing.take_balances(account.pk, balances(USDT="100", BTC="1"))
    comparing.accept(account.pk)
    assert comparing.compare(account.pk) == []


def test_a_wallet_that_differs_remembers_since_when_until_it_is_right_again():
    order = told.sent()
    account = order.account
    comparing.take_balances(account.pk, balances(USDT="100000"))
    comparing.accept(account.pk)
    recording.record_fill(account.pk, told.instrument(order), told.fill(order, "1"), FillSource.WS)
    assert [each.what.partition(":")[0] for each in comparing.compare(account.pk)] == ["BTC", "USDT"]
    mine = Wallet.objects.filter(account=account)
    since = dict(mine.values_list("asset", "mismatch_since"))
    assert None not in (since["BTC"], since["USDT"])
    comparing.compare(account.pk)
    assert dict(mine.values_list("asset", "mismatch_since")) == since
    comparing.take_balances(account.pk, balances(USDT="93999.99", BTC="0.1"))
    assert comparing.compare(account.pk) == []
    assert set(mine.values_list("mismatch_since", flat=True)) == {None}


def test_less_than_a_lot_is_no_difference():
    order = told.sent()
    account = order.account
    comparing.take_balances(account.pk, balances(BTC="1"))
    comparing.accept(account.pk)
    lot = order.pair.lot
    comparing.take_balances(account.pk, balances(BTC=str(1 + lot)))
    assert comparing.compare(account.pk) == []
    comparing.take_balances(account.pk, balances(BTC=str(1 - 2 * lot)))
    assert [each.lots for each in comparing.compare(account.pk)] == [-2]


def test_a_position_is_compared_with_our_fills_and_with_what_was_there_before():
    order = told.sent(rows.account(market_type="futures"))
    account = order.account
    tell_position(account, "2")
    comparing.accept(account.pk)
    recording.record_fill(account.pk, told.instrument(order), told.fill(order, "1"), FillSource.WS)
    assert [each.lots * order.pair.lot for each in comparing.compare(account.pk)] == [Decimal("-0.1")]
    assert tell_position(account, "2.1") == 1
    assert comparing.compare(account.pk) == []
    assert tell_position(account, "2.1") == 0


def test_a_position_that_a_whole_list_does_not_name_is_closed():
    account = rows.account(market_type="futures")
    tell_position(account, "2")
    comparing.accept(account.pk)
    assert tell_position(account, None) == 1
    assert [each.lots < 0 for each in comparing.compare(account.pk)] == [True]
    assert Position.objects.get(account=account).told_amount == 0
    assert tell_position(account, None) == 0


def test_a_short_position_is_told_as_it_is():
    order = told.sent(rows.account(market_type="futures"), side="sell")
    comparing.accept(order.account_id)
    fill = told.fill(order, "1", side=Side.SELL)
    recording.record_fill(order.account_id, told.instrument(order), fill, FillSource.WS)
    tell_position(order.account, "-0.1")
    assert comparing.compare(order.account_id) == []


def test_an_account_that_was_never_reconciled_is_not_compared():
    account = rows.account(market_type="futures")
    tell_position(account, "2")
    assert comparing.compare(account.pk) == []
    comparing.accept(account.pk)
    tell_position(account, "3")
    assert len(comparing.compare(account.pk)) == 1
