"""OKX's orders by REST: requests, and their answers. What an order looks like in an answer it looks like in a push."""

from typing import Literal

from msgspec import Struct

from apps.feeds.drivers import asked, money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.okx import answers, signing
from apps.feeds.drivers.okx import trading_facts as facts
from apps.feeds.drivers.okx.facts import INSTRUMENT_TYPE, SPOT
from apps.feeds.drivers.trading import Answer, Page, Placed
from apps.feeds.errors import InvalidOrder, MalformedFrame, OutcomeUnknown, Refused
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
)

CLOSES = {PositionSide.LONG: Side.SELL, PositionSide.SHORT: Side.BUY}


class Ids(Struct, rename="camel"):
    """What place and cancel tell."""

    ord_id: wire.Name
    cl_ord_id: wire.Word = ""


class Order(Struct, rename="camel"):
    """One order; "" and often "0" mean none. Only pushes tell `execType` and `fillFee`."""

    inst_id: wire.Name
    inst_type: wire.Word
    ord_id: wire.Name
    side: Literal["buy", "sell"]
    state: wire.Word
    sz: wire.Word
    u_time: wire.Millis
    cl_ord_id: wire.Word = ""
    px: wire.Word = ""
    acc_fill_sz: wire.Word = ""
    avg_px: wire.Word = ""
    tgt_ccy: wire.Word = ""
    category: wire.Word = facts.ORDINARY
    cancel_source: wire.Word = ""
    cancel_source_reason: wire.Words = ""
    trade_id: wire.Word = ""
    fill_px: wire.Word = ""
    fill_sz: wire.Word = ""
    fill_time: wire.Word = ""
    exec_type: wire.Word = ""
    fill_fee: wire.Word = ""
    fill_fee_ccy: wire.Word = ""
    pos_side: wire.Word = ""


class Trade(Struct, rename="camel"):
    inst_id: wire.Name
    trade_id: wire.Name
    ord_id: wire.Name
    bill_id: wire.Name
    side: Literal["buy", "sell"]
    fill_px: wire.Name
    fill_sz: wire.Name
    fee: wire.Name
    fee_ccy: wire.Name
    ts: wire.Millis
    cl_ord_id: wire.Word = ""
    exec_type: wire.Word = ""
    pos_side: wire.Word = ""


_ids = wire.decoder(answers.Rows[Ids])
_orders = wire.decoder(answers.Rows[Order])
_trades = wire.decoder(answers.Rows[Trade])


def place(keys: Credentials, order: NewOrder, now_ms: int) -> Request:
    asked.check(order)
    expires_ms = now_ms + asked.window_ms(order, now_ms, facts.EXPIRY.longest_ms)
    spot = order.instrument.market_type is SPOT
    fields: dict[str, object] = {
        "instId": order.instrument.symbol,
        "tdMode": facts.CASH if spot else order.margin_mode.value,
        "side": order.side.value,
    }
    fields |= _size(order) | _position(order)
    fields |= {"clOrdId": order.client_order_id, "stpMode": facts.SELF_TRADE}
    fields |= {"tag": facts.TAGS[order.instrument.market_type]}
    return signing.post(keys, "/trade/order", fields, now_ms, budget=facts.ORDERS, expires_ms=expires_ms)


def _size(order: NewOrder) -> dict[str, object]:
    if order.type is OrderType.LIMIT:
        return {"ordType": facts.LIMIT_KIND[order.tif], "px": asked.price(order), "sz": asked.amount(order)}
    if order.quote_amount is not None:
        return {"ordType": facts.MARKET_KIND, "sz": asked.quote_amount(order), "tgtCcy": facts.QUOTE_UNIT}
    unit = {"tgtCcy": facts.BASE_UNIT} if order.instrument.market_type is SPOT else {}
    return {"ordType": facts.MARKET_KIND, "sz": asked.amount(order), **unit}


def _position(order: NewOrder) -> dict[str, object]:
    """In hedge mode the side alone tells whether an order opens or closes: there is no reduce-only."""
    if order.position_side is PositionSide.NET:
        return {"reduceOnly": True} if order.reduce_only else {}
    if order.instrument.market_type is SPOT:
        raise InvalidOrder("there are no positions on spot")
    if order.reduce_only and order.side is not CLOSES[order.position_side]:
        raise InvalidOrder(f"a {order.side} does not reduce a {order.position_side} position")
    return {"posSide": order.position_side.value}


def parse_placed(order: NewOrder, answer: Answer) -> Placed:
    """Accepted means received: what becomes of it is told by the channel."""
    told = answers.one(_ids, answer, order=True)
    if told.cl_ord_id not in ("", order.client_order_id):
        raise OutcomeUnknown(f"the answer is to {told.cl_ord_id[:40]!r}")
    return Placed(exchange_order_id=told.ord_id, client_order_id=told.cl_ord_id or None, status=OrderStatus.OPEN)


