"""KuCoin's orders by REST, of classic and unified accounts: requests, and their answers to values."""

from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct
from msgspec.structs import replace

from apps.feeds.drivers import asked, money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.kucoin import answers, records, signing
from apps.feeds.drivers.kucoin import trading_facts as facts
from apps.feeds.drivers.kucoin.trading_facts import Deed
from apps.feeds.drivers.trading import Answer, DeadManTerms, Page, Placed
from apps.feeds.errors import InvalidOrder, MalformedFrame, OutcomeUnknown, UnknownOrder
from apps.feeds.market import Instrument, MarketType
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
    TimeInForce,
)

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES


class Accepted(Struct, rename="camel"):
    order_id: wire.Name
    client_oid: wire.Word | None = None


class Cancelled(Struct, rename="camel"):
    """Classic futures list what was cancelled; the others name the order."""

    cancelled_order_ids: answers.Many[wire.Name] | None = None


class Armed(Struct, rename="camel"):
    """In seconds; 0 when it is off."""

    trigger_time: Annotated[int, Meta(ge=0, le=10**11)]


_armed = wire.decoder(answers.Reply[Armed])
_accepted = wire.decoder(answers.Reply[Accepted])
_cancelled = wire.decoder(answers.Reply[Cancelled])
_order = wire.decoder(answers.Reply[records.Order | None])
_orders = wire.decoder(answers.Reply[answers.Many[records.Order] | answers.Items[records.Order]])
_trades = wire.decoder(answers.Reply[answers.Many[records.Trade] | answers.Items[records.Trade]])


def place(keys: Credentials, order: NewOrder, now_ms: int) -> Request:
    asked.check(order)
    window_ms = asked.window_ms(order, now_ms, facts.SIGNATURE_MS)
    market_type = order.instrument.market_type
    unified = facts.generation(keys) is facts.UNIFIED
    if market_type is SPOT and order.position_side is not PositionSide.NET:
        raise InvalidOrder("there are no positions on spot")
    expires_ms, fields = None, _unified(order) if unified else _classic(order)
    if market_type is SPOT and not unified:
        expires_ms = now_ms + window_ms
        fields |= {"clientTimestamp": now_ms, "allowMaxTimeWindow": window_ms}
    return signing.act(keys, market_type, Deed.PLACE, {}, now_ms, fields=fields, expires_ms=expires_ms)


def _classic(order: NewOrder) -> dict[str, object]:
    spot = order.instrument.market_type is SPOT
    fields: dict[str, object] = {
        "clientOid": order.client_order_id,
        "symbol": order.instrument.symbol,
        "side": order.side.value,
        "type": order.type.value,
    }
    if order.quote_amount is not None:
        fields["funds"] = asked.quote_amount(order)
    else:
        amount = asked.amount(order)
        fields["size"] = amount if spot or not amount.isdigit() else int(amount)
    return fields | _limits(order) | ({} if spot else _margin(order) | _leverage(order)) | {"stp": facts.SELF_TRADE}


def _unified(order: NewOrder) -> dict[str, object]:
    spot = order.instrument.market_type is SPOT
    fields: dict[str, object] = {
        "clientOid": order.client_order_id,
        "tradeType": facts.PRODUCT[order.instrument.market_type],
        "symbol": order.instrument.symbol,
        "side": order.side.upper(),
        "orderType": order.type.upper(),
    }
    if order.quote_amount is not None:
        fields |= {"size": asked.quote_amount(order), "sizeUnit": facts.QUOTE_UNIT}
    else:
        fields |= {"size": asked.amount(order), "sizeUnit": facts.BASE_UNIT if spot else facts.CONTRACTS}
    return fields | _limits(order) | ({} if spot else _margin(order)) | {"stp": facts.SELF_TRADE}


def _limits(order: NewOrder) -> dict[str, object]:
    if order.type is not OrderType.LIMIT:
        return {}
    fields: dict[str, object] = {"price": asked.price(order), "timeInForce": facts.TIME_IN_FORCE[order.tif]}
    return fields | ({"postOnly": True} if order.tif is TimeInForce.POST_ONLY else {})


def _margin(order: NewOrder) -> dict[str, object]:
    fields: dict[str, object] = {"marginMode": order.margin_mode.upper()}
    if order.reduce_only:
        fields["reduceOnly"] = True
    if order.position_side is not PositionSide.NET:
        fields["positionSide"] = order.position_side.upper()
    return fields


def _leverage(order: NewOrder) -> dict[str, object]:
    """Isolated margin takes it from each order that opens a position."""
    if order.margin_mode is not MarginMode.ISOLATED or order.reduce_only:
        return {}
    return {"leverage": order.leverage or 1}


def parse_placed(order: NewOrder, answer: Answer) -> Placed:
    """Accepted means queued: what becomes of it is told by the channel."""
    told = answers.data(_accepted, answer, order=True)
    if told.client_oid not in (None, "", order.client_order_id):
        raise OutcomeUnknown(f"the answer is to {str(told.client_oid)[:40]!r}")
    return Placed(exchange_order_id=told.order_id, client_order_id=told.client_oid or None, status=OrderStatus.OPEN)


