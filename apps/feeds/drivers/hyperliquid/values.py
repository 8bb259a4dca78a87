"""Orders, fills, balances and positions as Hyperliquid's reads and streams tell them alike."""

from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.hyperliquid import symbols
from apps.feeds.drivers.hyperliquid import trading_facts as facts
from apps.feeds.drivers.hyperliquid.facts import QUOTE
from apps.feeds.errors import MalformedFrame
from apps.feeds.orders import Balance, Fill, OrderStatus, OrderUpdate, Position, PositionSide

MAX_ROWS = 2_000  # a page of fills; an account may have 1000 open orders, and more for its volume

Word: TypeAlias = Annotated[str, Meta(max_length=64)]


class Order(money.Exact, rename="camel"):
    """`sz` is the rest that is not filled, also after its end; both sizes of a position's take-profit are zero."""

    coin: wire.Name
    side: Literal["B", "A"]
    limit_px: Decimal
    sz: Decimal
    oid: wire.Id
    orig_sz: Decimal | None = None  # the plain list of open orders of 2023 lacks it
    cloid: Word | None = None


class Told(Struct, rename="camel"):
    order: Order
    status: Word
    status_timestamp: wire.Millis


class Execution(money.Exact, rename="camel"):
    coin: wire.Name
    px: Decimal
    sz: Decimal
    side: Literal["B", "A"]  # ours
    time: wire.Millis
    oid: wire.Id
    crossed: bool
    fee: Decimal
    tid: wire.Id
    fee_token: wire.Name
    cloid: Word | None = None


Orders = Annotated[list[Order], Meta(max_length=MAX_ROWS)]
Updates = Annotated[list[Told], Meta(max_length=MAX_ROWS)]
Executions = Annotated[list[Execution], Meta(max_length=MAX_ROWS)]


class Holding(money.Exact):
    coin: wire.Name
    total: Decimal
    hold: Decimal


class SpotState(Struct):
    balances: Annotated[list[Holding], Meta(max_length=MAX_ROWS)]


class Leverage(Struct):
    type: Literal["cross", "isolated"]
    value: Annotated[int, Meta(ge=1, le=1000)]


class Held(money.Exact, rename="camel"):
    coin: wire.Name
    szi: Decimal
    leverage: Leverage
    entry_px: Decimal | None = None
    unrealized_pnl: Decimal | None = None
    liquidation_px: Decimal | None = None


class AssetPosition(Struct):
    position: Held


class Summary(money.Exact, rename="camel"):
    account_value: Decimal


class PerpetualState(money.Exact, rename="camel"):
    margin_summary: Summary
    withdrawable: Decimal
    asset_positions: Annotated[list[AssetPosition], Meta(max_length=MAX_ROWS)]
    time: wire.Millis | None = None


def order_update(order: Order, status: str, exchange_ms: int | None) -> OrderUpdate:
    whole = order.orig_sz or order.sz
    filled = whole - order.sz
    known = _status(status, order.coin)
    if known is OrderStatus.OPEN and filled > 0:
        known = OrderStatus.PARTIAL
    return money.sound(
        OrderUpdate(
            symbol=order.coin,
            exchange_order_id=str(order.oid),
            client_order_id=order.cloid or None,
            status=known,
            side=facts.SIDES[order.side],
            filled=filled,
            amount=whole or None,
            price=order.limit_px or None,
            exchange_ms=exchange_ms,
            position_side=PositionSide.NET,
            text=status,
        )
    )


def _status(status: str, coin: str) -> OrderStatus:
    known = facts.ORDER_STATUS.get(status)
    if known is not None:
        return known
    for ending, meant in facts.STATUS_ENDINGS:
        if status.endswith(ending):
            return meant
    raise MalformedFrame(f"unknown status {status[:40]!r}", symbol=coin)


def fill(row: Execution) -> Fill:
    return money.sound(
        Fill(
            symbol=row.coin,
            exchange_order_id=str(row.oid),
            client_order_id=row.cloid or None,
            trade_id=str(row.tid),
            side=facts.SIDES[row.side],
            price=row.px,
            amount=row.sz,
            fee=row.fee,  # negative is a rebate here too
            fee_asset=symbols.asset(row.fee_token),
            is_maker=not row.crossed,
            exchange_ms=row.time,
            position_side=PositionSide.NET,
        )
    )


def spot_balances(state: SpotState) -> list[Balance]:
    return [
        Balance(asset=symbols.asset(row.coin), free=row.total - row.hold, total=row.total) for row in state.balances
    ]


def perpetual_balance(state: PerpetualState) -> Balance:
    """The collateral with what the positions have won and lost; free is what could be taken out."""
    return Balance(asset=QUOTE, free=state.withdrawable, total=state.margin_summary.account_value)


def positions(state: PerpetualState) -> list[Position]:
    return [_position(row.position) for row in state.asset_positions]


def _position(row: Held) -> Position:
    return Position(
        symbol=row.coin,
        side=PositionSide.NET,
        amount=row.szi,
        entry_price=row.entry_px,
        unrealised=row.unrealized_pnl,
        leverage=Decimal(row.leverage.value),
        margin_mode=facts.MARGIN_MODES[row.leverage.type],
        liquidation_price=row.liquidation_px,
    )