def cancel(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    return signing.post(keys, "/trade/cancel-order", _named(ref), now_ms, budget=facts.CANCELS)


def parse_cancelled(ref: OrderRef, answer: Answer) -> None:
    try:
        answers.one(_ids, answer, order=True)
    except (Refused, OutcomeUnknown) as error:
        if error.code != facts.CANCELLING:
            raise


def query(keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
    return signing.get(keys, "/trade/order", _named(ref), now_ms, budget=facts.READS)


def _named(ref: OrderRef) -> dict[str, str]:
    """OKX takes either id, ours goes first."""
    if ref.client_order_id is not None:
        return {"instId": ref.instrument.symbol, "clOrdId": ref.client_order_id}
    return {"instId": ref.instrument.symbol, "ordId": ref.exchange_order_id or ""}


def parse_order(ref: OrderRef, answer: Answer) -> OrderUpdate:
    row = answers.one(_orders, answer)
    if row.inst_id != ref.instrument.symbol:
        raise MalformedFrame(f"an order of {row.inst_id[:60]!r}", symbol=ref.instrument.symbol)
    return update(row)


def open_orders(
    keys: Credentials, market_type: MarketType, instrument: Instrument | None, now_ms: int, cursor: str | None = None
) -> Request:
    params = {
        "instType": INSTRUMENT_TYPE[market_type],
        "instId": instrument.symbol if instrument else "",
        "after": cursor or "",
        "limit": str(facts.PAGE),
    }
    return signing.get(keys, "/trade/orders-pending", params, now_ms, budget=facts.READS)


def parse_open_orders(market_type: MarketType, answer: Answer) -> Page[OrderUpdate]:
    told = answers.rows(_orders, answer)
    return Page(rows=[update(row) for row in told], cursor=told[-1].ord_id if len(told) >= facts.PAGE else None)


def own_trades(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    """The last three days come from one list, what is older from another."""
    recent = now_ms - since_ms < facts.RECENT_FILLS_MS
    params = {
        "instType": INSTRUMENT_TYPE[instrument.market_type],
        "instId": instrument.symbol,
        "begin": str(since_ms),
        "after": cursor or "",
        "limit": str(facts.PAGE),
    }
    path, weight = ("/trade/fills", 1) if recent else ("/trade/fills-history", facts.OLD_FILLS_WEIGHT)
    return signing.get(keys, path, params, now_ms, budget=facts.READS, weight=weight)


def order_trades(keys: Credentials, ref: OrderRef, now_ms: int, cursor: str | None = None) -> Request:
    """Fills are asked for by the exchange's id; without it those of the last minutes."""
    if ref.exchange_order_id is None:
        return own_trades(keys, ref.instrument, now_ms - facts.LAST_TRADES_MS, now_ms, cursor)
    params = {
        "instType": INSTRUMENT_TYPE[ref.instrument.market_type],
        "instId": ref.instrument.symbol,
        "ordId": ref.exchange_order_id,
        "after": cursor or "",
        "limit": str(facts.PAGE),
    }
    return signing.get(keys, "/trade/fills", params, now_ms, budget=facts.READS)


def parse_own_trades(instrument: Instrument, answer: Answer) -> Page[Fill]:
    told = answers.rows(_trades, answer)
    if any(row.inst_id != instrument.symbol for row in told):
        raise MalformedFrame("fills of another instrument", symbol=instrument.symbol)
    return money.executions(told, _trade, told[-1].bill_id if len(told) >= facts.PAGE else None)


def _trade(row: Trade) -> Fill:
    fill = Fill(
        symbol=row.inst_id,
        exchange_order_id=row.ord_id,
        client_order_id=row.cl_ord_id or None,
        trade_id=row.trade_id,
        side=Side(row.side),
        price=money.needed(row.fill_px),
        amount=money.needed(row.fill_sz),
        fee=-money.amount(row.fee),  # negative on the wire: charged
        fee_asset=row.fee_ccy,
        is_maker=maker(row.exec_type),
        exchange_ms=row.ts,
        position_side=position_side(row.pos_side),
    )
    return money.sound(fill)


def update(row: Order) -> OrderUpdate:
    """Raise MalformedFrame for a state that OKX does not document."""
    status = facts.ORDER_STATUS.get(row.state)
    if status is None:
        raise MalformedFrame(f"unknown state {row.state[:40]!r}", symbol=row.inst_id)
    category = "" if row.category == facts.ORDINARY else row.category
    told = OrderUpdate(
        symbol=row.inst_id,
        exchange_order_id=row.ord_id,
        client_order_id=row.cl_ord_id or None,
        status=status,
        side=Side(row.side),
        filled=money.amount(row.acc_fill_sz),
        amount=None if row.tgt_ccy == facts.QUOTE_UNIT else money.number(row.sz),
        price=money.positive(row.px),
        average_price=money.positive(row.avg_px),
        exchange_ms=row.u_time,
        position_side=position_side(row.pos_side),
        text=" ".join(filter(None, (row.state, category, row.cancel_source, row.cancel_source_reason))),
    )
    return money.sound(told)


def position_side(told: str) -> PositionSide | None:
    """ "" on spot, of some rows "net"."""
    if told and told not in facts.POSITION_SIDES:
        raise MalformedFrame(f"unknown side of a position: {told[:20]!r}")
    return facts.POSITION_SIDES.get(told)


def maker(exec_type: str) -> bool | None:
    if exec_type not in facts.MAKER:
        raise MalformedFrame(f"neither maker nor taker: {exec_type[:20]!r}")
    return facts.MAKER[exec_type]
