"""Positions and wallets are what the fills make of them, in whatever order these come."""

from decimal import Decimal
from random import Random

import pytest
from django.db import OperationalError, connection

from apps.feeds.market import Side
from apps.feeds.orders import FundingPayment as Payment
from apps.trading import portfolio
from apps.trading.bookkeeping import holdings, recording
from apps.trading.models import FillSource, FundingPayment, Position, Wallet
from apps.trading.tests import rows, told

pytestmark = pytest.mark.django_db

SIDES = (Side.BUY, Side.SELL)


@pytest.fixture(autouse=True)
def no_bus(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


def orders(market_type: str = "futures"):
    """One to buy and one to sell on the same account."""
    account = rows.account(market_type=market_type)
    return {side: told.sent(account, side=side, amount=Decimal(1000)) for side in SIDES}


def of(order, number: int, side: Side, amount: str, price: int, **changes):
    names = {"side": side, "exchange_order_id": f"x {side}", "exchange_ms": told.EXPIRES_MS + number}
    return told.fill(order, f"t{number}", amount, price, **{**names, **changes})


def random_fills(by_side, seed: int):
    chance = Random(seed)
    for number in range(12):
        side = chance.choice(SIDES)
        fee = {"fee": Decimal(chance.randint(-5, 9)) / 1000, "fee_asset": chance.choice(["USDT", "BNB", "BTC"])}
        amount, price = str(Decimal(chance.randint(1, 30)) / 10), chance.randint(50_000, 70_000)
        yield of(by_side[side], number, side, amount, price, **fee)


def hear(by_side, fills) -> Position:
    for fill in fills:
        order = by_side[fill.side]
        recording.record_fill(order.account_id, told.instrument(order), fill, FillSource.WS)
    return Position.objects.get(account=by_side[Side.BUY].account)


def shown(row: Position):
    return (row.amount, row.cost, row.entry_price, row.realised, row.fees, row.fee_sums)


@pytest.mark.parametrize("seed", range(6))
def test_a_position_is_what_the_portfolio_reckons(seed):
    by_side = orders()
    fills = list(random_fills(by_side, seed))
    row = hear(by_side, fills)
    reckoned = portfolio.Holding(instrument=told.instrument(by_side[Side.BUY]))
    for fill in fills:
        reckoned = portfolio.take_fill(reckoned, fill)
    found = holdings.holding_of(row, reckoned.instrument)
    assert (found.amount, found.cost, found.realised) == (reckoned.amount, reckoned.cost, reckoned.realised)
    assert found.fees == dict(reckoned.fees)
    assert row.entry_price == reckoned.entry_price


@pytest.mark.parametrize("seed", range(6))
def test_the_order_in_which_fills_are_heard_and_how_often_changes_nothing(seed):
    in_turn, shuffled = orders(), orders()
    expected = shown(hear(in_turn, random_fills(in_turn, seed)))
    mixed = 2 * list(random_fills(shuffled, seed))
    Random(seed).shuffle(mixed)
    row = hear(shuffled, mixed)
    assert shown(row) == expected
    assert row.last_ms == told.EXPIRES_MS + 11


def test_a_fill_that_is_reckoned_anew_costs_no_more_the_more_fills_came_before(monkeypatch):
    by_side = orders()
    fills = list(random_fills(by_side, 1))
    hear(by_side, fills[1:])
    remembered, take_fill = [], portfolio.take_fill

    def counted(holding, fill):
        remembered.append(len(holding.seen))
        return take_fill(holding, fill)

    monkeypatch.setattr(portfolio, "take_fill", counted)
    hear(by_side, fills[:1])
    assert (len(remembered), max(remembered)) == (13, 0)


def test_a_trade_with_oneself_counts_on_both_sides():
    by_side = orders()
    buy, sell = (of(by_side[side], 1, side, "1", 60_000) for side in SIDES)
    row = hear(by_side, [buy, sell])
    assert (row.amount, row.realised, row.fees) == (0, 0, Decimal("0.02"))


def test_a_fee_in_the_base_asset_is_told_at_the_price_of_its_fill():
    by_side = orders("spot")
    row = hear(by_side, [of(by_side[Side.BUY], 1, Side.BUY, "1", 60_000, fee=Decimal("0.001"), fee_asset="BTC")])
    assert (row.fees, row.fee_sums) == (60, {"BTC": "0.001"})


def test_a_fill_on_spot_moves_the_wallets_that_are_known():
    by_side = orders("spot")
    account = by_side[Side.BUY].account
    Wallet.objects.create(account=account, asset="USDT", total=100_000, expected=100_000)
    hear(by_side, [of(by_side[Side.BUY], 1, Side.BUY, "0.5", 60_000, fee=Decimal("0.001"), fee_asset="BTC")])
    found = dict(Wallet.objects.filter(account=account).values_list("asset", "expected"))
    assert found == {"USDT": Decimal(70_000), "BTC": Decimal("0.499")}


def test_nothing_is_expected_of_wallets_that_were_never_told():
    by_side = orders("spot")
    hear(by_side, [of(by_side[Side.BUY], 1, Side.BUY, "0.5", 60_000)])
    assert not Wallet.objects.filter(account=by_side[Side.BUY].account).exists()


def test_funding_is_counted_once_and_apart():
    by_side = orders()
    order = by_side[Side.BUY]
    payment = Payment(
        payment_id="f1", symbol=order.pair.symbol, asset="USDT", amount=Decimal("-1.5"), exchange_ms=told.EXPIRES_MS
    )
    assert holdings.take_funding(order.account_id, order.pair, payment) is True
    assert holdings.take_funding(order.account_id, order.pair, payment) is False
    hear(by_side, [of(order, 2, Side.BUY, "1", 60_000), of(order, 1, Side.BUY, "1", 50_000)])
    row = Position.objects.get(account=order.account)
    assert (row.funding, row.funding_sums, FundingPayment.objects.count()) == (Decimal("-1.5"), {"USDT": "-1.5"}, 1)
    assert (row.amount, row.entry_price) == (2, 55_000)


def test_a_payment_that_cannot_be_counted_is_not_kept():
    order = orders()[Side.BUY]
    at = told.EXPIRES_MS
    payment = Payment(payment_id="f1", symbol=order.pair.symbol, asset="USDT", amount=Decimal(-1), exchange_ms=at)

    def lose(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and Position._meta.db_table in sql:
            raise OperationalError(2013, "lost connection")
        return execute(sql, params, many, context)

    with pytest.raises(OperationalError), connection.execute_wrapper(lose):
        holdings.take_funding(order.account_id, order.pair, payment)
    assert not FundingPayment.objects.exists()
    assert holdings.take_funding(order.account_id, order.pair, payment) is True
    assert Position.objects.get(account=order.account).funding == -1
