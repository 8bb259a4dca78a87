"""Orders of MEXC's futures; amounts are contracts."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from apps.feeds.drivers import asked, money, replies, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.mexc import answers, futures_values, signing
from apps.feeds.drivers.mexc import trading_facts as facts
from apps.feeds.drivers.mexc.facts import FUTURES, OK
from apps.feeds.drivers.trading import Answer, Page, Placed
from apps.feeds.errors import InvalidOrder, UnknownOrder
from apps.feeds.market import Instrument
from apps.feeds.orders import (
    Credentials,
    Fill,
    MarginMode,
    NewOrder,
    OrderRef,
    OrderStatus,
    OrderType,
    OrderUpdate,
    PositionSide,
)


class Taken(Struct, rename="camel"):
    order_id: answers.Named


class Item(Struct, rename="camel"):
    """What became of one cancel."""

    error_code: wire.Code = OK
    error_msg: wire.Words = ""


class Cancel(Struct):
    data: Annotated[list[Item], Meta(max_length=answers.MAX_ROWS)] | Item | None = None


class Found(Struct):
    """An order that is not known is a success without data."""

    data: futures_values.Order | None = None


Orders = Annotated[list[futures_values.Order], Meta(max_length=answers.MAX_ROWS)]
Deals = Annotated[list[futures_values.Deal], Meta(max_length=answers.MAX_ROWS)]

_taken = wire.decoder(answers.Wrapped[Taken | answers.Named])  # the older endpoint tells the bare id
_cancel = wire.decoder(Cancel)
_found = wire.decoder(Found)
_orders = wire.decoder(answers.Wrapped[Orders])
_deals = wire.decoder(answers.Wrapped[Deals])


def place(keys: Credentials, order: NewOrder, now_ms: int) -> Request:
    asked.check(order)
    asked.window_ms(order, now_ms, facts.EXPIRY[FUTURES].longest_ms)
    action = facts.ACTIONS.get((order.position_side, order.side, order.reduce_only))
    if action is None:
        raise InvalidOrder("what opens a position cannot reduce it")
    is_market = order.type is OrderType.MARKET
    content: dict[str, object] = {"symbol": order.instrument.symbol}
    if not is_market:
        content["price"] = Decimal(asked.price(order))
    content |= {
        "vol": Decimal(asked.amount(order)),
        "side": action,
        "type": facts.MARKET_TYPE if is_market else facts.TYPES[order.tif],
        "openType": facts.OPEN_TYPES[order.margin_mode],
        "externalOid": order.client_order_id,
    }
    content |= _mode(order, action)
    return signing.futures_post(keys, "order/create", content, now_ms, budget=facts.ORDERS)


def _mode(order: NewOrder, action: int) -> dict[str, object]:
    """Leverage is needed to open with isolated margin; only one-way mode knows `reduceOnly`."""
    fields: dict[str, object] = {}
    if order.margin_mode is MarginMode.ISOLATED and action in facts.OPENINGS:
        fields["leverage"] = order.leverage or 1
    if order.position_side is not PositionSide.NET:
        return fields | {"positionMode": facts.HEDGE}
    return fields | {"positionMode": facts.ONE_WAY} | ({"reduceOnly": True} if order.reduce_only else {})


def parse_placed(order: NewOrder, answer: Answer) -> Placed:
    taken = answers.futures(_taken, answer, order=True)
    order_id = taken.order_id if isinstance(taken, Taken) else taken
    return Placed(exchange_order_id=str(order_id), client_order_id=None, status=OrderStatus.OPEN)


def cancel(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    if ref.client_order_id is not None:
        content: object = {"symbol": ref.instrument.symbol, "externalOid": ref.client_order_id}
        return signing.futures_post(keys, "order/cancel_with_external", content, now_ms, budget=facts.CANCELS)
    return signing.futures_post(keys, "order/cancel", [ref.exchange_order_id], now_ms, budget=facts.CANCELS)


def parse_cancelled(ref: OrderRef, answer: Answer) -> None:
    answers.accepted(answer, order=True)
    told = replies.read(_cancel, answer, order=True).data
    items = told if isinstance(told, list) else [] if told is None else [told]
    for item in items:
        if item.error_code != OK:
            answers.refuse_item(item.error_code, item.error_msg)


def cancel_all(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    content = {"symbol": instrument.symbol}
    return signing.futures_post(keys, "order/cancel_all", content, now_ms, budget=facts.CANCELS)


def parse_cancelled_all(instrument: Instrument, answer: Answer) -> None:
    answers.accepted(answer, order=True)


def query(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    if ref.client_order_id is None:
        return signing.futures_get(keys, f"order/get/{signing.part(ref.exchange_order_id or '')}", {}, now_ms)
    symbol, ours = signing.part(ref.instrument.symbol), signing.part(ref.client_order_id)
    return signing.futures_get(keys, f"order/external/{symbol}/{ours}", {}, now_ms)


def parse_order(ref: OrderRef, answer: Answer) -> OrderUpdate:
    answers.accepted(answer)
    found = replies.read(_found, answer, order=False).data
    if found is None:
        raise UnknownOrder("a success without data: there is no such order")
    return futures_values.order_update(found)


def open_orders(keys: Credentials, instrument: Instrument | None, now_ms: int, cursor: str | None) -> Request:
    path = "order/list/open_orders" + ("" if instrument is None else f"/{signing.part(instrument.symbol)}")
    return signing.futures_get(keys, path, {"page_num": cursor or "1", "page_size": facts.PAGE}, now_ms)


def parse_open_orders(answer: Answer) -> Page[OrderUpdate]:
    rows = answers.futures(_orders, answer)
    updates = [futures_values.order_update(row) for row in rows]
    return Page(rows=updates, cursor=answers.next_page(answer, len(rows)))


def own_trades(keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None) -> Request:
    params: dict[str, str | int] = {
        "symbol": instrument.symbol,
        "start_time": since_ms,
        "page_num": cursor or "1",
        "page_size": facts.PAGE,
    }
    return signing.futures_get(keys, "order/list/order_deals/v3", params, now_ms)


def parse_own_trades(instrument: Instrument, answer: Answer) -> Page[Fill]:
    rows = answers.futures(_deals, answer)
    return money.executions(rows, futures_values.fill, answers.next_page(answer, len(rows)))


def order_trades(keys: Credentials, ref: OrderRef, now_ms: int, cursor: str | None) -> Request:
    if ref.exchange_order_id is None:
        return own_trades(keys, ref.instrument, now_ms - facts.LAST_TRADES_MS, now_ms, cursor)
    return signing.futures_get(keys, f"order/deal_details/{signing.part(ref.exchange_order_id)}", {}, now_ms)
