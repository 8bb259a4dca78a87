"""Binance's public frames: commands out, market data and acknowledgements in."""

from collections.abc import Sequence
from typing import Generic, Literal, TypeVar

from msgspec import UNSET, Raw, Struct, UnsetType

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Ack, Closing, Command, Event, Frame, Ignored, Topic
from apps.feeds.drivers.binance import facts, symbols
from apps.feeds.drivers.binance.symbols import StreamKind
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade, Side

T = TypeVar("T")
_OPENING = '{"stream":"'


class Combined(Struct, Generic[T]):
    stream: str
    data: T


class Depth(Struct, gc=False):
    """A difference of both markets, or a whole book of futures: only the stream's name tells which."""

    e: Literal["depthUpdate"]
    E: wire.Millis
    s: wire.Name
    U: wire.Id
    u: wire.Id
    b: wire.Pairs
    a: wire.Pairs
    pu: wire.Id | None = None
    T: wire.Millis | None = None


class SpotBook(Struct, rename="camel", gc=False):
    last_update_id: wire.Id
    bids: wire.Pairs
    asks: wire.Pairs


class Print(Struct, gc=False):
    """`trade` has its id in t, `aggTrade` in a (where `trade` used to have an order id)."""

    s: wire.Name
    p: wire.Price
    q: wire.TradeAmount
    T: wire.Millis
    m: bool  # the buyer was the maker, so the taker sold
    t: wire.Id | None = None
    a: wire.Id | None = None


class Error(Struct):
    code: int
    msg: str = ""


class Envelope(Struct):
    """Any frame, to find out which."""

    stream: str | None = None
    e: str | None = None
    id: int | str | None = None
    result: Raw | UnsetType = UNSET
    error: Error | None = None
    code: int | None = None
    msg: str = ""


_envelope = wire.decoder(Envelope)
_combined_depth = wire.decoder(Combined[Depth])
_combined_spot_book = wire.decoder(Combined[SpotBook])
_combined_print = wire.decoder(Combined[Print])
_depth = wire.decoder(Depth)
_print = wire.decoder(Print)


def commands(market_type: MarketType, topics: Sequence[Topic], first_id: int, method: str) -> list[Command]:
    """`method` is SUBSCRIBE or UNSUBSCRIBE."""
    return wire.commands(
        wire.batches(topics, facts.LIMITS[market_type].topics_per_frame),
        first_id,
        lambda number, batch: {"method": method, "params": [symbols.name(market_type, t) for t in batch], "id": number},
    )