def cancel(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    return _named(keys, ref, now_ms, Deed.CANCEL_OURS, Deed.CANCEL)


def parse_cancelled(ref: OrderRef, answer: Answer) -> None:
    if answers.data(_cancelled, answer, order=True).cancelled_order_ids == []:
        raise UnknownOrder("nothing was cancelled")


def cancel_all(keys: Credentials, instrument: Instrument, now_ms: int) -> Request | None:
    """None for unified futures: there it means the orders of one margin mode alone."""
    if (facts.generation(keys), instrument.market_type) == (facts.UNIFIED, FUTURES):
        return None
    values = _product(instrument) | {"orderFilter": facts.PLAIN_ORDERS}
    return signing.act(keys, instrument.market_type, Deed.CANCEL_ALL, values, now_ms)


def parse_cancelled_all(instrument: Instrument, answer: Answer) -> None:
    answers.succeeded(answer, order=True)


def dead_man_terms(keys: Credentials, market_type: MarketType) -> DeadManTerms | None:
    return DeadManTerms() if (facts.generation(keys), market_type) == (facts.CLASSIC, SPOT) else None


def dead_man(
    keys: Credentials, market_type: MarketType, timer_ms: int | None, now_ms: int, instrument: Instrument | None = None
) -> Request | None:
    """Of all symbols: none is named."""
    if dead_man_terms(keys, market_type) is None:
        return None
    shortest, longest = facts.DEAD_MAN_S
    timeout = facts.DEAD_MAN_OFF if timer_ms is None else min(max(timer_ms // 1000, shortest), longest)
    return signing.act(keys, market_type, Deed.DEAD_MAN, {}, now_ms, fields={"timeout": timeout})


def parse_dead_man(market_type: MarketType, timer_ms: int | None, now_ms: int, answer: Answer) -> int | None:
    trigger_s = answers.data(_armed, answer, order=True).trigger_time
    return trigger_s * 1000 or None


def query(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    return _named(keys, ref, now_ms, Deed.QUERY_OURS, Deed.QUERY)


def parse_order(ref: OrderRef, answer: Answer) -> OrderUpdate:
    row = answers.data(_order, answer)
    if row is None:
        raise UnknownOrder("there is none")
    if row.symbol != ref.instrument.symbol:
        raise MalformedFrame(f"an order of {row.symbol[:60]!r}", symbol=ref.instrument.symbol)
    return records.update(row)


def open_orders(
    keys: Credentials, market_type: MarketType, instrument: Instrument | None, now_ms: int, cursor: str | None = None
) -> Request:
    """Classic spot lists one symbol at a time: the first answer names them, the cursor the ones still to be asked for.

    They wait in the URL's fragment, which no request carries.
    """
    where = (facts.generation(keys), market_type)
    values = {"status": facts.ACTIVE, "pageSize": facts.PAGE, "tradeType": facts.PRODUCT[market_type]}
    if instrument is not None:
        values["symbol"] = instrument.symbol
    if where != (facts.CLASSIC, SPOT):
        values[facts.CURSORS[*where, Deed.OPEN]] = cursor or ""
        return signing.act(keys, market_type, Deed.OPEN, values, now_ms)
    if instrument is None and cursor is None:
        return signing.act(keys, market_type, Deed.OPEN_SYMBOLS, values, now_ms)
    symbol, _, others = (cursor or values["symbol"]).partition(",")
    request = signing.act(keys, market_type, Deed.OPEN, values | {"symbol": symbol}, now_ms)
    return replace(request, url=f"{request.url}#{others}") if others else request


def parse_open_orders(market_type: MarketType, answer: Answer) -> Page[OrderUpdate]:
    told = answers.data(_orders, answer)
    if isinstance(told, list):
        rows, cursor = told, urlsplit(answer.url).fragment or None
    else:
        rows, cursor = told.items, ",".join(told.symbols) or answers.cursor(told)
    return Page(rows=[records.update(row) for row in rows], cursor=cursor)


def own_trades(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    """Of the last seven days at most."""
    where = (facts.generation(keys), instrument.market_type)
    start_ms = max(since_ms, now_ms - facts.RECENT_MS)
    values = _product(instrument) | {"startAt": str(start_ms), "limit": facts.PAGE, "pageSize": facts.PAGE}
    values[facts.CURSORS[*where, Deed.TRADES]] = cursor or ""
    return signing.act(keys, instrument.market_type, Deed.TRADES, values, now_ms)


def order_trades(keys: Credentials, ref: OrderRef, now_ms: int, cursor: str | None = None) -> Request:
    """Executions are asked for by the exchange's id; without it those of the last minutes."""
    if ref.exchange_order_id is None:
        return own_trades(keys, ref.instrument, now_ms - facts.LAST_TRADES_MS, now_ms, cursor)
    values = _product(ref.instrument) | {"limit": facts.PAGE, "pageSize": facts.PAGE}
    values["orderId"] = ref.exchange_order_id
    market_type = ref.instrument.market_type
    values[facts.CURSORS[facts.generation(keys), market_type, Deed.TRADES]] = cursor or ""
    return signing.act(keys, market_type, Deed.ORDER_TRADES, values, now_ms)


def parse_own_trades(instrument: Instrument, answer: Answer) -> Page[Fill]:
    told = answers.data(_trades, answer)
    rows, cursor = (told, None) if isinstance(told, list) else (told.items, answers.cursor(told))
    if any(row.symbol != instrument.symbol for row in rows):
        raise MalformedFrame("executions of another symbol", symbol=instrument.symbol)
    return money.executions(rows, records.fill, cursor)


def _named(keys: Credentials, ref: OrderRef, now_ms: int, ours: Deed, theirs: Deed) -> Request:
    """By our id where it is given."""
    values, market_type = _product(ref.instrument), ref.instrument.market_type
    if ref.client_order_id is not None:
        return signing.act(keys, market_type, ours, values | {"clientOid": ref.client_order_id}, now_ms)
    return signing.act(keys, market_type, theirs, values | {"orderId": ref.exchange_order_id or ""}, now_ms)


def _product(instrument: Instrument) -> dict[str, str]:
    return {"symbol": instrument.symbol, "tradeType": facts.PRODUCT[instrument.market_type]}
