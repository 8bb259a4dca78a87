"""HTX's spot orders by REST: requests and answers."""

from msgspec import Struct

from apps.feeds.drivers import asked, money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.htx import answers, identity, records, signing
from apps.feeds.drivers.htx import trading_facts as facts
from apps.feeds.drivers.htx.facts import SPOT
from apps.feeds.drivers.htx.records import SpotMatch, SpotOrder
from apps.feeds.drivers.trading import Answer, Page, Placed
from apps.feeds.errors import InvalidOrder, OutcomeUnknown, Retryable, UnknownOrder
from apps.feeds.market import Instrument, Side
from apps.feeds.orders import (
    Credentials,
    Fill,
    NewOrder,
    OrderRef,
    OrderStatus,
    OrderType,
    OrderUpdate,
    PositionSide,
)


class Cancelled(Struct, rename="kebab"):
    """`next_id` -1: no more orders are left for another request."""

    success_count: wire.Code
    failed_count: wire.Code
    next_id: wire.Code


_number = wire.decoder(answers.Data[wire.Id])
_state = wire.decoder(answers.Data[wire.Code])
_cancelled = wire.decoder(answers.Data[Cancelled])
_order = wire.decoder(answers.Data[SpotOrder])
_orders = wire.decoder(answers.Rows[SpotOrder])
_matches = wire.decoder(answers.Rows[SpotMatch])


def place(keys: Credentials, order: NewOrder, now_ms: int) -> Request:
    """There is no expiry to send: whether it is too late is looked at here only."""
    asked.check(order)
    asked.window_ms(order, now_ms, facts.EXPIRY.longest_ms)
    if order.position_side is not PositionSide.NET:
        raise InvalidOrder("spot has no positions")
    is_limit = order.type is OrderType.LIMIT
    content = {
        "account-id": identity.wallet_id(keys),
        "symbol": order.instrument.symbol,
        "type": f"{order.side.value}-{facts.SPOT_TYPES[order.tif] if is_limit else 'market'}",
        "amount": _amount(order),
        "price": asked.price(order) if is_limit else None,
        "source": "spot-api",
        "client-order-id": order.client_order_id,
        "self-match-prevent": facts.SELF_MATCH_PREVENTED,
    }
    return signing.post(keys, SPOT, facts.PLACE, "/v1/order/orders/place", content, now_ms)


def _amount(order: NewOrder) -> str:
    """A market buy takes nothing but quote currency, with no more decimals than amounts in base currency have."""
    if order.type is OrderType.LIMIT or order.side is Side.SELL:
        return asked.amount(order)
    told = asked.quote_amount(order)
    if order.quote_amount is None or order.quote_amount % order.instrument.lot:
        raise InvalidOrder(f"{order.instrument.symbol}: {told} has more decimals than the lot")
    return told


def parse_placed(order: NewOrder, answer: Answer) -> Placed:
    told = answers.read(_number, SPOT, answer, order=True).data
    if told is None:
        raise OutcomeUnknown("accepted, but without an order id")
    return Placed(exchange_order_id=str(told), client_order_id=order.client_order_id, status=OrderStatus.OPEN)


def cancel(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    if ref.client_order_id is not None:
        content = {"client-order-id": ref.client_order_id}
        return signing.post(keys, SPOT, facts.PLACE, "/v1/order/orders/submitCancelClientOrder", content, now_ms)
    return signing.post(keys, SPOT, facts.PLACE, f"/v1/order/orders/{_their_id(ref)}/submitcancel", {}, now_ms)


def parse_cancelled(ref: OrderRef, answer: Answer) -> None:
    """Accepted, not done: the push tells when. By client id the answer is the state that the order was in."""
    told = answers.read(_state, SPOT, answer, order=True).data
    if told is None:
        raise OutcomeUnknown("accepted, but without a state")
    if ref.client_order_id is None:
        return
    if told in facts.CANCEL_STATES:
        raise facts.CANCEL_STATES[told](f"state {told}", code=str(told))
    if told != facts.CANCELLING and told < facts.FIRST_ORDER_ID:
        raise OutcomeUnknown(f"unknown state {told}", code=str(told))


def cancel_all(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    content = {"account-id": identity.wallet_id(keys), "symbol": instrument.symbol, "size": 100}
    return signing.post(keys, SPOT, facts.CANCEL_ALL, "/v1/order/orders/batchCancelOpenOrders", content, now_ms)


def parse_cancelled_all(answer: Answer) -> None:
    """Raise Retryable where orders are left: one request cancels a hundred."""
    told = answers.read(_cancelled, SPOT, answer, order=True).data
    if told is not None and told.next_id != -1:
        raise Retryable("more orders are to be cancelled", after_s=0.1)


def query(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    """By client id finished orders are found for two hours only."""
    if ref.exchange_order_id is None:
        params = {"clientOrderId": ref.client_order_id}
        return signing.get(keys, SPOT, facts.QUERY, "/v1/order/orders/getClientOrder", params, now_ms)
    return signing.get(keys, SPOT, facts.QUERY, f"/v1/order/orders/{_their_id(ref)}", {}, now_ms)


def parse_order(answer: Answer) -> OrderUpdate:
    told = answers.read(_order, SPOT, answer).data
    if told is None:
        raise UnknownOrder("no order of that id")
    return records.spot_update(told)


def open_orders(keys: Credentials, instrument: Instrument | None, now_ms: int, cursor: str | None) -> Request:
    """A cursor is the id of the last order of the page before."""
    params = {
        "account-id": identity.wallet_id(keys),
        "symbol": None if instrument is None else instrument.symbol,
        "size": facts.SPOT_ROWS,
        "from": cursor,
        "direct": None if cursor is None else "next",
    }
    return signing.get(keys, SPOT, facts.QUERY, "/v1/order/openOrders", params, now_ms)


def parse_open_orders(answer: Answer) -> Page[OrderUpdate]:
    rows = answers.read(_orders, SPOT, answer).data or []
    last = str(rows[-1].id) if len(rows) >= facts.SPOT_ROWS else None
    return Page(rows=[records.spot_update(row) for row in rows], cursor=last)


def own_trades(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    start, end, last = answers.window(since_ms, now_ms, cursor)
    params = {
        "symbol": instrument.symbol,
        "start-time": start,
        "end-time": end,
        "size": facts.SPOT_ROWS,
        "from": last,
        "direct": None if last is None else "next",
    }
    return signing.get(keys, SPOT, facts.QUERY, "/v1/order/matchresults", params, now_ms)


def parse_own_trades(answer: Answer) -> Page[Fill]:
    rows = answers.read(_matches, SPOT, answer).data or []
    last = str(rows[-1].id) if len(rows) >= facts.SPOT_ROWS else None
    cursor = answers.next_window(answer, "start-time", "end-time", last)
    return money.executions(rows, records.spot_fill, cursor)


def order_trades(keys: Credentials, ref: OrderRef, now_ms: int, cursor: str | None = None) -> Request:
    if ref.exchange_order_id is None:
        return own_trades(keys, ref.instrument, now_ms - facts.RECENT_MS, now_ms, cursor)
    path = f"/v1/order/orders/{_their_id(ref)}/matchresults"  # all of them in one answer
    return signing.get(keys, SPOT, facts.QUERY, path, {}, now_ms)


def _their_id(ref: OrderRef) -> str:
    """It stands in paths: nothing but a number may."""
    told = ref.exchange_order_id or ""
    if not told.isascii() or not told.isdigit():
        raise UnknownOrder("an order id is a number there")
    return told
