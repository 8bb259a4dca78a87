"""Orders, deals, positions and assets of MEXC's futures, as REST and pushes tell them alike. Amounts are contracts."""

from decimal import Decimal
from typing import Literal

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.mexc import answers
from apps.feeds.drivers.mexc import trading_facts as facts
from apps.feeds.orders import Balance, Fill, OrderStatus, OrderUpdate, Position, PositionSide


class Order(money.Exact, rename="camel"):
    order_id: answers.Named
    symbol: wire.Name
    side: Literal[1, 2, 3, 4]
    price: Decimal
    vol: Decimal
    deal_vol: Decimal
    state: Literal[1, 2, 3, 4, 5]
    deal_avg_price: Decimal | None = None
    external_oid: answers.Word | None = None
    error_code: wire.Code = 0
    create_time: wire.Millis | None = None
    update_time: wire.Millis | None = None
    position_mode: Literal[1, 2] | None = None


class Deal(money.Exact, rename="camel"):
    id: answers.Named
    order_id: answers.Named
    symbol: wire.Name
    side: Literal[1, 2, 3, 4]
    price: Decimal
    vol: Decimal
    fee: Decimal
    fee_currency: wire.Name
    timestamp: wire.Millis
    external_oid: answers.Word | None = None
    is_taker: bool | None = None
    taker: bool | None = None  # its older name
    position_mode: Literal[1, 2] | None = None


class Held(money.Exact, rename="camel"):
    symbol: wire.Name
    position_type: Literal[1, 2]
    open_type: Literal[1, 2]
    hold_vol: Decimal
    hold_avg_price: Decimal
    leverage: Decimal
    liquidate_price: Decimal | None = None


class Asset(money.Exact, rename="camel"):
    currency: wire.Name
    available_balance: Decimal
    frozen_balance: Decimal
    position_margin: Decimal


def order_update(row: Order) -> OrderUpdate:
    status = facts.STATES[row.state]
    if status is OrderStatus.OPEN and row.deal_vol > 0:
        status = OrderStatus.PARTIAL
    return money.sound(
        OrderUpdate(
            symbol=row.symbol,
            exchange_order_id=str(row.order_id),
            client_order_id=row.external_oid or None,
            status=status,
            side=facts.SIDES[row.side],
            filled=row.deal_vol,
            amount=row.vol or None,
            price=row.price or None,
            average_price=row.deal_avg_price or None,
            exchange_ms=row.update_time or row.create_time,
            position_side=_position_side(row),
            text=f"{row.state}:{row.error_code}",  # the second says why it was cancelled or refused
        )
    )


def fill(row: Deal) -> Fill:
    is_taker = row.taker if row.is_taker is None else row.is_taker
    return money.sound(
        Fill(
            symbol=row.symbol,
            exchange_order_id=str(row.order_id),
            client_order_id=row.external_oid or None,
            trade_id=str(row.id),
            side=facts.SIDES[row.side],
            price=row.price,
            amount=row.vol,
            fee=row.fee,  # positive is paid
            fee_asset=row.fee_currency,
            is_maker=None if is_taker is None else not is_taker,
            exchange_ms=row.timestamp,
            position_side=_position_side(row),
        )
    )


def _position_side(row: Order | Deal) -> PositionSide | None:
    """What `side` says in hedge mode; in one-way mode there is one position."""
    if row.position_mode is None:
        return None
    return PositionSide.NET if row.position_mode == facts.ONE_WAY else facts.HEDGED[row.side]


def position(row: Held) -> Position:
    """Which mode the account is in is not told: a position says what it is, long or short."""
    return Position(
        symbol=row.symbol,
        side=facts.POSITION_SIDES[row.position_type],
        amount=row.hold_vol if row.position_type == 1 else -row.hold_vol,
        entry_price=money.positive(row.hold_avg_price),
        leverage=row.leverage,
        margin_mode=facts.MARGIN_MODES[row.open_type],
        liquidation_price=money.positive(row.liquidate_price),
    )


def balance(row: Asset) -> Balance:
    total = row.available_balance + row.frozen_balance + row.position_margin
    return Balance(asset=row.currency, free=row.available_balance, total=total)
