"""Orders and executions as KuCoin's answers tell them: classic spot, classic futures and unified in one shape each."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.kucoin import trading_facts as facts
from apps.feeds.drivers.kucoin.answers import NONE, Number, amount, number, positive
from apps.feeds.drivers.kucoin.values import Stamp, millis
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import Fill, OrderStatus, OrderUpdate


class Order(Struct, rename="camel"):
    symbol: wire.Name
    side: Literal["buy", "sell", "BUY", "SELL"]
    client_oid: wire.Word | None = None
    price: Number = NONE
    size: Number = NONE
    id: wire.Name | None = None  # classic
    active: bool | None = None  # spot
    is_active: bool | None = None  # futures
    cancel_exist: bool = False
    deal_size: Number = NONE
    deal_funds: Number = NONE  # spot
    avg_deal_price: Number = NONE  # futures
    last_updated_at: Stamp | None = None
    updated_at: Stamp | None = None
    position_side: Literal["BOTH", "LONG", "SHORT"] | None = None  # classic futures
    order_id: wire.Name | None = None  # unified
    status: wire.Code | wire.Word | None = None
    size_unit: wire.Word | None = None
    filled_size: Number = NONE
    avg_price: Number = NONE
    cancel_reason: wire.Words | None = None
    updated_time: Stamp | None = None


class Trade(Struct, rename="camel"):
    symbol: wire.Name
    order_id: wire.Name
    trade_id: wire.Id | wire.Name
    side: Literal["buy", "sell", "BUY", "SELL"]
    price: Number
    size: Number
    fee: Number
    fee_currency: wire.Name
    liquidity: wire.Word = ""  # classic
    liquidity_role: wire.Word = ""  # unified
    trade_time: Stamp | None = None  # futures
    created_at: Stamp | None = None  # classic
    execution_time: Stamp | None = None  # unified


def market_of(symbol: str) -> MarketType:
    """Only spot symbols have a hyphen."""
    return MarketType.SPOT if "-" in symbol else MarketType.FUTURES


def side(told: str) -> Side:
    return Side(told.lower())


def maker(told: str) -> bool:
    if told.lower() not in facts.MAKER:
        raise MalformedFrame(f"neither maker nor taker: {told[:20]!r}")
    return facts.MAKER[told.lower()]


def state(told: object, symbol: str) -> OrderStatus:
    status = facts.STATES.get(str(told)[:20])
    if status is None:
        raise MalformedFrame(f"unknown status {str(told)[:20]!r}", symbol=symbol)
    return status


def update(row: Order) -> OrderUpdate:
    return money.sound(_classic(row) if row.order_id is None else _unified(row, row.order_id))


def _unified(row: Order, order_id: str) -> OrderUpdate:
    status = state(row.status, row.symbol)
    return OrderUpdate(
        symbol=row.symbol,
        exchange_order_id=order_id,
        client_order_id=row.client_oid or None,
        status=status,
        side=side(row.side),
        filled=amount(row.filled_size),
        amount=None if row.size_unit == facts.QUOTE_UNIT else positive(row.size),
        price=positive(row.price),
        average_price=positive(row.avg_price),
        exchange_ms=None if row.updated_time is None else millis(row.updated_time),
        text=" ".join(filter(None, (str(row.status), row.cancel_reason))),
    )


def _classic(row: Order) -> OrderUpdate:
    live = row.is_active if row.active is None else row.active
    if row.id is None or live is None:
        raise MalformedFrame("an order without its id or state", symbol=row.symbol)
    filled = amount(row.deal_size)
    status = (OrderStatus.PARTIAL if filled else OrderStatus.OPEN) if live else _done(row)
    at = row.updated_at if row.last_updated_at is None else row.last_updated_at
    return OrderUpdate(
        symbol=row.symbol,
        exchange_order_id=row.id,
        client_order_id=row.client_oid or None,
        status=status,
        side=side(row.side),
        filled=filled,
        amount=positive(row.size),
        price=positive(row.price),
        average_price=_average(row, filled),
        exchange_ms=None if at is None else millis(at),
        position_side=None if row.position_side is None else facts.POSITION_SIDES[row.position_side],
        text="active" if live else "cancelled" if row.cancel_exist else "done",
    )


def _done(row: Order) -> OrderStatus:
    return OrderStatus.CANCELLED if row.cancel_exist else OrderStatus.FILLED


def _average(row: Order, filled: Decimal) -> Decimal | None:
    """Spot tells what was paid, not at what price."""
    paid = positive(row.deal_funds)
    return paid / filled if paid is not None and filled > 0 else positive(row.avg_deal_price)


def fill(row: Trade) -> Fill:
    """No list of executions names our id."""
    price, size, fee = number(row.price), number(row.size), number(row.fee)
    at = row.trade_time or row.execution_time or row.created_at
    if price is None or size is None or fee is None or at is None:
        raise MalformedFrame("an execution without price, size, fee or time", symbol=row.symbol)
    return money.sound(
        Fill(
            symbol=row.symbol,
            exchange_order_id=row.order_id,
            client_order_id=None,
            trade_id=str(row.trade_id),
            side=side(row.side),
            price=price,
            amount=size,
            fee=fee,
            fee_asset=row.fee_currency,
            is_maker=maker(row.liquidity or row.liquidity_role),
            exchange_ms=millis(at),
        )
    )
