"""Binance's reports of orders, alike on both markets: the order's new state, and the fill that made it."""

from decimal import Decimal
from typing import Literal

from apps.feeds.drivers import money, replies, wire
from apps.feeds.drivers.binance import account, orders
from apps.feeds.drivers.binance import trading_facts as trading
from apps.feeds.drivers.binance.orders import Word
from apps.feeds.drivers.trading import PrivateEvent
from apps.feeds.orders import Fill, LookUp, OrderUpdate


class Report(money.Exact):
    """An order's report: `executionReport` on spot, `o` of ORDER_TRADE_UPDATE on futures. The case matters."""

    s: wire.Name
    c: Word
    S: Literal["BUY", "SELL"]
    q: Decimal
    p: Decimal
    x: Word
    X: Word
    i: wire.Id
    l: Decimal  # noqa: E741 the wire's own
    z: Decimal
    L: Decimal
    T: wire.Millis
    t: wire.Code = -1
    m: bool | None = None
    n: Decimal | None = None  # the fee
    N: Word | None = None
    C: Word = ""  # spot: the order's own id, where c names the cancel
    Z: Decimal | None = None  # spot: value of what is filled
    ap: Decimal | None = None  # futures: average
    r: wire.Words | None = None  # reason of a refusal, of an expiry
    eR: wire.Word | wire.Code | None = None  # noqa: N815 the wire's own
    er: wire.Word | wire.Code | None = None
    st: wire.Code | None = None
    ps: wire.Word | None = None  # futures


def events(row: Report) -> list[PrivateEvent]:
    """The fill comes before the order's new state: who sees it filled has seen its fills."""
    ours = row.C or row.c or None
    order = OrderUpdate(
        symbol=row.s,
        exchange_order_id=str(row.i),
        client_order_id=ours,
        status=orders.status(row.X, row.z, row.q),
        side=orders.SIDES[row.S],
        filled=row.z,
        amount=row.q or None,
        price=row.p or None,
        average_price=orders.average(row.ap, row.Z, row.z),
        exchange_ms=row.T,
        position_side=account.told_side(row.ps),
        text=_words(row),
    )
    executed = row.x in trading.EXECUTIONS and row.l > 0
    return [*([_execution(row, ours)] if executed else []), money.sound(order)]


def _execution(row: Report, ours: str | None) -> Fill | LookUp:
    if row.t < 0 or row.n is None or (row.n and not row.N):
        return LookUp(symbol=row.s, exchange_order_id=str(row.i), client_order_id=ours)
    return money.sound(
        Fill(
            symbol=row.s,
            exchange_order_id=str(row.i),
            client_order_id=ours,
            trade_id=str(row.t),
            side=orders.SIDES[row.S],
            price=row.L,
            amount=row.l,
            fee=row.n,
            fee_asset=row.N or "",
            is_maker=row.m,
            exchange_ms=row.T,
            position_side=account.told_side(row.ps),
        )
    )


def _words(row: Report) -> str:
    """The status in the exchange's own word, with its reason where there is one."""
    reasons = [str(told) for told in (row.r, row.eR, row.er) if told not in (None, "", "NONE", 0, "0")]
    return replies.readable(" ".join([row.X, *reasons]))
