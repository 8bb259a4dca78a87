"""Bybit's public frames: commands out, market data and acknowledgements in."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Ack, Command, Event, Frame, Ignored, Pong, Topic
from apps.feeds.drivers.bybit import facts, symbols
from apps.feeds.drivers.bybit.symbols import Stream, StreamKind
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade, Side

_OPENING = '{"topic":"'
_REFUSED_TOPIC = re.compile(r"topic:([^,\s]+)")
_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}  # the taker's


class BookData(Struct, gc=False):
    s: wire.Name
    b: wire.Pairs
    a: wire.Pairs
    u: wire.Id


class BookFrame(Struct, gc=False):
    topic: str
    type: Literal["snapshot", "delta"]
    ts: wire.Millis
    data: BookData
    cts: wire.Millis | None = None  # when the engine matched, `ts` is when the frame left


class Print(Struct, gc=False):
    i: wire.Name
    T: wire.Millis
    s: wire.Name
    S: Literal["Buy", "Sell"]
    v: wire.TradeAmount
    p: wire.Price


Prints: TypeAlias = Annotated[list[Print], Meta(max_length=wire.MAX_PRINTS)]


class TradeFrame(Struct, gc=False):
    topic: str
    data: Prints


class Sent(Struct):
    op: str | None = None


class Envelope(Struct):
    """Any frame, to find out which. What `request` echoes may hold a key: only its `op` is read."""

    topic: str | None = None
    op: str | None = None
    success: bool | None = None
    ret_msg: str | None = None
    req_id: str | None = None
    request: Sent | None = None


_envelope = wire.decoder(Envelope)
_book = wire.decoder(BookFrame)
_trades = wire.decoder(TradeFrame)


def commands(market_type: MarketType, topics: Sequence[Topic], first_id: int, op: str) -> list[Command]:
    """`op` is subscribe or unsubscribe."""
    return wire.commands(
        wire.batches(topics, facts.LIMITS[market_type].topics_per_frame),
        first_id,
        lambda number, batch: {"req_id": str(number), "op": op, "args": [symbols.name(market_type, t) for t in batch]},
    )


def parse(market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
    """Translate one frame; frames do not say their market, the socket's address does."""
    text = wire.text(frame)
    if text.startswith(_OPENING):
        name = text[len(_OPENING) : text.find('"', len(_OPENING))]
        if "\\" not in name:
            return _data(name, text, received_ns)
    envelope = wire.decode(_envelope, text)
    if envelope.topic is not None:
        return _data(envelope.topic, text, received_ns)
    return [_answer(envelope)]


def _data(name: str, text: str, received_ns: int) -> list[Event]:
    stream = symbols.stream(name)
    if stream.kind is StreamKind.BOOK:
        book = wire.decode(_book, text, symbol=stream.symbol)
        _same(name, book.topic)
        return [_book_event(stream, book, received_ns)]
    if stream.kind is StreamKind.TRADES:
        trades = wire.decode(_trades, text, symbol=stream.symbol)
        _same(name, trades.topic)
        return [_trade(stream.symbol, row, received_ns) for row in trades.data]
    _same(name, wire.decode(_envelope, text).topic)
    return [Ignored()]


def _same(name: str, topic: str | None) -> None:
    if topic != name:
        raise MalformedFrame(f"two topics in one frame: {name[:60]!r}")


def _owned(symbol: str, named: str) -> None:
    if named != symbol:
        raise MalformedFrame(f"{named!r} in the topic of {symbol}", symbol=symbol)


def _book_event(stream: Stream, frame: BookFrame, received_ns: int) -> BookSnapshot | BookDelta:
    data = frame.data
    _owned(stream.symbol, data.s)
    kind = BookSnapshot if frame.type == "snapshot" or data.u == facts.RESTARTED else BookDelta
    return kind(
        symbol=stream.symbol,
        seq=data.u,
        bids=data.b,
        asks=data.a,
        exchange_ms=frame.cts or frame.ts,
        received_ns=received_ns,
        window=stream.window,
    )


def _trade(symbol: str, row: Print, received_ns: int) -> PublicTrade:
    _owned(symbol, row.s)
    return PublicTrade(
        symbol=symbol,
        trade_id=row.i,
        side=_SIDES[row.S],
        price=row.p,
        amount=row.v,
        exchange_ms=row.T,
        received_ns=received_ns,
    )


def _answer(envelope: Envelope) -> Event:
    op = envelope.op if envelope.op is not None or envelope.request is None else envelope.request.op
    if op == "pong" or envelope.ret_msg == "pong":
        return Pong()
    if envelope.success is None:
        raise MalformedFrame("neither data nor an answer")
    if op == "auth":
        return Ignored()  # of the private half
    if not envelope.success:
        return _refusal(envelope)
    if op in ("subscribe", "unsubscribe"):
        return Ack(ok=True, request_id=envelope.req_id or None)
    raise MalformedFrame("an answer to no command of ours")


def _refusal(envelope: Envelope) -> Ack:
    """A refused frame had no effect at all; the topic at fault is named in free text."""
    text = envelope.ret_msg or ""
    code = text.removeprefix("error:").partition(",")[0]
    return Ack(
        ok=False,
        request_id=envelope.req_id or None,
        topics=tuple(_REFUSED_TOPIC.findall(text)),
        code=code,
        text=text,
        whole_frame=True,
        already=code == facts.ALREADY,
    )
