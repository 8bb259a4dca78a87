"""Bybit's own executions, of an instrument or of one order."""

from functools import partial
from typing import Annotated, Literal

from msgspec import Meta, Struct

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.bybit import answers, facts
from apps.feeds.drivers.bybit import trading_facts as trading
from apps.feeds.drivers.bybit.answers import Envelope, Number, Rows, Word
from apps.feeds.drivers.bybit.orders import SIDES
from apps.feeds.drivers.bybit.signing import get
from apps.feeds.drivers.trading import Answer, Page
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import Credentials, Fill, OrderRef


class ExtraFee(Struct, rename="camel"):
    fee_coin: Word = ""
    fee: Number = ""


class Execution(Struct, rename="camel"):
    """A row of a list or of the private stream."""

    symbol: wire.Name
    order_id: wire.Name
    exec_id: wire.Name
    side: Literal["Buy", "Sell"]
    exec_price: Number
    exec_qty: Number
    exec_type: Word
    exec_time: wire.Millis
    is_maker: bool | None = None
    exec_fee: Number | None = None
    fee_currency: Word = ""
    fee_rate: Number = ""
    order_link_id: Word = ""
    extra_fees: Annotated[str, Meta(max_length=64)] | Annotated[list[ExtraFee], Meta(max_length=16)] | None = None
    category: Word | None = None


_executions = wire.decoder(Envelope[Rows[Execution]])


def own_trades(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    """Seven days in one answer: older times are asked for span by span."""
    params = {"category": facts.CATEGORY[instrument.market_type], "symbol": instrument.symbol}
    span = answers.window(since_ms, now_ms, cursor)
    return get(keys, "execution/list", {**params, **span, "limit": trading.TRADES_PAGE}, now_ms)


def parse_own_trades(instrument: Instrument, answer: Answer) -> Page[Fill]:
    told = answers.result(_executions, answer)
    if told.category not in (None, facts.CATEGORY[instrument.market_type]):
        raise MalformedFrame("executions of another category", symbol=instrument.symbol)
    rows = [row for row in told.list if executed(row)]
    return money.executions(rows, partial(_own, instrument), answers.next_window(answer, told.next_page_cursor))


def order_trades(keys: Credentials, ref: OrderRef, now_ms: int, cursor: str | None = None) -> Request:
    named = {"orderId": ref.exchange_order_id} if ref.exchange_order_id else {"orderLinkId": ref.client_order_id or ""}
    params = {"category": facts.CATEGORY[ref.instrument.market_type], "symbol": ref.instrument.symbol} | named
    page = {} if cursor is None else {"cursor": cursor}
    return get(keys, "execution/list", {**params, **page, "limit": trading.TRADES_PAGE}, now_ms)


def executed(row: Execution) -> bool:
    """Funding comes as an execution, and is none."""
    if row.exec_type in trading.NOT_EXECUTED:
        return False
    if row.exec_type not in trading.EXECUTED:
        raise MalformedFrame(f"unknown kind of execution: {row.exec_type!r}", symbol=row.symbol)
    return True


def _own(instrument: Instrument, row: Execution) -> Fill:
    if row.symbol != instrument.symbol:
        raise MalformedFrame("an execution of another symbol", symbol=instrument.symbol)
    made = fill(row, row.fee_currency or _paid_in(instrument, row))
    if made is None:
        raise MalformedFrame("an execution without its fee", symbol=instrument.symbol)
    return made


def _paid_in(instrument: Instrument, row: Execution) -> str:
    """Where nothing names the asset: spot takes what is received, the other one when it is a maker's rebate."""
    if instrument.market_type is MarketType.FUTURES:
        return instrument.settle
    rebate = row.is_maker is True and money.amount(row.fee_rate) < 0
    received = SIDES[row.side] is Side.BUY
    return instrument.base if received is not rebate else instrument.quote


def fill(row: Execution, fee_asset: str) -> Fill | None:
    """None when the fee is not told. Taxes in the fee's asset are part of it."""
    fee = money.number(row.exec_fee)
    if fee is None:
        return None
    extras = row.extra_fees if isinstance(row.extra_fees, list) else []
    return money.sound(
        Fill(
            symbol=row.symbol,
            exchange_order_id=row.order_id,
            client_order_id=row.order_link_id or None,
            trade_id=row.exec_id,
            side=SIDES[row.side],
            price=money.needed(row.exec_price),
            amount=money.needed(row.exec_qty),
            fee=fee + sum(money.amount(extra.fee) for extra in extras if extra.fee_coin == fee_asset),
            fee_asset=fee_asset,
            is_maker=row.is_maker,
            exchange_ms=row.exec_time,
        )
    )
