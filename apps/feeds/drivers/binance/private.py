"""Binance's private frames: reports of orders, balances, positions.

Spot tells them on its WebSocket API, subscribed by a signed command; futures on a stream whose address holds a listen
key.
"""

from decimal import Decimal
from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from apps.feeds.drivers import money, replies, wire
from apps.feeds.drivers.base import Closing, Frame, Ignored
from apps.feeds.drivers.binance import account, facts, reports
from apps.feeds.drivers.binance import trading_facts as trading
from apps.feeds.drivers.binance.signing import ws_signature
from apps.feeds.drivers.trading import LoginRefused, PrivateEvent, Subscribed, TokenExpired
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType
from apps.feeds.orders import Balance, Balances, Credentials, Position, Positions

MAX_ROWS = 2_000  # of balances, of positions in one frame


class SpotHolding(money.Exact):
    a: wire.Name
    f: Decimal
    l: Decimal  # noqa: E741 the wire's own


class SpotPosition(Struct):
    E: wire.Millis
    B: Annotated[list[SpotHolding], Meta(max_length=MAX_ROWS)]


class Wallet(money.Exact):
    a: wire.Name
    wb: Decimal


class Holding(money.Exact):
    s: wire.Name
    pa: Decimal
    ep: Decimal
    up: Decimal
    ps: wire.Word
    mt: wire.Word | None = None


class Holdings(Struct):
    B: Annotated[list[Wallet], Meta(max_length=MAX_ROWS)] = []
    P: Annotated[list[Holding], Meta(max_length=MAX_ROWS)] = []


class AccountUpdate(Struct):
    T: wire.Millis
    a: Holdings
    st: wire.Code | None = None


class OrderReport(Struct):
    o: reports.Report
    st: wire.Code | None = None


class Kind(Struct):
    e: wire.Word


class SpotResult(Struct, rename="camel"):
    subscription_id: wire.Code | None = None


class SpotError(Struct):
    code: wire.Code
    msg: wire.Words = ""


class SpotFrame(Struct):
    """An event, or the answer to our command."""

    event: Raw | UnsetType = UNSET
    id: wire.Word | wire.Code | None = None
    status: wire.Code | None = None
    result: SpotResult | None = None
    error: SpotError | None = None


class FuturesFrame(Struct):
    """An event, bare or wrapped with its stream's name."""

    e: wire.Word | None = None
    data: Raw | UnsetType = UNSET


_spot_frame = wire.decoder(SpotFrame)
_futures_frame = wire.decoder(FuturesFrame)
_kind = wire.decoder(Kind)
_report = wire.decoder(reports.Report)
_order_report = wire.decoder(OrderReport)
_spot_position = wire.decoder(SpotPosition)
_account_update = wire.decoder(AccountUpdate)


def subscribe(keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
    """Spot's command signs itself; it is good for one socket, and nothing renews it."""
    if market_type is MarketType.FUTURES:
        return []
    params: dict[str, str | int] = {"apiKey": keys.key, "timestamp": now_ms}
    method = "userDataStream.subscribe.signature"
    signed = params | {"signature": ws_signature(keys, params)}
    return [wire.frame({"id": trading.SUBSCRIBE_ID, "method": method, "params": signed})]


def parse(keys: Credentials, market_type: MarketType, frame: Frame, received_ns: int) -> list[PrivateEvent]:
    text = wire.text(frame)
    if market_type is MarketType.SPOT:
        message = wire.decode(_spot_frame, text)
        return [_answer(message)] if message.event is UNSET else _spot_event(message.event)
    envelope = wire.decode(_futures_frame, text)
    if envelope.data is not UNSET:
        return _futures_event(wire.decode(_kind, envelope.data).e, envelope.data)
    if envelope.e is None:
        raise MalformedFrame("neither an event nor an answer")
    return _futures_event(envelope.e, text)


def _answer(message: SpotFrame) -> PrivateEvent:
    if message.status is None or message.id is None:
        raise MalformedFrame("neither an event nor an answer")
    error = message.error
    if error is None:
        if message.result is None:
            raise MalformedFrame("an answer without a result")
        subscribed = message.result.subscription_id is not None
        return Subscribed(channel=trading.USER_DATA) if subscribed else Ignored()
    if error.code == trading.ALREADY_SUBSCRIBED:
        return Subscribed(channel=trading.USER_DATA)
    text = replies.readable(error.msg)
    if error.code in trading.LOGIN_CODES:
        return LoginRefused(code=str(error.code), text=text)
    return Subscribed(channel=trading.USER_DATA, ok=False, code=str(error.code), text=text)


def _spot_event(content: Raw) -> list[PrivateEvent]:
    kind = wire.decode(_kind, content).e
    if kind == "executionReport":
        return reports.events(wire.decode(_report, content))
    if kind == "outboundAccountPosition":
        told = wire.decode(_spot_position, content)
        rows = [Balance(asset=row.a, free=row.f, total=row.f + row.l) for row in told.B]
        return [Balances(rows=rows, whole=False, exchange_ms=told.E)]
    if kind == "eventStreamTerminated":
        return [TokenExpired()]
    if kind == facts.SHUTDOWN:
        return [Closing(kind)]
    if kind in trading.IGNORED_SPOT:
        return [Ignored()]
    raise MalformedFrame(f"unknown event {kind[:60]!r}")


def _futures_event(kind: str, content: str | Raw) -> list[PrivateEvent]:
    if kind == "ORDER_TRADE_UPDATE":
        told = wire.decode(_order_report, content)
        foreign = trading.COIN_MARGINED in (told.st, told.o.st)
        return [Ignored()] if foreign else reports.events(told.o)
    if kind == "ACCOUNT_UPDATE":
        return _holdings(wire.decode(_account_update, content))
    if kind == "listenKeyExpired":
        return [TokenExpired()]
    if kind == facts.SHUTDOWN:
        return [Closing(kind)]
    if kind in trading.IGNORED_FUTURES:
        return [Ignored()]
    raise MalformedFrame(f"unknown event {kind[:60]!r}")


def _holdings(told: AccountUpdate) -> list[PrivateEvent]:
    """Only what changed is named. What is free of a wallet is not told."""
    if told.st == trading.COIN_MARGINED:
        return [Ignored()]
    wallets = [Balance(asset=row.a, free=None, total=row.wb) for row in told.a.B]
    held = [
        Position(
            symbol=row.s,
            side=account.position_side(row.ps),
            amount=row.pa,
            entry_price=money.positive(row.ep),
            unrealised=row.up,
            margin_mode=account.margin_mode(row.mt),
        )
        for row in told.a.P
    ]
    events: list[PrivateEvent] = []
    if wallets:
        events.append(Balances(rows=wallets, whole=False, exchange_ms=told.T))
    if held:
        events.append(Positions(rows=held, whole=False, exchange_ms=told.T))
    return events or [Ignored()]
