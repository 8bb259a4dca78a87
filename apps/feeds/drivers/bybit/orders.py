"""Bybit's orders: place, cancel, look up. An answer to an order only says that it was taken in."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from apps.feeds.drivers import asked, money, replies, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.bybit import answers, facts
from apps.feeds.drivers.bybit import trading_facts as trading
from apps.feeds.drivers.bybit.answers import Envelope, Number, Rows, Word
from apps.feeds.drivers.bybit.signing import get, post
from apps.feeds.drivers.trading import Answer, Page, Placed
from apps.feeds.errors import InvalidOrder, MalformedFrame, OutcomeUnknown, UnknownOrder
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import (
    Credentials,
    NewOrder,
    OrderRef,
    OrderStatus,
    OrderType,
    OrderUpdate,
    PositionSide,
)

SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
_SIDE = {side: word for word, side in SIDES.items()}


class Taken(Struct, rename="camel"):
    order_id: wire.Name
    order_link_id: Word = ""


class Order(Struct, rename="camel"):
    """A row of a list or of the private stream. Numbers that are not there are ""."""

    symbol: wire.Name
    order_id: wire.Name
    side: Literal["Buy", "Sell"]
    order_status: Word
    order_type: Word
    time_in_force: Word
    cum_exec_qty: Number
    qty: Number
    price: Number = ""
    avg_price: Number | None = None
    cum_exec_value: Number | None = None
    order_link_id: Word = ""
    reject_reason: Word = ""
    market_unit: Word = ""
    updated_time: wire.Millis | None = None
    position_idx: wire.Code | None = None  # 0 on spot
    category: Word | None = None


_taken = wire.decoder(Envelope[Taken])
_orders = wire.decoder(Envelope[Rows[Order]])


def place(keys: Credentials, order: NewOrder, now_ms: int) -> Request:
    market_type = order.instrument.market_type
    asked.check(order)
    params = {
        **_about(order.instrument),
        "side": _SIDE[order.side],
        **_kind(order),
        **_position(order),
        "orderLinkId": order.client_order_id,
        "smpType": trading.SELF_TRADES,
    }
    window_ms = asked.window_ms(order, now_ms, trading.EXPIRY.longest_ms)
    return post(keys, "order/create", params, now_ms, window_ms=window_ms, budget=trading.CREATE[market_type])


def _about(instrument: Instrument) -> dict[str, str]:
    return {"category": facts.CATEGORY[instrument.market_type], "symbol": instrument.symbol}


def _kind(order: NewOrder) -> Mapping[str, object]:
    """Type, time in force, amount and price. Market orders on spot say what their amount counts."""
    if order.type is OrderType.LIMIT:
        sized = {"qty": asked.amount(order), "price": asked.price(order)}
        return {"orderType": "Limit", **sized, "timeInForce": trading.TIF[order.tif]}
    if order.quote_amount is not None:
        return {"orderType": "Market", "qty": asked.quote_amount(order), "marketUnit": "quoteCoin"}
    unit = {"marketUnit": "baseCoin"} if order.instrument.market_type is MarketType.SPOT else {}
    return {"orderType": "Market", "qty": asked.amount(order)} | unit


def _position(order: NewOrder) -> dict[str, object]:
    """Hedge mode names the position by its index."""
    told: dict[str, object] = {"reduceOnly": True} if order.reduce_only else {}
    hedged = order.position_side is not PositionSide.NET
    return told | ({"positionIdx": trading.POSITION_INDEX[order.position_side]} if hedged else {})


def parse_placed(order: NewOrder, answer: Answer) -> Placed:
    """Taken in: whether the matcher takes it as well comes on the private stream."""
    row = answers.result(_taken, answer, order=True)
    if row.order_link_id not in ("", order.client_order_id):
        raise OutcomeUnknown("the answer to another order")
    return Placed(exchange_order_id=row.order_id, client_order_id=row.order_link_id or None, status=OrderStatus.OPEN)


def cancel(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    params = _about(ref.instrument) | _named(ref)
    return post(keys, "order/cancel", params, now_ms, budget=trading.CANCEL[ref.instrument.market_type])


def parse_cancelled(ref: OrderRef, answer: Answer) -> None:
    answers.result(_taken, answer, order=True)


def cancel_all(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    """Stop orders too, on futures."""
    budget = trading.CANCEL_ALL[instrument.market_type]
    return post(keys, "order/cancel-all", _about(instrument), now_ms, budget=budget)


def parse_cancelled_all(instrument: Instrument, answer: Answer) -> None:
    answers.done(answer, order=True)


def query(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    """Open orders, and the last 500 that ended."""
    return get(keys, "order/realtime", _about(ref.instrument) | _named(ref), now_ms)


def query_finished(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    """All others; cancelled ones without fills are kept for a day."""
    return get(keys, "order/history", _about(ref.instrument) | _named(ref), now_ms)


def _named(ref: OrderRef) -> dict[str, str]:
    """One id alone: with both, the exchange looks at theirs without a word."""
    if ref.client_order_id is not None:
        return {"orderLinkId": ref.client_order_id}
    if ref.exchange_order_id is None:
        raise InvalidOrder("an order without any id")
    return {"orderId": ref.exchange_order_id}


def parse_order(ref: OrderRef, answer: Answer) -> OrderUpdate:
    """A history may tell an order twice: its last state counts."""
    told = answers.result(_orders, answer)
    _of_category(told.category, ref.instrument.market_type)
    rows = [row for row in told.list if _is(ref, row)]
    if len(rows) < len(told.list):
        raise MalformedFrame("the answer tells of another order", symbol=ref.instrument.symbol)
    if not rows:
        raise UnknownOrder("not found")
    return update(max(rows, key=lambda row: row.updated_time or 0), ref.instrument.market_type)


def _is(ref: OrderRef, row: Order) -> bool:
    if row.symbol != ref.instrument.symbol:
        return False
    if ref.client_order_id is not None:
        return row.order_link_id == ref.client_order_id
    return row.order_id == ref.exchange_order_id


def _of_category(told: str | None, market_type: MarketType) -> None:
    if told is not None and told != facts.CATEGORY[market_type]:
        raise MalformedFrame(f"an answer of another category: {told[:40]!r}")


def open_orders(
    keys: Credentials, market_type: MarketType, instrument: Instrument | None, now_ms: int, cursor: str | None = None
) -> Request:
    """All of futures are asked for by the coin they settle in, one coin after the other."""
    params: dict[str, str | int] = {"category": facts.CATEGORY[market_type]}
    token = cursor
    if instrument is not None:
        params["symbol"] = instrument.symbol
    elif market_type is MarketType.FUTURES:
        params["settleCoin"], token = answers.coin_and_token(cursor)
    params["limit"] = trading.ORDERS_PAGE
    return get(keys, "order/realtime", params | ({"cursor": token} if token else {}), now_ms)


def parse_open_orders(market_type: MarketType, answer: Answer) -> Page[OrderUpdate]:
    told = answers.result(_orders, answer)
    _of_category(told.category, market_type)
    rows = [update(row, market_type) for row in told.list]
    return Page(rows=rows, cursor=answers.next_page(answer, told.next_page_cursor))


def update(row: Order, market_type: MarketType) -> OrderUpdate:
    filled = money.amount(row.cum_exec_qty)
    market = row.order_type == "Market"
    in_quote = market and market_type is MarketType.SPOT and spends_quote(row)
    return money.sound(
        OrderUpdate(
            symbol=row.symbol,
            exchange_order_id=row.order_id,
            client_order_id=row.order_link_id or None,
            status=status(row),
            side=SIDES[row.side],
            filled=filled,
            amount=None if in_quote else money.amount(row.qty) or None,
            price=None if market else money.amount(row.price) or None,  # of a market order: its limit of slippage
            average_price=_average(row, filled),
            exchange_ms=row.updated_time,
            position_side=None if market_type is MarketType.SPOT else _position_side(row),
            text=_words(row),
        )
    )


def _position_side(row: Order) -> PositionSide | None:
    if row.position_idx is None:
        return None
    known = trading.POSITION_SIDE.get(row.position_idx)
    if known is None:
        raise MalformedFrame(f"unknown index of a position: {row.position_idx}", symbol=row.symbol)
    return known


def spends_quote(row: Order) -> bool:
    """A market order on spot, whose amount may be in quote currency: a buy's is unless it says otherwise."""
    return row.market_unit == "quoteCoin" or (row.side == "Buy" and row.market_unit != "baseCoin")


def status(row: Order) -> OrderStatus:
    known = trading.ORDER_STATUS.get(row.order_status)
    if known is None:
        raise MalformedFrame(f"unknown status of an order: {row.order_status!r}", symbol=row.symbol)
    if row.order_status == trading.DUST_LEFT and row.order_type == "Market":
        return OrderStatus.FILLED if spends_quote(row) else OrderStatus.EXPIRED
    if row.order_status == trading.CANCELLED:
        if row.reject_reason == trading.TOOK:
            return OrderStatus.REJECTED
        if row.time_in_force in trading.AT_ONCE:
            return OrderStatus.EXPIRED
    return known


def _average(row: Order, filled: Decimal) -> Decimal | None:
    told = money.positive(row.avg_price)
    if told is not None:
        return told
    value = money.positive(row.cum_exec_value)
    return value / filled if value is not None and filled > 0 else None


def _words(row: Order) -> str:
    reason = "" if row.reject_reason in trading.NO_REASON else f" {row.reject_reason}"
    return replies.readable(row.order_status + reason)
