"""Positions of futures accounts, long and short beside each other or one alone, are those that the exchange tells."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from apps.feeds.market import MarketType, Side
from apps.feeds.orders import OrderStatus, Positions, PositionSide
from apps.feeds.orders import Position as Told
from apps.trading.bookkeeping import comparing, recording
from apps.trading.collecting import reconciling
from apps.trading.collecting.reconciling import reconcile
from apps.trading.collecting.sweep import sweep
from apps.trading.models import Account, FillSource, Order, Position, StrayFill
from apps.trading.tests import remote_seat, rows, told
from apps.trading.tests.listened_seat import SOMEBODY, placed, seat
from apps.trading.tests.remote_seat import Desk, Exchanges

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
FUTURES = MarketType.FUTURES
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
HEDGED = [(exchange, FUTURES) for exchange in ("binance", "bybit", "okx", "htx", "kucoin", "mexc")]
ALL = [*HEDGED, ("coinex", FUTURES), ("hyperliquid", FUTURES)]


@pytest.fixture
def on(exchanges: Exchanges, tmp_path: Path, settings, monkeypatch, request) -> Iterator[Desk]:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(reconciling, "PAUSE_S", 0.0)
    yield from seat(exchanges, *request.param, tmp_path)


def outside(on: Desk, opens: Side, side: PositionSide, amount: Decimal, *, rests: bool = False) -> None:
    """Somebody else trades on our account, at once unless it `rests`."""
    row = on.committed()
    named = SOMEBODY.make(on.port.id_form, account_id=1, intent_id=row.pk, attempt=0)
    Order.objects.filter(pk=row.pk).update(status=OrderStatus.CANCELLED)
    values = {
        "side": opens,
        "position_side": side,
        "amount": amount,
        "price": on.near(opens) if rests else on.across(opens),
    }
    on.port.place(on.new_order(row, client_order_id=named, **values))


def held(on: Desk) -> dict[str, Decimal]:
    """By our fills."""
    rows = Position.objects.filter(account=on.account, pair=on.pair).exclude(amount=0)
    return {row.side: row.amount for row in rows}


@pytest.mark.parametrize("on", HEDGED, indirect=True, ids="-".join)
def test_what_others_trade_in_a_hedged_account_counts_where_it_is_held(on: Desk):
    on.truth.hedge = True
    assert reconcile(on.account.pk, on.executor()).is_clean
    Position.objects.get_or_create(account=on.account, pair=on.pair)  # the account has to do with this pair
    outside(on, Side.BUY, LONG, on.amount)
    outside(on, Side.SELL, SHORT, on.part)
    outside(on, Side.SELL, LONG, on.part)
    report = reconcile(on.account.pk, on.executor())
    assert report.is_clean, report
    assert held(on) == {"long": on.amount - on.part, "short": -on.part}
    assert set(Order.objects.filter(is_external=True).values_list("position_side", flat=True)) == {LONG, SHORT}


@pytest.mark.parametrize("on", ALL, indirect=True, ids="-".join)
def test_what_we_trade_in_an_account_with_one_position_is_what_the_exchange_tells(on: Desk):
    assert reconcile(on.account.pk, on.executor()).is_clean
    row = placed(on)
    on.fill(row.exchange_order_id or "", on.amount)
    report = reconcile(on.account.pk, on.executor())
    assert report.is_clean, report
    assert held(on) == {"net": on.amount}


def tell(account: Account, whole: bool = False, **amounts: str) -> None:
    """As an exchange that names no mode: what is long and what is short."""
    pair = rows.pair(market_type="futures")
    values = {"symbol": pair.symbol, "entry_price": None}
    listed = [Told(side=PositionSide(side), amount=Decimal(amount), **values) for side, amount in amounts.items()]
    comparing.take_positions(account.pk, {pair.symbol: pair}, Positions(rows=listed, whole=whole))


def one_position(amount: str) -> Account:
    account = rows.account(market_type="futures")
    Position.objects.create(account=account, pair=rows.pair(market_type="futures"), amount=Decimal(amount))
    return account


def told_of(account: Account) -> dict[str, Decimal | None]:
    return dict(Position.objects.filter(account=account).values_list("side", "told_amount"))


def test_one_position_that_is_told_by_its_side_is_one():
    account = one_position("5")
    tell(account, whole=True, long="5")
    assert told_of(account) == {"net": 5}


def test_the_end_of_one_side_does_not_end_the_other():
    account = one_position("-2")
    tell(account, short="-2")
    tell(account, long="0")
    assert told_of(account) == {"net": -2}
    tell(account, short="0")
    assert told_of(account) == {"net": 0}


def test_what_is_told_of_both_sides_is_no_one_position():
    account = one_position("5")
    tell(account, whole=True, long="5", short="-1")
    assert told_of(account) == {"net": 0, "long": 5, "short": -1}


def test_what_was_held_before_our_first_fill_goes_over_to_the_one_position():
    account = rows.account(market_type="futures")
    tell(account, whole=True, long="3")
    comparing.accept(account.pk)
    Position.objects.create(account=account, pair=rows.pair(market_type="futures"), amount=Decimal(2))
    tell(account, whole=True, long="5")
    assert comparing.compare(account.pk) == []
    assert set(Position.objects.values_list("side", "opening")) == {("net", 3), ("long", 0)}


def test_a_fill_of_others_that_names_no_position_waits_for_its_order():
    order = told.sent(rows.account(market_type="futures"))
    fill = told.fill(order, "1", exchange_order_id="y1", client_order_id="somebody")
    assert recording.record_fill(order.account_id, told.instrument(order), fill, FillSource.WS) is None
    assert StrayFill.objects.get().order_id is None
    update = told.update(order, OrderStatus.OPEN, exchange_order_id="y1", client_order_id="somebody")
    recording.record_update(
        order.account_id, told.instrument(order), replace(update, position_side=LONG), FillSource.WS
    )
    assert Position.objects.get(account=order.account).side == LONG


@pytest.mark.parametrize("again", [LONG, None], ids=["then told", "told no more"])
def test_an_order_of_others_that_is_first_told_without_its_position_is_counted_where_it_turns_out_to_be(again):
    order = told.sent(rows.account(market_type="futures"))
    instrument, theirs = told.instrument(order), {"exchange_order_id": "y1", "client_order_id": "somebody"}
    first = told.update(order, OrderStatus.OPEN, **theirs)
    recording.record_update(order.account_id, instrument, first, FillSource.WS)
    fill = told.fill(order, "1", **theirs)
    recording.record_fill(order.account_id, instrument, fill, FillSource.WS)
    net = Position.objects.get(account=order.account)
    assert (net.side, net.amount, net.fees) == ("net", Decimal("0.1"), Decimal("0.01"))

    sided = told.update(order, OrderStatus.PARTIAL, "0.1", **theirs)
    recording.record_update(order.account_id, instrument, replace(sided, position_side=LONG), FillSource.REST)
    recording.record_update(order.account_id, instrument, replace(sided, position_side=again), FillSource.REST)
    late = replace(told.fill(order, "2", **theirs), exchange_ms=told.EXPIRES_MS + 1)
    recording.record_fill(order.account_id, instrument, late, FillSource.WS)

    counted = Position.objects.filter(account=order.account)
    assert {row.side: (row.amount, row.fees) for row in counted} == {
        "net": (0, 0),
        "long": (Decimal("0.2"), Decimal("0.02")),
    }
    assert Order.objects.get(is_external=True).position_side == LONG
    net.refresh_from_db()
    assert (net.cost, net.realised, net.fee_sums, net.last_ms) == (0, 0, {}, None)


@pytest.mark.parametrize("on", [("kucoin", FUTURES)], indirect=True, ids="-".join)
def test_a_sweep_learns_the_position_of_an_order_that_was_first_told_without_it(on: Desk):
    on.truth.hedge = True
    assert reconcile(on.account.pk, on.executor()).is_clean
    outside(on, Side.BUY, LONG, on.amount, rests=True)
    sweep(on.port)
    Order.objects.filter(is_external=True).update(position_side=PositionSide.NET)  # as a push without it leaves it
    sweep(on.port)
    assert Order.objects.get(is_external=True).position_side == LONG
