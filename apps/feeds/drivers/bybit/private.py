"""Bybit's private frames: one stream of all products, of which each market takes its own."""

from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Struct

from apps.feeds.drivers import replies, wire
from apps.feeds.drivers.base import Frame, Ignored, Pong
from apps.feeds.drivers.bybit import account, answers, facts, orders, trades
from apps.feeds.drivers.bybit import trading_facts as trading
from apps.feeds.drivers.bybit.signing import login as proof
from apps.feeds.drivers.trading import LoggedIn, LoginRefused, PrivateEvent, Subscribed
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType
from apps.feeds.orders import Balances, Credentials, Fill, LookUp, Positions

T = TypeVar("T")


class Sent(Struct):
    op: wire.Word | None = None


class Envelope(Struct, rename={"ret_code": "retCode", "answer": "retMsg"}):
    """Any frame, to find out which. What `request` echoes may hold a key: only its `op` is read."""

    topic: wire.Word | None = None
    op: wire.Word | None = None
    success: bool | None = None
    ret_msg: wire.Words = ""
    ret_code: wire.Code | None = None
    answer: wire.Words = ""
    request: Sent | None = None


class Told(Struct, Generic[T], rename="camel"):
    data: Annotated[list[T], Meta(max_length=answers.MAX_ROWS)]
    creation_time: wire.Millis | None = None


_envelope = wire.decoder(Envelope)
_orders = wire.decoder(Told[orders.Order])
_executions = wire.decoder(Told[trades.Execution])
_wallets = wire.decoder(Told[account.Wallet])
_holdings = wire.decoder(Told[account.Holding])


def login(keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
    return [wire.frame({"req_id": "1", "op": "auth", "args": proof(keys, now_ms + trading.LOGIN_AHEAD_MS)})]


def subscribe(keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
    """Topics of one product must not stand beside those of all in a frame, and wallets are of all."""
    return [wire.frame({"req_id": trading.SUBSCRIBE_ID, "op": "subscribe", "args": trading.CHANNELS[market_type]})]


def parse(keys: Credentials, market_type: MarketType, frame: Frame, received_ns: int) -> list[PrivateEvent]:
    text = wire.text(frame)
    envelope = wire.decode(_envelope, text)
    if envelope.topic is None:
        return _answer(market_type, envelope)
    channel = envelope.topic.partition(".")[0] if not envelope.topic.startswith("execution.fast") else ""
    if channel == "order":
        return _reported(market_type, text)
    if channel == "execution":
        return _executed(market_type, text)
    if channel == "wallet":
        told = wire.decode(_wallets, text)
        return [Balances(rows=account.coins(told.data), whole=False, exchange_ms=told.creation_time)]
    if channel == "position":
        return _held(market_type, text)
    if envelope.topic in trading.IGNORED_TOPICS:
        return [Ignored()]
    raise MalformedFrame(f"unknown topic {envelope.topic[:60]!r}")


def _answer(market_type: MarketType, envelope: Envelope) -> list[PrivateEvent]:
    op = envelope.op if envelope.op is not None or envelope.request is None else envelope.request.op
    if op == "pong" or envelope.ret_msg == "pong":
        return [Pong()]
    ok, code, words = _outcome(envelope)
    if op == "auth":
        return [LoggedIn() if ok else LoginRefused(code=code, text=words)]
    if op == "subscribe":  # a frame is taken whole or not at all
        return [Subscribed(channel=channel, ok=ok, code=code, text=words) for channel in trading.CHANNELS[market_type]]
    raise MalformedFrame("an answer to no command of ours")


def _outcome(envelope: Envelope) -> tuple[bool, str, str]:
    """Whether it was done, else why not: both spellings of an answer are in use."""
    if envelope.ret_code is not None:
        ok = envelope.ret_code in (facts.OK, trading.ALREADY_LOGGED_IN)
        return ok, "" if ok else str(envelope.ret_code), "" if ok else replies.readable(envelope.answer)
    if envelope.success is None:
        raise MalformedFrame("neither data nor an answer")
    words = "" if envelope.success else replies.readable(envelope.ret_msg)
    return envelope.success, words.removeprefix("error:").partition(",")[0], words


def _ours(market_type: MarketType, category: str | None) -> bool:
    if category not in trading.CATEGORIES:
        raise MalformedFrame(f"unknown category {str(category)[:40]!r}")
    return category == facts.CATEGORY[market_type]


def _reported(market_type: MarketType, text: str) -> list[PrivateEvent]:
    rows = [row for row in wire.decode(_orders, text).data if _ours(market_type, row.category)]
    return [orders.update(row, market_type) for row in rows] or [Ignored()]


def _executed(market_type: MarketType, text: str) -> list[PrivateEvent]:
    rows = [row for row in wire.decode(_executions, text).data if _ours(market_type, row.category)]
    return [_execution(market_type, row) for row in rows if trades.executed(row)] or [Ignored()]


def _execution(market_type: MarketType, row: trades.Execution) -> Fill | LookUp:
    """What is paid in is told by the row or by the contract's name; spot without it is looked up."""
    asset = row.fee_currency or (_settled_in(row.symbol) if market_type is MarketType.FUTURES else "")
    made = trades.fill(row, asset) if asset else None
    if made is not None:
        return made
    ours = row.order_link_id or None
    return LookUp(symbol=row.symbol, exchange_order_id=row.order_id, client_order_id=ours)


def _settled_in(symbol: str) -> str:
    for ending, coin in trading.SETTLES.items():
        if symbol.endswith(ending):
            return coin
    return ""


def _held(market_type: MarketType, text: str) -> list[PrivateEvent]:
    told = wire.decode(_holdings, text)
    rows = [account.position(row) for row in told.data if _ours(market_type, row.category)]
    return [Positions(rows=rows, whole=False, exchange_ms=told.creation_time)] if rows else [Ignored()]
