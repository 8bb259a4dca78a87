"""Orders of Hyperliquid: placed and cancelled by signed actions, looked up by public reads."""

from decimal import ROUND_DOWN, ROUND_UP, Decimal

from msgspec import Struct

from apps.feeds.drivers import asked, money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.hyperliquid import answers, calls, symbols, values
from apps.feeds.drivers.hyperliquid import trading_facts as facts
from apps.feeds.drivers.trading import Answer, Page, Placed
from apps.feeds.errors import InvalidOrder, MalformedFrame, OutcomeUnknown, UnknownOrder
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


class Found(Struct):
    """`unknownOid` comes without an order."""

    status: values.Word
    order: values.Told | None = None


_found = wire.decoder(Found)
_open: wire.Decoder[list[values.Order]] = wire.decoder(values.Orders)
_executions: wire.Decoder[list[values.Execution]] = wire.decoder(values.Executions)


def place(keys: Credentials, order: NewOrder, now_ms: int) -> Request:
    """A market order must have a price, the worst that it may trade at: what it sends is a limit order, IOC."""
    asked.window_ms(order, now_ms, facts.EXPIRY.longest_ms)
    if order.side not in (Side.BUY, Side.SELL):
        raise InvalidOrder("an order buys or sells")
    if order.position_side is not PositionSide.NET:
        raise InvalidOrder("there is but one position of an instrument")
    if order.reduce_only and order.instrument.market_type is MarketType.SPOT:
        raise InvalidOrder("reduce-only is for futures")
    is_market = order.type is OrderType.MARKET
    content = {
        "a": calls.number(order.instrument),
        "b": order.side is Side.BUY,
        "p": _market_price(order) if is_market else _limit_price(order),
        "s": asked.amount(order),
        "r": order.reduce_only,
        "t": {"limit": {"tif": facts.TIF[TimeInForce.IOC if is_market else order.tif]}},
        "c": order.client_order_id,
    }
    action = {"type": "order", "orders": [content], "grouping": "na"}
    expires_ms = min(order.expires_ms, now_ms + facts.EXPIRY.longest_ms)
    return calls.action(keys, action, now_ms, expires_ms)


def _limit_price(order: NewOrder) -> str:
    """Raise InvalidOrder for one with too many digits: five, or a whole number, and no more decimals than the tick."""
    text = asked.price(order)
    if Decimal(text) != _kept(Decimal(text), order.instrument.tick, ROUND_DOWN):
        raise InvalidOrder(f"{order.instrument.symbol}: a price of more than {facts.SIGNIFICANT} digits")
    return text


def _market_price(order: NewOrder) -> str:
    """The worst price with the digits that there may be, never worse than asked."""
    if order.price is None or order.price <= 0:
        raise InvalidOrder("a market order here names the worst price that it may trade at")
    kept = _kept(order.price, order.instrument.tick, ROUND_DOWN if order.side is Side.BUY else ROUND_UP)
    if kept <= 0:
        raise InvalidOrder(f"{order.instrument.symbol}: a price below the tick")
    return money.plain(kept)


def _kept(price: Decimal, tick: Decimal, rounding: str) -> Decimal:
    """The price with five digits, or as many as it has before the point."""
    step = max(tick, Decimal(1).scaleb(price.adjusted() - facts.SIGNIFICANT + 1))
    return price if price == price.to_integral_value() else price.quantize(min(step, Decimal(1)), rounding)


def parse_placed(order: NewOrder, answer: Answer) -> Placed:
    """How much was filled at once; the fills come by the stream, with their trade ids."""
    told = answers.outcome(answer)
    if isinstance(told, str):
        raise OutcomeUnknown(f"the order is {told[:40]}")  # without its id
    if told.filled is not None:
        return _placed(order, told.filled, _filled_status(order, told.filled.total_sz), told.filled.total_sz)
    if told.resting is not None:
        return _placed(order, told.resting, OrderStatus.OPEN)
    raise OutcomeUnknown("an outcome that says nothing")


