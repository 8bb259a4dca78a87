"""Rows of intents, orders and fills to the values that order state and risk reckon with, and back to columns."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.feeds import selectors as feeds
from apps.feeds.market import Instrument, Side
from apps.feeds.orders import Fill, MarginMode, OrderStatus, OrderType, PositionSide, TimeInForce
from apps.trading import intent as intents
from apps.trading import order_state
from apps.trading.models import Order, OrderFill, OrderIntent

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SMALLEST = Decimal("1E-18")  # of a money column
ZERO = Decimal(0)


def intent_of(row: OrderIntent, instrument: Instrument | None = None) -> intents.OrderIntent:
    """As risk takes it; without `instrument` it costs queries unless `pair__exchange` was selected with it."""
    return intents.OrderIntent(
        intent_id=row.pk,
        intent_key=row.intent_key,
        account_id=row.account_id,
        user_id=row.user_id or 0,
        trade_id=row.trade_id,
        instrument=instrument or feeds.instrument(row.pair),
        side=Side(row.side),
        type=OrderType(row.type),
        amount=row.amount,
        price=row.price,
        tif=TimeInForce(row.tif),
        purpose=intents.Purpose(row.purpose),
        reduce_only=row.reduce_only,
        position_side=PositionSide(row.position_side),
        margin_mode=MarginMode(row.margin_mode),
        leverage=row.leverage,
        parent_id=row.parent_id,
        arbitrage_id=row.arbitrage_id,
        created_ms=milliseconds(row.created_at),
        max_age_ms=row.max_age_ms,
        repeats=row.repeats,
    )


def order_of(row: Order, fills: Iterable[OrderFill], symbol: str | None = None) -> order_state.Order:
    """One of our orders with all its fills. Raise ValueError for a row that is not an attempt of an intent.

    `symbol`: of its pair, which costs a query where it was not selected with it.
    """
    if row.client_order_id is None or row.request_expires_at is None:
        raise ValueError(f"order {row.pk} is none of ours")
    known = [fill_of(fill, row, symbol) for fill in fills]
    return order_state.Order(
        client_order_id=row.client_order_id,
        side=Side(row.side),
        amount=None if row.quote_amount is not None else row.amount,
        expires_ms=milliseconds(row.request_expires_at),
        status=OrderStatus(row.status),
        exchange_order_id=row.exchange_order_id,
        told=row.told,
        fills={fill.trade_id: fill for fill in known},
        cancel=order_state.CancelState(row.cancel_state),
        alarms=alarms_of(row),
        misses=row.misses,
        missed_ms=row.missed_ms,
    )


def alarms_of(row: Order) -> frozenset[order_state.Alarm]:
    return frozenset(order_state.Alarm(word) for word in row.alarms.split(",") if word)


def columns_of(order: order_state.Order) -> dict[str, Any]:
    """What of an order's state stands in its row; its fills are rows of their own."""
    return {
        "status": order.status,
        "exchange_order_id": order.exchange_order_id,
        "told": order.told,
        "filled": order.filled,
        "average_price": None if order.average_price is None else order.average_price.quantize(SMALLEST),
        "cancel_state": order.cancel,
        "alarms": ",".join(sorted(order.alarms)),
        "misses": order.misses,
        "missed_ms": order.missed_ms,
    }


def fill_of(row: OrderFill, order: Order, symbol: str | None = None) -> Fill:
    """In base currency, as it was counted; `symbol` as of `order_of`."""
    return Fill(
        symbol=order.pair.symbol if symbol is None else symbol,
        exchange_order_id=order.exchange_order_id or "",
        client_order_id=order.client_order_id,
        trade_id=row.trade_id or f"row {row.pk}",  # of plain SQL
        side=Side(row.side or order.side),
        price=row.price,
        amount=row.amount,
        fee=row.fee or ZERO,
        fee_asset=row.fee_asset,
        is_maker=row.is_maker,
        exchange_ms=milliseconds(row.executed_at) if row.exchange_ms is None else row.exchange_ms,
    )


def milliseconds(at: datetime) -> int:
    return (at - EPOCH) // MILLISECOND


def time_of(at_ms: int) -> datetime:
    return EPOCH + at_ms * MILLISECOND
