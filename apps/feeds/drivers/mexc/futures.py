"""MEXC's public frames of futures: JSON text both ways. Amounts are contracts."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Ack, Closing, Command, Event, Frame, Ignored, Pong, Topic, TopicKind
from apps.feeds.drivers.mexc import facts, symbols
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade, Side

_NAMED = re.compile(r"Contract \[([^\]]+)\]")
_ANSWER = re.compile(r"rs\.(?:un|u)?sub\.")
_SIDES = {1: Side.BUY, 2: Side.SELL}  # the taker's


class Envelope(Struct):
    """Any frame; the channel comes after the data that it explains."""

    channel: str
    data: Raw
    symbol: str = ""
    ts: wire.Millis | None = None


class Depth(Struct, gc=False):
    """Merged changes begin at `begin`; a single change has `version` alone."""

    version: wire.Id
    bids: wire.Rows = []
    asks: wire.Rows = []
    begin: wire.Id | None = None
    end: wire.Id | None = None
    cts: wire.Millis | None = None


class Print(Struct, gc=False):
    p: wire.Price
    v: wire.TradeAmount
    T: Literal[1, 2]
    t: wire.Millis
    i: wire.Id


Prints = Annotated[list[Print], Meta(max_length=wire.MAX_PRINTS)]

_envelope = wire.decoder(Envelope)
_depth = wire.decoder(Depth)
_print = wire.decoder(Print)
_prints: wire.Decoder[list[Print]] = wire.decoder(Prints)
_text = wire.decoder(str)


def commands(topics: Sequence[Topic], first_id: int, methods: dict[str, str]) -> list[Command]:
    """One contract per frame; the number is ours alone. `methods` are those of each channel."""
    return wire.commands(
        wire.batches(topics, facts.LIMITS[MarketType.FUTURES].topics_per_frame),
        first_id,
        lambda _, batch: {"method": methods[symbols.channel(batch[0])], "param": _param(batch[0])},
    )


def _param(topic: Topic) -> dict[str, str | int]:
    whole = topic.kind is TopicKind.BOOK and topic.depth == facts.WHOLE_LEVELS
    return {"symbol": topic.symbol} | ({"limit": facts.WHOLE_LEVELS} if whole else {})


def parse(frame: Frame, received_ns: int) -> list[Event]:
    envelope = wire.decode(_envelope, wire.text(frame))
    channel, symbol = envelope.channel, envelope.symbol
    if channel in ("push.depth", "push.depth.full", "push.deal"):
        if not symbol:
            raise MalformedFrame(f"{channel} without its symbol")
        if channel == "push.deal":
            return _trades(envelope, received_ns)
        return [_book(envelope, whole=channel == "push.depth.full", received_ns=received_ns)]
    if channel == "pong":
        return [Pong()]
    if channel == "rs.error":
        return [_refusal(wire.decode(_text, envelope.data))]
    if _ANSWER.match(channel):
        text = wire.decode(_text, envelope.data)
        return [Ack(ok=text == facts.SUCCESS, nameless=True, text="" if text == facts.SUCCESS else text)]
    if channel.startswith(facts.IGNORED_CHANNELS):
        return [Ignored()]
    raise MalformedFrame(f"unknown channel {channel[:60]!r}")


def _book(envelope: Envelope, *, whole: bool, received_ns: int) -> BookSnapshot | BookDelta:
    symbol = envelope.symbol
    depth = wire.decode(_depth, envelope.data, symbol=symbol)
    bids, asks = wire.levels(depth.bids), wire.levels(depth.asks)
    exchange_ms = depth.cts or envelope.ts
    if whole:
        return BookSnapshot(
            symbol=symbol, seq=depth.version, bids=bids, asks=asks, exchange_ms=exchange_ms, received_ns=received_ns
        )
    first, last = depth.begin or depth.version, depth.version if depth.end is None else depth.end
    if last < first:
        raise MalformedFrame(f"versions {first} to {last}", symbol=symbol)
    return BookDelta(
        symbol=symbol,
        first_seq=first,
        seq=last,
        bids=bids,
        asks=asks,
        exchange_ms=exchange_ms,
        received_ns=received_ns,
    )


def _trades(envelope: Envelope, received_ns: int) -> list[Event]:
    """A list; one trade by itself in older frames."""
    symbol, data = envelope.symbol, envelope.data
    single = bytes(data).startswith(b"{")
    rows = [wire.decode(_print, data, symbol=symbol)] if single else wire.decode(_prints, data, symbol=symbol)
    return [
        PublicTrade(
            symbol=symbol,
            trade_id=str(row.i),
            side=_SIDES[row.T],
            price=row.p,
            amount=row.v,
            exchange_ms=row.t,
            received_ns=received_ns,
        )
        for row in rows
    ]


def _refusal(text: str) -> Event:
    """An error names a contract at best: any of its topics may be meant, and the one in flight is."""
    if facts.GOODBYE in text:
        return Closing(text)
    named = _NAMED.search(text)
    topics = tuple(symbols.futures_name(channel, named[1]) for channel in facts.UNSUBSCRIBE) if named else ()
    return Ack(ok=False, nameless=not named, topics=topics, code="rs.error", text=text)
