"""HTX's orders of linear swaps by REST (v5): requests and answers. Amounts are contracts, client ids whole numbers."""

from msgspec import Struct

from apps.feeds.drivers import asked, money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.htx import answers, records, signing
from apps.feeds.drivers.htx import trading_facts as facts
from apps.feeds.drivers.htx.facts import FUTURES
from apps.feeds.drivers.htx.records import SwapMatch, SwapOrder
from apps.feeds.drivers.trading import Answer, Page, Placed
from apps.feeds.errors import InvalidOrder, OrderIsFinal, OutcomeUnknown, UnknownOrder
from apps.feeds.market import Instrument
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

OK = 200


class Ids(Struct):
    order_id: wire.Word
    client_order_id: wire.Word | None = None


class Item(Struct):
    """One of the orders that a request for several is about."""

    code: wire.Code = OK
    message: wire.Words = ""
    order_id: wire.Word = ""


_ids = wire.decoder(answers.Data[Ids])
_items = wire.decoder(answers.Rows[Item])
_order = wire.decoder(answers.Data[SwapOrder])
_orders = wire.decoder(answers.Rows[SwapOrder])
_matches = wire.decoder(answers.Rows[SwapMatch])


def place(keys: Credentials, order: NewOrder, now_ms: int) -> Request:
    """There is no expiry to send: whether it is too late is looked at here only."""
    asked.check(order)
    asked.window_ms(order, now_ms, facts.EXPIRY.longest_ms)
    is_limit, amount = order.type is OrderType.LIMIT, asked.amount(order)
    content = {
        "contract_code": order.instrument.symbol,
        "margin_mode": order.margin_mode.value,
        "position_side": "both" if order.position_side is PositionSide.NET else order.position_side.value,
        "side": order.side.value,
        "type": "post_only" if is_limit and order.tif is TimeInForce.POST_ONLY else order.type.value,
        "price": asked.price(order) if is_limit else None,
        "volume": amount,
        "time_in_force": "ioc" if order.tif is TimeInForce.IOC else "gtc",
        "reduce_only": 1 if order.reduce_only else None,
        "client_order_id": _our_id(order.client_order_id),
        "self_match_prevent": facts.SELF_MATCH,
    }
    return signing.post(keys, FUTURES, facts.TRADE, "/v5/trade/order", content, now_ms)


def parse_placed(order: NewOrder, answer: Answer) -> Placed:
    told = answers.read(_ids, FUTURES, answer, order=True).data
    if told is None:
        raise OutcomeUnknown("accepted, but without an order id")
    return Placed(
        exchange_order_id=told.order_id,
        client_order_id=records.own_id(told.client_order_id, told.order_id),
        status=OrderStatus.OPEN,
    )


def cancel(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    return signing.post(keys, FUTURES, facts.TRADE, "/v5/trade/cancel_order", _named(ref, ours_first=True), now_ms)


def parse_cancelled(ref: OrderRef, answer: Answer) -> None:
    answers.accept(FUTURES, answer, order=True)


def cancel_all(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    content = {"contract_code": instrument.symbol}
    return signing.post(keys, FUTURES, facts.TRADE, "/v5/trade/cancel_all_orders", content, now_ms)


def parse_cancelled_all(answer: Answer) -> None:
    """Each order has an answer of its own; those that were over already need none, nor does an empty list."""
    try:
        items = answers.read(_items, FUTURES, answer, order=True).data or []
    except UnknownOrder:
        return
    for item in items:
        if item.code == OK or facts.FUTURES_ERRORS.get(str(item.code)) in (UnknownOrder, OrderIsFinal):
            continue
        answers.refuse(str(item.code), item.message, FUTURES, answer, order=True)


def query(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    return signing.get(keys, FUTURES, facts.READ, "/v5/trade/order", _named(ref, ours_first=False), now_ms)


def parse_order(answer: Answer) -> OrderUpdate:
    told = answers.read(_order, FUTURES, answer).data
    if told is None:
        raise UnknownOrder("no order of that id")
    return records.swap_update(told)


def open_orders(keys: Credentials, instrument: Instrument | None, now_ms: int, cursor: str | None) -> Request:
    """A cursor is the `id` of the last row of the page before."""
    params = {
        "contract_code": None if instrument is None else instrument.symbol,
        "limit": facts.FUTURES_ROWS,
        "from": cursor,
        "direct": None if cursor is None else "next",
    }
    return signing.get(keys, FUTURES, facts.READ, "/v5/trade/order/opens", params, now_ms)


def parse_open_orders(answer: Answer) -> Page[OrderUpdate]:
    rows = answers.read(_orders, FUTURES, answer).data or []
    last = (rows[-1].id or rows[-1].order_id) if len(rows) >= facts.FUTURES_ROWS else None
    return Page(rows=[records.swap_update(row) for row in rows], cursor=last)


def own_trades(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    """Three days are kept."""
    start, end, last = answers.window(since_ms, now_ms, cursor)
    params = {
        "contract_code": instrument.symbol,
        "start_time": start,
        "end_time": end,
        "limit": facts.FUTURES_ROWS,
        "from": last,
        "direct": None if last is None else "next",
    }
    return signing.get(keys, FUTURES, facts.READ, "/v5/trade/order/details", params, now_ms)


def parse_own_trades(answer: Answer) -> Page[Fill]:
    rows = answers.read(_matches, FUTURES, answer).data or []
    last = rows[-1].id if len(rows) >= facts.FUTURES_ROWS else None
    cursor = answers.next_window(answer, "start_time", "end_time", last) or last  # an order's have no window
    return money.executions(rows, records.swap_fill, cursor)


def order_trades(keys: Credentials, ref: OrderRef, now_ms: int, cursor: str | None = None) -> Request:
    if ref.exchange_order_id is None:
        return own_trades(keys, ref.instrument, now_ms - facts.RECENT_MS, now_ms, cursor)
    params = {
        "contract_code": ref.instrument.symbol,
        "order_id": ref.exchange_order_id,
        "limit": facts.FUTURES_ROWS,
        "from": cursor,
        "direct": None if cursor is None else "next",
    }
    return signing.get(keys, FUTURES, facts.READ, "/v5/trade/order/details", params, now_ms)


def _named(ref: OrderRef, *, ours_first: bool) -> dict[str, object]:
    """One id: the exchange takes either."""
    content: dict[str, object] = {"contract_code": ref.instrument.symbol}
    if ref.client_order_id is not None and (ours_first or ref.exchange_order_id is None):
        return content | {"client_order_id": _our_id(ref.client_order_id)}
    return content | {"order_id": ref.exchange_order_id}


def _our_id(client_order_id: str) -> int:
    if not client_order_id.isascii() or not client_order_id.isdigit() or not 0 < int(client_order_id) < 2**63:
        raise InvalidOrder("a client id is a whole number below 2**63 there")
    return int(client_order_id)
