"""The unified push: one topic a frame, JSON in binary frames, times in nanoseconds."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Literal, TypeVar

from msgspec import Raw, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Command, Event, Ignored, Topic, TopicKind
from apps.feeds.drivers.kucoin import facts
from apps.feeds.drivers.kucoin.values import Stamp, delta, millis, snapshot
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade, Side

T = TypeVar("T")


class Book(Struct, gc=False, rename={"symbol": "s", "asks": "a", "bids": "b", "first": "O", "last": "C", "at": "M"}):
    """`first` and `last` are the updates in it; a whole book needs no `first`. `at` is when the engine matched."""

    symbol: wire.Name
    asks: wire.Pairs
    bids: wire.Pairs
    last: wire.Id
    first: wire.Id | None = None
    at: Stamp | None = None


class Print(Struct, gc=False):
    s: wire.Name
    S: Literal["buy", "sell", "BUY", "SELL"]  # the taker's
    p: wire.Price
    q: wire.TradeAmount
    ti: wire.Name | wire.Id
    M: Stamp


class Named(Struct):
    s: wire.Name


_book = wire.decoder(Book)
_print = wire.decoder(Print)
_named = wire.decoder(Named)


def commands(market_type: MarketType, topics: Sequence[Topic], first_id: int, op: str) -> list[Command]:
    """A frame is of one topic; `op` is subscribe or unsubscribe."""
    return wire.commands(
        wire.batches(topics, facts.LIMITS[facts.Generation.UNIFIED].topics_per_frame),
        first_id,
        lambda number, batch: {"id": str(number), "action": op.upper()} | _arguments(market_type, batch[0]),
    )


def _arguments(market_type: MarketType, topic: Topic) -> dict[str, str]:
    """`tradeType` must be that of the host."""
    product = {"tradeType": facts.TRADE_TYPE[market_type], "symbol": topic.symbol}
    if topic.kind is TopicKind.TRADES:
        return {"channel": facts.TRADES} | product
    return {"channel": facts.BOOKS} | product | {"depth": facts.BOOK_DEPTH[topic.depth]}


def events(name: str, depth: str | None, kind: str | None, data: Raw, received_ns: int) -> list[Event]:
    """Translate a push of `name` (channel, dot, product) with its `dp`, `t` and `d`."""
    channel, _, product = name.partition(".")
    if channel in facts.IGNORED_CHANNELS or (channel == facts.BOOKS and depth in facts.IGNORED_DEPTHS):
        return [Ignored()]
    if product not in facts.TRADE_TYPE.values() or channel not in (facts.BOOKS, facts.TRADES):
        raise MalformedFrame(f"unknown channel {name[:60]!r}")
    if channel == facts.TRADES:
        return [_trade(_decode(_print, data), received_ns)]
    return [_book_event(depth, kind, _decode(_book, data), received_ns)]


def _decode(shape: wire.Decoder[T], data: Raw) -> T:
    """Decode a payload; an error names its symbol where the payload can be read that far."""
    try:
        return wire.decode(shape, data)
    except MalformedFrame as error:
        with suppress(MalformedFrame):
            error.symbol = wire.decode(_named, data).s
        raise


def _book_event(depth: str | None, kind: str | None, book: Book, received_ns: int) -> BookSnapshot | BookDelta:
    """Whole books may say so or not."""
    if (depth, kind) in ((facts.INCREMENTS, "snapshot"), (facts.WHOLE_BOOKS, "snapshot"), (facts.WHOLE_BOOKS, None)):
        return snapshot(book.symbol, book.last, book.bids, book.asks, book.at, received_ns)
    if (depth, kind) != (facts.INCREMENTS, "delta") or book.first is None or book.first > book.last:
        told = f"{str(depth)[:20]!r}, {str(kind)[:20]!r}, ids {book.first} to {book.last}"
        raise MalformedFrame(f"a book of {told}", symbol=book.symbol)
    return delta(book.symbol, (book.first, book.last), book.bids, book.asks, book.at, received_ns)


def _trade(row: Print, received_ns: int) -> PublicTrade:
    return PublicTrade(
        symbol=row.s,
        trade_id=str(row.ti),
        side=Side(row.S.lower()),
        price=row.p,
        amount=row.q,
        exchange_ms=millis(row.M),
        received_ns=received_ns,
    )