def parse(market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
    """Translate one frame of a combined or a raw stream."""
    text = wire.text(frame)
    if text.startswith(_OPENING):
        name = text[len(_OPENING) : text.find('"', len(_OPENING))]
        if "\\" not in name:
            return _combined(market_type, name, text, received_ns)
    envelope = wire.decode(_envelope, text)
    if envelope.stream is not None:
        return _combined(market_type, envelope.stream, text, received_ns)
    if envelope.e is not None:
        return _raw(market_type, envelope.e, text, received_ns)
    return [_ack(envelope)]


def _combined(market_type: MarketType, name: str, text: str, received_ns: int) -> list[Event]:
    stream = symbols.stream(name)
    message: Combined[Depth] | Combined[SpotBook] | Combined[Print]
    if stream.kind is StreamKind.DIFF:
        message = wire.decode(_combined_depth, text, symbol=stream.symbol)
        event: Event = _delta(market_type, stream.symbol, message.data, received_ns)
    elif stream.kind is StreamKind.WHOLE and market_type is MarketType.SPOT:
        message = wire.decode(_combined_spot_book, text, symbol=stream.symbol)
        event = _spot_book(stream.symbol, message.data, received_ns)
    elif stream.kind is StreamKind.WHOLE:
        message = wire.decode(_combined_depth, text, symbol=stream.symbol)
        event = _futures_book(stream.symbol, message.data, received_ns)
    elif stream.kind in (StreamKind.TRADE, StreamKind.AGG_TRADE):
        message = wire.decode(_combined_print, text, symbol=stream.symbol)
        event = _trade(stream.symbol, stream.kind, message.data, received_ns)
    else:
        envelope = wire.decode(_envelope, text)
        return [_same(Closing(facts.SHUTDOWN) if stream.kind is StreamKind.SHUTDOWN else Ignored(), name, envelope)]
    return [_same(event, name, message)]


def _same(event: Event, name: str, message: Combined[Depth] | Combined[SpotBook] | Combined[Print] | Envelope) -> Event:
    """A frame that names two streams is nobody's."""
    if message.stream != name:
        raise MalformedFrame(f"two streams in one frame: {name[:60]!r}")
    return event


def _raw(market_type: MarketType, kind: str, text: str, received_ns: int) -> list[Event]:
    """A payload without its stream's name: a book is taken for a difference."""
    if kind == "depthUpdate":
        depth = wire.decode(_depth, text)
        return [_delta(market_type, depth.s, depth, received_ns)]
    if kind in ("trade", "aggTrade"):
        row = wire.decode(_print, text)
        return [_trade(row.s, StreamKind(kind), row, received_ns)]
    if kind == facts.SHUTDOWN:
        return [Closing(kind)]
    if kind in facts.IGNORED_EVENTS:
        return [Ignored()]
    raise MalformedFrame(f"unknown event {kind[:60]!r}")


def _ack(envelope: Envelope) -> Ack:
    request_id = None if envelope.id is None else str(envelope.id)
    error = envelope.error or (Error(envelope.code, envelope.msg) if envelope.code is not None else None)
    if error is not None:
        return Ack(ok=False, request_id=request_id, code=str(error.code), text=error.msg)
    if envelope.result is UNSET or request_id is None:
        raise MalformedFrame("neither data nor an answer")
    return Ack(ok=True, request_id=request_id)


def _owned(symbol: str, named: str) -> None:
    if named != symbol:
        raise MalformedFrame(f"{named!r} in the stream of {symbol}", symbol=symbol)


def _delta(market_type: MarketType, symbol: str, depth: Depth, received_ns: int) -> BookDelta:
    _owned(symbol, depth.s)
    if depth.u < depth.U or (depth.pu is None and market_type is MarketType.FUTURES):
        raise MalformedFrame(f"ids {depth.U}, {depth.u}, {depth.pu}", symbol=symbol)
    return BookDelta(
        symbol=symbol,
        seq=depth.u,
        first_seq=depth.U,
        prev_seq=depth.pu,
        bids=depth.b,
        asks=depth.a,
        exchange_ms=depth.T or depth.E,
        received_ns=received_ns,
    )


def _spot_book(symbol: str, book: SpotBook, received_ns: int) -> BookSnapshot:
    return BookSnapshot(symbol=symbol, seq=book.last_update_id, bids=book.bids, asks=book.asks, received_ns=received_ns)


def _futures_book(symbol: str, depth: Depth, received_ns: int) -> BookSnapshot:
    _owned(symbol, depth.s)
    return BookSnapshot(
        symbol=symbol,
        seq=depth.u,
        prev_seq=depth.pu,
        bids=depth.b,
        asks=depth.a,
        exchange_ms=depth.T or depth.E,
        received_ns=received_ns,
    )


def _trade(symbol: str, kind: StreamKind, row: Print, received_ns: int) -> PublicTrade:
    _owned(symbol, row.s)
    number = row.t if kind is StreamKind.TRADE else row.a
    if number is None:
        raise MalformedFrame("a trade without its id", symbol=symbol)
    return PublicTrade(
        symbol=symbol,
        trade_id=str(number),
        side=Side.SELL if row.m else Side.BUY,
        price=row.p,
        amount=row.q,
        exchange_ms=row.T,
        received_ns=received_ns,
    )
