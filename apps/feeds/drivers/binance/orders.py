"""Binance's orders: place, cancel, look up."""

from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from apps.feeds.drivers import asked, money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.binance import account, answers, facts
from apps.feeds.drivers.binance import trading_facts as trading
from apps.feeds.drivers.binance.signing import signed
from apps.feeds.drivers.trading import Answer, Page, Placed
from apps.feeds.errors import InvalidOrder, MalformedFrame, OutcomeUnknown
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import (
    Credentials,
    Fill,
    NewOrder,
    OrderRef,
    OrderStatus,
    OrderType,
    OrderUpdate,
    PositionSide,
    TimeInForce,
)

Word: TypeAlias = Annotated[str, Meta(max_length=64)]
MAX_ROWS = 5_000  # open orders of an account, fills of an order
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_TIF = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.POST_ONLY: "GTX"}


class Execution(money.Exact, rename="camel"):
    """A fill in the answer to a new order."""

    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: Word
    trade_id: wire.Id


class Order(money.Exact, rename="camel"):
    """An order of either market; the short answer to a new one has ids alone."""

    symbol: wire.Name
    order_id: wire.Id
    client_order_id: Word
    status: wire.Word | None = None
    side: Literal["BUY", "SELL"] | None = None
    price: Decimal | None = None
    orig_qty: Decimal | None = None
    executed_qty: Decimal | None = None
    cummulative_quote_qty: Decimal | None = None  # spelt so; negative is "unknown"
    avg_price: Decimal | None = None
    time: wire.Millis | None = None
    update_time: wire.Millis | None = None
    transact_time: wire.Millis | None = None
    position_side: wire.Word | None = None  # futures
    fills: Annotated[list[Execution], Meta(max_length=MAX_ROWS)] = []


Orders: TypeAlias = Annotated[list[Order], Meta(max_length=MAX_ROWS)]
_order = wire.decoder(Order)
_orders: wire.Decoder[list[Order]] = wire.decoder(Orders)


def place(keys: Credentials, order: NewOrder, now_ms: int) -> Request:
    market_type = order.instrument.market_type
    asked.check(order)
    path, weight = trading.PLACE[market_type]
    params = {"symbol": order.instrument.symbol, "side": order.side.value.upper()}
    params |= _kind(order) | _position(order)
    params["newClientOrderId"] = order.client_order_id
    params["newOrderRespType"] = trading.RESPONSE[market_type]
    params["selfTradePreventionMode"] = trading.SELF_TRADES
    window_ms = asked.window_ms(order, now_ms, trading.EXPIRY.longest_ms)
    url = f"{facts.REST[market_type]}/{path}"
    return signed(
        keys, "POST", url, params, now_ms, window_ms=window_ms, weight=weight, budget=trading.ORDERS[market_type]
    )


def _kind(order: NewOrder) -> dict[str, str]:
    """Type, time in force, amount and price."""
    if order.type is OrderType.MARKET:
        if order.quote_amount is not None:
            return {"type": "MARKET", "quoteOrderQty": asked.quote_amount(order)}
        return {"type": "MARKET", "quantity": asked.amount(order)}
    sized = {"quantity": asked.amount(order), "price": asked.price(order)}
    if order.instrument.market_type is MarketType.SPOT and order.tif is TimeInForce.POST_ONLY:
        return {"type": "LIMIT_MAKER"} | sized
    return {"type": "LIMIT", "timeInForce": _TIF[order.tif]} | sized


def _position(order: NewOrder) -> dict[str, str]:
    """Hedge mode names the position and takes no reduceOnly: an order either closes there, or it opens."""
    if order.position_side is PositionSide.NET:
        return {"reduceOnly": "true"} if order.reduce_only else {}
    return {"positionSide": order.position_side.value.upper()}


def parse_placed(order: NewOrder, answer: Answer) -> Placed:
    """A fill of the answer took: what rests fills later."""
    market_type = order.instrument.market_type
    row = answers.result(_order, market_type, answer, order=True)
    if row.symbol != order.instrument.symbol or row.client_order_id != order.client_order_id:
        raise OutcomeUnknown("the answer to another order")
    try:
        return Placed(
            exchange_order_id=str(row.order_id),
            client_order_id=row.client_order_id,
            status=OrderStatus.OPEN if row.status is None else status(row.status, row.executed_qty, row.orig_qty),
            filled=money.executed(row.executed_qty),
            fills=tuple(_taken(order, row, fill) for fill in row.fills),
        )
    except MalformedFrame as error:
        raise OutcomeUnknown(str(error)) from error


