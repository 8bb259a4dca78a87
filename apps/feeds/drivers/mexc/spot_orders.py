"""Orders of MEXC's spot market."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from apps.feeds.drivers import asked, money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.mexc import answers, signing
from apps.feeds.drivers.mexc import trading_facts as facts
from apps.feeds.drivers.mexc.facts import SPOT
from apps.feeds.drivers.trading import Answer, Page, Placed
from apps.feeds.errors import InvalidOrder, MalformedFrame, UnknownOrder
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


class Taken(Struct, rename="camel"):
    """Often nothing else is told: no status, not our id."""

    order_id: answers.Named


class Order(money.Exact, rename="camel"):
    symbol: wire.Name
    order_id: answers.Named
    price: Decimal
    orig_qty: Decimal
    executed_qty: Decimal
    status: answers.Word
    side: Literal["BUY", "SELL"]
    cummulative_quote_qty: Decimal = Decimal(0)  # sic
    client_order_id: answers.Word | None = None
    time: wire.Millis | None = None
    update_time: wire.Millis | None = None


class Trade(money.Exact, rename="camel"):
    symbol: wire.Name
    id: answers.Named
    order_id: answers.Named
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: wire.Name
    time: wire.Millis
    is_buyer: bool
    is_maker: bool
    client_order_id: answers.Word | None = None


Orders = Annotated[list[Order], Meta(max_length=answers.MAX_ROWS)]
Trades = Annotated[list[Trade], Meta(max_length=answers.MAX_ROWS)]
Cancelled = Annotated[list[Taken], Meta(max_length=answers.MAX_ROWS)]

_taken = wire.decoder(Taken)
_cancelled: wire.Decoder[list[Taken]] = wire.decoder(Cancelled)
_order = wire.decoder(Order)
_orders: wire.Decoder[list[Order]] = wire.decoder(Orders)
_trades: wire.Decoder[list[Trade]] = wire.decoder(Trades)


def place(keys: Credentials, order: NewOrder, now_ms: int) -> Request:
    """A market buy says what to spend, all others how much to trade."""
    asked.check(order)
    window_ms = asked.window_ms(order, now_ms, facts.EXPIRY[SPOT].longest_ms)
    if order.position_side is not PositionSide.NET:
        raise InvalidOrder("spot has no positions")
    params = {"symbol": order.instrument.symbol, "side": order.side.value.upper()}
    if order.type is OrderType.MARKET:
        params["type"] = "MARKET"
        params |= {"quoteOrderQty": asked.quote_amount(order)} if order.side is Side.BUY else _quantity(order)
    else:
        params["type"] = facts.SPOT_TYPES[order.tif]
        params |= _quantity(order) | {"price": asked.price(order)}
    params["newClientOrderId"] = order.client_order_id
    return signing.spot(keys, "POST", "order", params, now_ms, window_ms=window_ms)


def _quantity(order: NewOrder) -> dict[str, str]:
    return {"quantity": asked.amount(order)}


def parse_placed(order: NewOrder, answer: Answer) -> Placed:
    taken = answers.spot(_taken, answer, order=True)
    return Placed(exchange_order_id=str(taken.order_id), client_order_id=None, status=OrderStatus.OPEN)


def cancel(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    return signing.spot(keys, "DELETE", "order", _named(ref), now_ms)


def parse_cancelled(ref: OrderRef, answer: Answer) -> None:
    answers.spot(_taken, answer, order=True)


def cancel_all(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    return signing.spot(keys, "DELETE", "openOrders", {"symbol": instrument.symbol}, now_ms)


def parse_cancelled_all(instrument: Instrument, answer: Answer) -> None:
    try:
        answers.spot(_cancelled, answer, order=True)
    except UnknownOrder:
        return  # none was open


def query(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    return signing.spot(keys, "GET", "order", _named(ref), now_ms)


def parse_order(ref: OrderRef, answer: Answer) -> OrderUpdate:
    return _update(answers.spot(_order, answer))


def open_orders(keys: Credentials, instrument: Instrument | None, now_ms: int, cursor: str | None) -> Request:
    """Raise InvalidOrder without an instrument: the exchange lists those of one symbol only."""
    if instrument is None:
        raise InvalidOrder("MEXC lists open orders of spot by symbol only")
    return signing.spot(keys, "GET", "openOrders", {"symbol": instrument.symbol}, now_ms)


def parse_open_orders(answer: Answer) -> Page[OrderUpdate]:
    return Page(rows=[_update(row) for row in answers.spot(_orders, answer)])


def own_trades(keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None) -> Request:
    """Of a month at most; `cursor` narrows the time from the end that was told."""
    params = {"symbol": instrument.symbol, "startTime": str(since_ms), "limit": str(facts.PAGE)}
    return signing.spot(keys, "GET", "myTrades", params | _from(cursor), now_ms)


def _from(cursor: str | None) -> dict[str, str]:
    edge, _, at_ms = (cursor or "").partition("=")
    return {edge: at_ms} if edge else {}


def parse_own_trades(instrument: Instrument, answer: Answer) -> Page[Fill]:
    rows = answers.spot(_trades, answer)
    return money.executions(rows, _fill, _rest([row.time for row in rows]))


def _rest(times: list[int]) -> str | None:
    """Which trades a full page leaves out: the older ones where it begins with the newest, else the newer ones.

    The last millisecond is asked for once more, there may be more of it.
    """
    if len(times) < facts.PAGE:
        return None
    if times[0] == times[-1]:
        return f"endTime={times[0] - 1}"
    return f"endTime={times[-1]}" if times[0] > times[-1] else f"startTime={times[-1]}"


def order_trades(keys: Credentials, ref: OrderRef, now_ms: int, cursor: str | None) -> Request:
    if ref.exchange_order_id is None:
        return own_trades(keys, ref.instrument, now_ms - facts.LAST_TRADES_MS, now_ms, cursor)
    params = {"symbol": ref.instrument.symbol, "orderId": ref.exchange_order_id, "limit": str(facts.PAGE)}
    return signing.spot(keys, "GET", "myTrades", params | _from(cursor), now_ms)


def _named(ref: OrderRef) -> dict[str, str]:
    if ref.client_order_id is not None:
        return {"symbol": ref.instrument.symbol, "origClientOrderId": ref.client_order_id}
    return {"symbol": ref.instrument.symbol, "orderId": ref.exchange_order_id or ""}


def _update(row: Order) -> OrderUpdate:
    status = facts.SPOT_STATUS.get(row.status)
    if status is None:
        raise MalformedFrame(f"unknown status {row.status!r}", symbol=row.symbol)
    return money.sound(
        OrderUpdate(
            symbol=row.symbol,
            exchange_order_id=str(row.order_id),
            client_order_id=row.client_order_id or None,
            status=status,
            side=facts.SPOT_SIDES[row.side],
            filled=row.executed_qty,
            amount=row.orig_qty or None,
            price=row.price or None,
            average_price=row.cummulative_quote_qty / row.executed_qty if row.executed_qty else None,
            exchange_ms=row.update_time or row.time,
            text=row.status,
        )
    )


def _fill(row: Trade) -> Fill:
    return money.sound(
        Fill(
            symbol=row.symbol,
            exchange_order_id=str(row.order_id),
            client_order_id=row.client_order_id or None,
            trade_id=str(row.id),
            side=Side.BUY if row.is_buyer else Side.SELL,
            price=row.price,
            amount=row.qty,
            fee=row.commission,
            fee_asset=row.commission_asset,
            is_maker=row.is_maker,
            exchange_ms=row.time,
        )
    )
