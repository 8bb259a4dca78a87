"""Private pushes of unified accounts: both markets on one socket, one letter a field, times in nanoseconds."""

from typing import Literal

from msgspec import Raw, Struct

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.kucoin import records
from apps.feeds.drivers.kucoin import trading_facts as facts
from apps.feeds.drivers.kucoin.answers import NONE, Number, amount, number, positive
from apps.feeds.drivers.kucoin.values import Stamp, millis
from apps.feeds.drivers.trading import PrivateEvent
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType
from apps.feeds.orders import (
    Balance,
    Balances,
    Fill,
    LookUp,
    OrderUpdate,
    Position,
    Positions,
    PositionSide,
)

ALL = "UNIFIED"  # the part of a channel's name after the dot; older frames name the product there


class Order(Struct):
    s: wire.Name
    S: Literal["BUY", "SELL", "buy", "sell"]
    oi: wire.Name
    os: wire.Code | wire.Word
    U: Stamp
    ci: wire.Word = ""
    p: Number = NONE
    q: Number = NONE
    qU: wire.Word = facts.BASE_UNIT  # noqa: N815 - spelt as on the wire
    fS: Number = NONE  # noqa: N815
    aP: Number = NONE  # noqa: N815
    eT: wire.Word = ""  # noqa: N815
    cR: wire.Words = ""  # noqa: N815


class Execution(Struct):
    s: wire.Name
    S: Literal["BUY", "SELL", "buy", "sell"]
    oi: wire.Name
    ti: wire.Id | wire.Name
    p: Number
    q: Number
    E: Stamp
    lR: wire.Word = ""  # noqa: N815
    f: Number = NONE
    fC: wire.Word = ""  # noqa: N815


class Asset(Struct):
    c: wire.Name
    b: Number
    a: Number
    U: Stamp


class Held(Struct):
    s: wire.Name
    q: Number
    eP: Number = NONE  # noqa: N815
    lP: Number = NONE  # noqa: N815
    uPL: Number = NONE  # noqa: N815


_order = wire.decoder(Order)
_execution = wire.decoder(Execution)
_asset = wire.decoder(Asset)
_held = wire.decoder(Held)


def events(market_type: MarketType, channel: str, data: Raw) -> list[PrivateEvent]:
    """Empty for what is of the other market, and for what carries nothing for us."""
    name, _, product = channel.partition(".")
    if name == "orderAll":
        told = _update(wire.decode(_order, data))
        return [told] if records.market_of(told.symbol) is market_type else []
    if name in ("execution", "execution.lite"):
        row = wire.decode(_execution, data)
        return [_fill(row)] if records.market_of(row.s) is market_type else []
    if name == "balance":
        return [_balances(wire.decode(_asset, data))] if product in (ALL, facts.PRODUCT[market_type]) else []
    if name == "positionAll":
        position = _position(wire.decode(_held, data))
        return [Positions(rows=[position], whole=False)] if market_type is MarketType.FUTURES else []
    if name in facts.OTHER_CHANNELS:
        return []
    raise MalformedFrame(f"unknown channel {channel[:60]!r}")


def _update(row: Order) -> OrderUpdate:
    return money.sound(
        OrderUpdate(
            symbol=row.s,
            exchange_order_id=row.oi,
            client_order_id=row.ci or None,
            status=records.state(row.os, row.s),
            side=records.side(row.S),
            filled=amount(row.fS),
            amount=None if row.qU == facts.QUOTE_UNIT else positive(row.q),
            price=positive(row.p),
            average_price=positive(row.aP),
            exchange_ms=millis(row.U),
            text=" ".join(filter(None, (row.eT, row.cR))),
        )
    )


def _fill(row: Execution) -> Fill | LookUp:
    """The lean channel tells no fee."""
    fee = number(row.f)
    if fee is None or not row.fC:
        return LookUp(symbol=row.s, exchange_order_id=row.oi, client_order_id=None)
    return money.sound(
        Fill(
            symbol=row.s,
            exchange_order_id=row.oi,
            client_order_id=None,
            trade_id=str(row.ti),
            side=records.side(row.S),
            price=amount(row.p),
            amount=amount(row.q),
            fee=fee,
            fee_asset=row.fC,
            is_maker=records.maker(row.lR),
            exchange_ms=millis(row.E),
        )
    )


def _balances(row: Asset) -> Balances:
    told = Balance(asset=row.c, free=amount(row.a), total=amount(row.b))
    return Balances(rows=[told], whole=False, exchange_ms=millis(row.U))


def _position(row: Held) -> Position:
    size = number(row.q)
    if size is None:
        raise MalformedFrame("a position without its size", symbol=row.s)
    return Position(
        symbol=row.s,
        side=PositionSide.NET,
        amount=size,
        entry_price=positive(row.eP),
        unrealised=number(row.uPL),
        liquidation_price=positive(row.lP),
    )