def _taken(order: NewOrder, row: Order, fill: Execution) -> Fill:
    if row.transact_time is None:
        raise MalformedFrame("fills without their time", symbol=row.symbol)
    return money.sound(
        Fill(
            symbol=row.symbol,
            exchange_order_id=str(row.order_id),
            client_order_id=row.client_order_id,
            trade_id=str(fill.trade_id),
            side=order.side,
            price=fill.price,
            amount=fill.qty,
            fee=fill.commission,
            fee_asset=fill.commission_asset,
            is_maker=False,
            exchange_ms=row.transact_time,
        )
    )


def cancel(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    url = f"{facts.REST[ref.instrument.market_type]}/order"
    return signed(keys, "DELETE", url, _named(ref), now_ms, weight=1)


def parse_cancelled(ref: OrderRef, answer: Answer) -> None:
    answers.result(_order, ref.instrument.market_type, answer, order=True)


def cancel_all(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    path, weight = trading.CANCEL_ALL[instrument.market_type]
    url = f"{facts.REST[instrument.market_type]}/{path}"
    return signed(keys, "DELETE", url, {"symbol": instrument.symbol}, now_ms, weight=weight)


def query(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    market_type = ref.instrument.market_type
    weight = trading.QUERY_WEIGHT[market_type]
    url = f"{facts.REST[market_type]}/order"
    return signed(keys, "GET", url, _named(ref), now_ms, weight=weight)


def _named(ref: OrderRef) -> dict[str, str | int]:
    """One id alone: with both, the exchange looks up theirs and then wants ours to match."""
    name = {"symbol": ref.instrument.symbol}
    if ref.client_order_id is not None:
        return {**name, "origClientOrderId": ref.client_order_id}
    if ref.exchange_order_id is None:
        raise InvalidOrder("an order without any id")
    return {**name, "orderId": ref.exchange_order_id}


def parse_order(ref: OrderRef, answer: Answer) -> OrderUpdate:
    row = answers.result(_order, ref.instrument.market_type, answer)
    ours = ref.client_order_id
    theirs = ref.exchange_order_id
    if row.symbol != ref.instrument.symbol or (
        row.client_order_id != ours if ours is not None else str(row.order_id) != theirs
    ):
        raise MalformedFrame("the answer tells of another order", symbol=row.symbol)
    return _update(row)


def open_orders(
    keys: Credentials, market_type: MarketType, instrument: Instrument | None, now_ms: int, cursor: str | None = None
) -> Request:
    """One answer has them all."""
    one, every = trading.OPEN_ORDERS_WEIGHT[market_type]
    params: dict[str, str | int] = {} if instrument is None else {"symbol": instrument.symbol}
    return signed(
        keys,
        "GET",
        f"{facts.REST[market_type]}/openOrders",
        params,
        now_ms,
        weight=every if instrument is None else one,
    )


def parse_open_orders(market_type: MarketType, answer: Answer) -> Page[OrderUpdate]:
    return Page(rows=[_update(row) for row in answers.result(_orders, market_type, answer)])


def _update(row: Order) -> OrderUpdate:
    if row.status is None or row.side is None or row.executed_qty is None:
        raise MalformedFrame("an order without status, side or filled amount", symbol=row.symbol)
    return money.sound(
        OrderUpdate(
            symbol=row.symbol,
            exchange_order_id=str(row.order_id),
            client_order_id=row.client_order_id or None,
            status=status(row.status, row.executed_qty, row.orig_qty),
            side=SIDES[row.side],
            filled=row.executed_qty,
            amount=row.orig_qty or None,
            price=row.price or None,
            average_price=average(row.avg_price, row.cummulative_quote_qty, row.executed_qty),
            exchange_ms=row.update_time or row.transact_time or row.time,
            position_side=account.told_side(row.position_side),
            text=row.status,
        )
    )


def status(told: str, filled: Decimal | None, amount: Decimal | None) -> OrderStatus:
    if told in trading.FORCED:
        if not filled:
            return OrderStatus.OPEN
        return OrderStatus.PARTIAL if amount is not None and filled < amount else OrderStatus.FILLED
    known = trading.ORDER_STATUS.get(told)
    if known is None:
        raise MalformedFrame(f"unknown status of an order: {told[:40]!r}")
    return known


def average(told: Decimal | None, quote: Decimal | None, filled: Decimal) -> Decimal | None:
    """Of what is filled: as told (0 is none), or from its value."""
    if told is not None and told > 0:
        return told
    return quote / filled if quote is not None and quote > 0 and filled > 0 else None
