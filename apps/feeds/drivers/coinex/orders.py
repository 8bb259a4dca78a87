"""CoinEx's orders by REST: requests and answers."""

from msgspec import Struct

from apps.feeds.drivers import asked, money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.coinex import answers, records, signing
from apps.feeds.drivers.coinex import trading_facts as facts
from apps.feeds.drivers.coinex.answers import Many
from apps.feeds.drivers.coinex.records import Deal, Order
from apps.feeds.drivers.trading import Answer, Page, Placed
from apps.feeds.errors import InvalidOrder, OutcomeUnknown, UnknownOrder
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import (
    Credentials,
    Fill,
    NewOrder,
    OrderRef,
    OrderType,
    OrderUpdate,
    PositionSide,
)

RECENT_MS = 600_000


class Item(Struct):
    """One of several orders that share a client id."""

    code: wire.Code
    message: wire.Words = ""


_order = wire.decoder(Order)
_orders = wire.decoder(Many[Order])
_found: wire.Decoder[Order | list[Order]] = wire.decoder(Order | Many[Order])  # type: ignore[arg-type]
_items = wire.decoder(Many[Item])
_deals = wire.decoder(Many[Deal])


def place(keys: Credentials, order: NewOrder, now_ms: int) -> Request:
    """Reduce-only goes another way: it names no side, the position that is there does."""
    asked.check(order)
    market_type, instrument = order.instrument.market_type, order.instrument
    if order.position_side is not PositionSide.NET:
        raise InvalidOrder("there is one position of a market, long or short")
    window_ms = asked.window_ms(order, now_ms, facts.EXPIRY.longest_ms)
    amount, ccy = _amount(order)
    is_limit = order.type is OrderType.LIMIT
    content = {
        "market": instrument.symbol,
        "market_type": facts.MARKET_TYPE[market_type],
        "side": None if order.reduce_only else order.side.value,
        "type": facts.LIMIT_TYPES[order.tif] if is_limit else "market",
        "amount": amount,
        "price": asked.price(order) if is_limit else None,
        "ccy": ccy,
        "client_id": order.client_order_id,
        "stp_mode": facts.SELF_TRADE,
    }
    path = f"{facts.MARKET[market_type]}/{'close-position' if order.reduce_only else 'order'}"
    return signing.post(keys, market_type, facts.PLACE, path, content, now_ms, window_ms=window_ms)


def _amount(order: NewOrder) -> tuple[str, str | None]:
    """With its currency, which a market order on spot must name: buys are in quote currency otherwise."""
    instrument = order.instrument
    if order.quote_amount is not None:
        return asked.quote_amount(order), instrument.quote
    names_it = order.type is OrderType.MARKET and instrument.market_type is MarketType.SPOT
    return asked.amount(order), instrument.base if names_it else None


def parse_placed(order: NewOrder, answer: Answer) -> Placed:
    told = answers.data(_order, answer, order=True)
    if told is None:
        raise OutcomeUnknown("accepted, but without an order")
    return Placed(
        exchange_order_id=str(told.order_id),
        client_order_id=told.client_id or None,
        status=records.by_amounts(told),
        filled=money.executed(told.filled),
    )


