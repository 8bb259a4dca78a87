"""Orders and executions as HTX spells them by REST, and what they mean: spot, and v5 of linear swaps."""

from decimal import Decimal

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.htx import trading_facts as facts
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Side
from apps.feeds.orders import Fill, OrderStatus, OrderUpdate, PositionSide


class SpotOrder(money.Exact, rename="kebab"):
    """What was filled is `field-amount` of one order and `filled-amount` in lists; a market buy's amount is quote."""

    id: wire.Id
    symbol: wire.Name
    type: wire.Word
    state: wire.Word
    amount: Decimal
    created_at: wire.Millis
    price: Decimal | None = None
    client_order_id: wire.Word | None = None
    field_amount: Decimal | None = None
    field_cash_amount: Decimal | None = None
    filled_amount: Decimal | None = None
    filled_cash_amount: Decimal | None = None
    finished_at: wire.Millis = 0
    canceled_at: wire.Millis = 0


class SpotMatch(money.Exact, rename="kebab"):
    """An execution. The fee may be deducted from something else than what was traded."""

    id: wire.Id
    symbol: wire.Name
    type: wire.Word
    price: Decimal
    order_id: wire.Id
    trade_id: wire.Id
    filled_amount: Decimal
    filled_fees: Decimal
    fee_currency: wire.Word
    created_at: wire.Millis
    role: wire.Word = ""
    filled_points: Decimal | None = None
    fee_deduct_currency: wire.Word = ""


class SwapOrder(money.Exact):
    """Amounts are contracts, times texts. Without an id of ours `client_order_id` is theirs."""

    contract_code: wire.Name
    order_id: wire.Word
    side: wire.Word
    state: wire.Word
    volume: Decimal
    trade_volume: Decimal
    updated_time: wire.Millis
    position_side: wire.Word | None = None
    id: wire.Word = ""
    client_order_id: wire.Word | None = None
    price: wire.Word | None = None
    trade_avg_price: wire.Word | None = None
    cancel_reason: wire.Words | None = None


class SwapMatch(money.Exact):
    """An execution; its fee is positive when paid, other than the order's."""

    id: wire.Word
    contract_code: wire.Name
    order_id: wire.Word
    side: wire.Word
    trade_price: Decimal
    trade_volume: Decimal
    trade_fee: Decimal
    created_time: wire.Millis
    trade_id: wire.Word = ""
    fee_currency: wire.Word | None = None
    role: wire.Word = ""
    position_side: wire.Word | None = None


def spot_update(told: SpotOrder) -> OrderUpdate:
    filled = told.filled_amount if told.field_amount is None else told.field_amount
    value = told.filled_cash_amount if told.field_cash_amount is None else told.field_cash_amount
    if filled is None:
        raise MalformedFrame("an order without what was filled", symbol=told.symbol)
    return money.sound(
        OrderUpdate(
            symbol=told.symbol,
            exchange_order_id=str(told.id),
            client_order_id=told.client_order_id or None,
            status=spot_status(told.state, filled, told.symbol),
            side=side_of_type(told.type, told.symbol),
            filled=filled,
            amount=None if told.type == "buy-market" else told.amount,
            price=money.positive(told.price),
            average_price=value / filled if value and filled > 0 else None,
            exchange_ms=max(told.created_at, told.finished_at, told.canceled_at),
            text=told.state,
        )
    )


def spot_status(state: str, filled: Decimal, symbol: str) -> OrderStatus:
    """One that is being cancelled is as it was before."""
    if state not in facts.SPOT_STATUS:
        raise MalformedFrame(f"unknown state {state[:40]!r}", symbol=symbol)
    return facts.SPOT_STATUS[state] or (OrderStatus.PARTIAL if filled else OrderStatus.OPEN)


def spot_fill(told: SpotMatch) -> Fill:
    fee, asset = fee_of(told.filled_fees, told.fee_currency, told.filled_points, told.fee_deduct_currency)
    return money.sound(
        Fill(
            symbol=told.symbol,
            exchange_order_id=str(told.order_id),
            client_order_id=None,
            trade_id=str(told.trade_id),
            side=side_of_type(told.type, told.symbol),
            price=told.price,
            amount=told.filled_amount,
            fee=fee,
            fee_asset=asset,
            is_maker=is_maker(told.role, told.symbol),
            exchange_ms=told.created_at,
        )
    )


def fee_of(fee: Decimal, currency: str, deducted: Decimal | None, deducted_from: str) -> tuple[Decimal, str]:
    """What was paid and in which asset: points or coins of the exchange, where those were taken instead."""
    if deducted and deducted_from:
        return deducted, deducted_from.upper()
    return fee, currency.upper()


def swap_update(told: SwapOrder) -> OrderUpdate:
    if told.state not in facts.FUTURES_STATUS:
        raise MalformedFrame(f"unknown state {told.state[:40]!r}", symbol=told.contract_code)
    reason = f" ({told.cancel_reason})" if told.cancel_reason else ""
    return money.sound(
        OrderUpdate(
            symbol=told.contract_code.upper(),
            exchange_order_id=told.order_id,
            client_order_id=own_id(told.client_order_id, told.order_id),
            status=facts.FUTURES_STATUS[told.state],
            side=side_of(told.side, told.contract_code),
            filled=told.trade_volume,
            amount=told.volume,
            price=money.positive(money.number(told.price)),
            average_price=money.positive(money.number(told.trade_avg_price)),
            exchange_ms=told.updated_time,
            position_side=position_side(told.position_side, told.contract_code),
            text=told.state + reason,
        )
    )


def swap_fill(told: SwapMatch) -> Fill:
    """`id` is unique, a trade's id may be of several executions."""
    return money.sound(
        Fill(
            symbol=told.contract_code.upper(),
            exchange_order_id=told.order_id,
            client_order_id=None,
            trade_id=told.id,
            side=side_of(told.side, told.contract_code),
            price=told.trade_price,
            amount=told.trade_volume,
            fee=told.trade_fee,
            fee_asset=told.fee_currency or "",
            is_maker=is_maker(told.role, told.contract_code),
            exchange_ms=told.created_time,
            position_side=position_side(told.position_side, told.contract_code),
        )
    )


def own_id(client_order_id: str | None, order_id: str) -> str | None:
    return None if client_order_id in (None, "", order_id) else client_order_id


def side_of_type(told: str, symbol: str) -> Side:
    """`buy-limit` begins with its side."""
    return side_of(told.partition("-")[0], symbol)


def side_of(told: str, symbol: str) -> Side:
    if told not in facts.SIDES:
        raise MalformedFrame(f"unknown side {told[:40]!r}", symbol=symbol)
    return facts.SIDES[told]


def position_side(told: str | None, symbol: str) -> PositionSide | None:
    if told is not None and told not in facts.POSITION_SIDES:
        raise MalformedFrame(f"unknown side of a position: {told[:20]!r}", symbol=symbol)
    return None if told is None else facts.POSITION_SIDES[told]


def is_maker(role: str, symbol: str) -> bool | None:
    """Written `taker`, `TAKER` or `Taker`."""
    word = role.lower()
    if word not in ("maker", "taker", ""):
        raise MalformedFrame(f"unknown role {role[:40]!r}", symbol=symbol)
    return word == "maker" if word else None