def _filled_status(order: NewOrder, filled: Decimal) -> OrderStatus:
    if order.amount is None or filled >= order.amount:
        return OrderStatus.FILLED
    rests = order.type is OrderType.LIMIT and order.tif is not TimeInForce.IOC
    return OrderStatus.PARTIAL if rests else OrderStatus.CANCELLED


def _placed(
    order: NewOrder, told: answers.Resting | answers.Filled, status: OrderStatus, filled: Decimal | None = None
) -> Placed:
    if told.cloid not in (None, order.client_order_id):
        raise OutcomeUnknown("the answer is about another order")
    return Placed(
        exchange_order_id=str(told.oid), client_order_id=told.cloid, status=status, filled=money.executed(filled)
    )


def cancel(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    number = calls.number(ref.instrument)
    if ref.client_order_id is not None:
        cancels: dict[str, object] = {"asset": number, "cloid": ref.client_order_id}
        return calls.action(keys, {"type": "cancelByCloid", "cancels": [cancels]}, now_ms)
    return calls.action(keys, {"type": "cancel", "cancels": [{"a": number, "o": _theirs(ref)}]}, now_ms)


def parse_cancelled(ref: OrderRef, answer: Answer) -> None:
    told = answers.outcome(answer)
    if told != "success":
        raise OutcomeUnknown(f"the cancel is {str(told)[:40]}")


def cancel_all(keys: Credentials, instrument: Instrument, now_ms: int) -> Request | None:
    """There is none: open orders are listed and cancelled."""
    return None


def parse_cancelled_all(instrument: Instrument, answer: Answer) -> None:
    raise OutcomeUnknown("Hyperliquid has no such request")


def query(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    oid = ref.client_order_id if ref.client_order_id is not None else _theirs(ref)
    return calls.info("orderStatus", user=calls.account(keys), oid=oid)


def parse_order(ref: OrderRef, answer: Answer) -> OrderUpdate:
    found = answers.read(_found, answer)
    if found.status == "unknownOid":
        raise UnknownOrder("unknownOid", code="unknownOid")
    if found.order is None:
        raise MalformedFrame(f"status {found.status[:40]!r} without an order")
    return values.order_update(found.order.order, found.order.status, found.order.status_timestamp)


def open_orders(
    keys: Credentials, market_type: MarketType, instrument: Instrument | None, now_ms: int, cursor: str | None = None
) -> Request:
    """Of both markets whatever is asked for; the answer is of one."""
    return calls.info("frontendOpenOrders", user=calls.account(keys))


def parse_open_orders(market_type: MarketType, answer: Answer) -> Page[OrderUpdate]:
    rows = answers.read(_open, answer)
    updates = [values.order_update(row, facts.OPEN, None) for row in rows if symbols.market(row.coin) is market_type]
    return Page(rows=updates)


def own_trades(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    """Of all instruments whatever is asked for; the answer is of one."""
    start = since_ms if cursor is None else int(cursor)
    return calls.info("userFillsByTime", user=calls.account(keys), startTime=start, aggregateByTime=False)


def parse_own_trades(instrument: Instrument, answer: Answer) -> Page[Fill]:
    rows = answers.read(_executions, answer)
    own = [row for row in rows if row.coin == instrument.symbol]
    return money.executions(own, values.fill, calls.later([row.time for row in rows], facts.FILLS_PAGE))


def order_trades(keys: Credentials, ref: OrderRef, now_ms: int, cursor: str | None = None) -> Request:
    return own_trades(keys, ref.instrument, now_ms - facts.LAST_TRADES_MS, now_ms, cursor)


def _theirs(ref: OrderRef) -> int:
    told = ref.exchange_order_id or ""
    if not (told.isascii() and told.isdigit()):
        raise InvalidOrder("an order is named by our id or by theirs, which is a number")
    return int(told)