def cancel(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    market_type = ref.instrument.market_type
    where, content = facts.MARKET[market_type], _market(ref.instrument)
    if ref.client_order_id is not None:
        content["client_id"] = ref.client_order_id
        return signing.post(keys, market_type, facts.CANCEL_MORE, f"{where}/cancel-order-by-client-id", content, now_ms)
    content["order_id"] = _number(ref)
    return signing.post(keys, market_type, facts.CANCEL, f"{where}/cancel-order", content, now_ms)


def parse_cancelled(ref: OrderRef, answer: Answer) -> None:
    """By client id the answer is a list of all orders of that id, ours has one."""
    if ref.client_order_id is None:
        answers.done(answer, order=True)
        return
    items = answers.data(_items, answer, order=True)
    if not items:
        raise UnknownOrder("no open order of that client id")
    for item in items:
        answers.refuse(item.code, item.message, answer, order=True)


def cancel_all(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    market_type = instrument.market_type
    path = f"{facts.MARKET[market_type]}/cancel-all-order"
    return signing.post(keys, market_type, facts.CANCEL_MORE, path, _market(instrument), now_ms)


def parse_cancelled_all(instrument: Instrument, answer: Answer) -> None:
    answers.done(answer, order=True)


def query(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    """By their id it finds every order that is kept: one that was cancelled before any fill is not."""
    if ref.exchange_order_id is None:
        return _by_client_id(keys, ref, facts.QUERY, "pending-order", now_ms)
    market_type = ref.instrument.market_type
    content = {"market": ref.instrument.symbol, "order_id": _number(ref)}
    return signing.get(keys, market_type, facts.QUERY, f"{facts.MARKET[market_type]}/order-status", content, now_ms)


def query_finished(keys: Credentials, ref: OrderRef, now_ms: int) -> Request | None:
    if ref.exchange_order_id is not None:
        return None
    return _by_client_id(keys, ref, facts.HISTORY, "finished-order", now_ms)


def parse_order(ref: OrderRef, answer: Answer) -> OrderUpdate:
    found = answers.data(_found, answer)
    rows = found if isinstance(found, list) else [] if found is None else [found]
    for row in rows:
        if ref.client_order_id in (None, row.client_id) or ref.exchange_order_id == str(row.order_id):
            # A list of finished orders does not say how they ended: their amounts do.
            finished = row.status is None and "/finished-order" in answer.url
            return records.rest_update(row, finished=finished)
    raise UnknownOrder("no order of that id")


def open_orders(
    keys: Credentials, market_type: MarketType, instrument: Instrument | None, now_ms: int, cursor: str | None = None
) -> Request:
    content = _page(market_type, cursor) | {"market": None if instrument is None else instrument.symbol}
    return signing.get(keys, market_type, facts.QUERY, f"{facts.MARKET[market_type]}/pending-order", content, now_ms)


def parse_open_orders(market_type: MarketType, answer: Answer) -> Page[OrderUpdate]:
    rows, cursor = answers.page(_orders, answer)
    return Page(rows=[records.rest_update(row, finished=False) for row in rows], cursor=cursor)


def own_trades(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    market_type = instrument.market_type
    content = _page(market_type, cursor) | {"market": instrument.symbol, "start_time": since_ms}
    return signing.get(keys, market_type, facts.HISTORY, f"{facts.MARKET[market_type]}/user-deals", content, now_ms)


def parse_own_trades(instrument: Instrument, answer: Answer) -> Page[Fill]:
    rows, cursor = answers.page(_deals, answer)
    return money.executions(rows, records.fill, cursor)


def order_trades(keys: Credentials, ref: OrderRef, now_ms: int, cursor: str | None = None) -> Request:
    if ref.exchange_order_id is None:
        return own_trades(keys, ref.instrument, now_ms - RECENT_MS, now_ms, cursor)
    market_type = ref.instrument.market_type
    content = _page(market_type, cursor) | {"market": ref.instrument.symbol, "order_id": _number(ref)}
    return signing.get(keys, market_type, facts.HISTORY, f"{facts.MARKET[market_type]}/order-deals", content, now_ms)


def _by_client_id(keys: Credentials, ref: OrderRef, group: str, path: str, now_ms: int) -> Request:
    market_type = ref.instrument.market_type
    content = _page(market_type, None) | {"market": ref.instrument.symbol, "client_id": ref.client_order_id}
    return signing.get(keys, market_type, group, f"{facts.MARKET[market_type]}/{path}", content, now_ms)


def _market(instrument: Instrument) -> dict[str, object]:
    return {"market": instrument.symbol, "market_type": facts.MARKET_TYPE[instrument.market_type]}


def _page(market_type: MarketType, cursor: str | None) -> dict[str, object]:
    return {"market_type": facts.MARKET_TYPE[market_type], "page": cursor or "1", "limit": facts.PAGE_ROWS}


def _number(ref: OrderRef) -> int:
    """Their ids are numbers in requests."""
    told = ref.exchange_order_id or ""
    if not told.isascii() or not told.isdigit():
        raise UnknownOrder("an order id is a number there")
    return int(told)
