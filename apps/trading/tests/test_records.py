"""What is written as a row is read as the same value."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from apps.feeds.market import Side
from apps.feeds.orders import Fill, OrderStatus, OrderUpdate
from apps.trading import order_state, records
from apps.trading.models import Order, OrderIntent
from apps.trading.tests import rows
from apps.users.tests.people import person

pytestmark = pytest.mark.django_db

EXPIRES_MS = 1_795_164_734_411


def sent() -> Order:
    intent = rows.intent(rows.trade(rows.account()))
    return rows.order(intent, client_order_id="ct1", request_expires_at=records.time_of(EXPIRES_MS))


def third(number: int) -> Fill:
    return Fill(
        symbol="BTCUSDT",
        exchange_order_id="x1",
        client_order_id="ct1",
        trade_id=str(number),
        side=Side.BUY,
        price=Decimal(60_000 + number),
        amount=Decimal("0.1"),
        fee=Decimal("-0.000000000000000001"),
        fee_asset="USDT",
        is_maker=True,
        exchange_ms=EXPIRES_MS + number,
    )


def keep(row: Order, order: order_state.Order) -> None:
    """As whoever records events does."""
    for fill in order.fills.values():
        rows.fill(
            row,
            trade_id=fill.trade_id,
            price=fill.price,
            amount=fill.amount,
            fee=fill.fee,
            fee_asset=fill.fee_asset,
            is_maker=fill.is_maker,
            exchange_ms=fill.exchange_ms,
        )
    was = OrderStatus(row.status)
    assert Order.objects.advance(row.pk, was=was, **records.columns_of(order))


def read(row: Order) -> order_state.Order:
    found = Order.objects.select_related("pair").get(pk=row.pk)
    return records.order_of(found, found.fills.all())


def test_a_new_attempt_is_a_pending_order():
    assert read(sent()) == order_state.Order(
        client_order_id="ct1", side=Side.BUY, amount=Decimal("0.5"), expires_ms=EXPIRES_MS
    )


def test_an_order_with_fills_alarms_and_a_cancel_comes_back_as_it_was():
    row = sent()
    order = read(row)
    update = OrderUpdate(
        symbol="BTCUSDT",
        exchange_order_id="x1",
        client_order_id="ct1",
        status=OrderStatus.PARTIAL,
        side=Side.BUY,
        filled=Decimal("0.3"),
    )
    order = order_state.apply(order, update)
    for number in range(3):
        order = order_state.apply_fill(order, third(number))
    order = order_state.advance_cancel(order, order_state.CancelState.REQUESTED)
    order = order_state.apply(order, replace(update, exchange_order_id="x2"))
    assert order_state.Alarm.TWO_ORDERS in order.alarms
    keep(row, order)
    assert read(row) == order
    assert Order.objects.get(pk=row.pk).average_price == Decimal(60_001)


def test_misses_are_remembered():
    row = sent()
    order = order_state.lose(read(row))
    keep(row, replace(order, misses=1, missed_ms=EXPIRES_MS))
    assert (read(row).misses, read(row).missed_ms, read(row).status) == (1, EXPIRES_MS, "UNKNOWN")


def test_an_average_without_end_is_rounded_for_its_column():
    row = sent()
    order = order_state.apply_fill(read(row), third(0))
    order = order_state.apply_fill(order, third(1))
    order = order_state.apply_fill(order, third(4))
    keep(row, order)
    assert Order.objects.get(pk=row.pk).average_price == Decimal("60001.666666666666666667")


def test_an_order_of_somebody_else_is_no_value():
    row = sent()
    other = rows.order(row.intent, intent=None, client_order_id=None, is_external=True, exchange_order_id="9")
    with pytest.raises(ValueError, match="none of ours"):
        records.order_of(other, [])


def test_an_intent_comes_back_as_it_was_asked_for():
    trade = rows.trade(rows.account(market_type="futures", mode="testnet"))
    anna = person("trader", "anna")
    parent = rows.intent(trade)
    made = rows.intent(
        trade,
        parent=parent,
        user=anna,
        purpose="close",
        reduce_only=True,
        position_side="long",
        leverage=2,
        repeats=True,
    )
    found = records.intent_of(OrderIntent.objects.select_related("pair__exchange").get(pk=made.pk))
    assert (found.intent_id, found.account_id, found.user_id, found.trade_id, found.parent_id) == (
        made.pk,
        trade.account_id,
        anna.pk,
        trade.pk,
        parent.pk,
    )
    assert (found.purpose, found.reduce_only, found.position_side, found.leverage, found.repeats) == (
        "close",
        True,
        "long",
        2,
        True,
    )
    assert (found.side, found.type, found.amount, found.price) == ("buy", "limit", Decimal("0.5"), 60_000)
    assert str(found.instrument.key) == "binance:futures:BTC/USDT"
    assert abs(records.time_of(found.created_ms) - made.created_at) < records.MILLISECOND


@pytest.mark.parametrize("at_ms", [0, 1, EXPIRES_MS, 4_102_444_800_000])
def test_milliseconds_are_exact(at_ms):
    assert records.milliseconds(records.time_of(at_ms)) == at_ms
