"""OKX's public frames: commands out, market data and acknowledgements in."""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Literal, TypeAlias, TypeVar

from msgspec import Meta, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Ack, Closing, Command, Event, Frame, Ignored, Pong, Topic
from apps.feeds.drivers.okx import facts, symbols
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade, Side

_OPENING = '{"arg":{"channel":"'
_NAMED = re.compile(r"channel:([^,\s]+),\s*instId:(\S+)")
_SIDES = {"buy": Side.BUY, "sell": Side.SELL}  # the taker's

T = TypeVar("T")
Texts: TypeAlias = list[tuple[str, str]]


class Arg(Struct, rename="camel", gc=False):
    channel: str
    inst_id: str = ""


class BookRow(Struct, rename="camel", gc=False):
    asks: wire.Rows
    bids: wire.Rows
    ts: wire.Millis
    checksum: Annotated[int, Meta(ge=-(2**31), lt=2**31)] = facts.NO_CHECKSUM
    seq_id: wire.Id | None = None
    prev_seq_id: wire.PrevId | None = None


class BookFrame(Struct, gc=False):
    arg: Arg
    action: Literal["snapshot", "update"]
    data: Annotated[list[BookRow], Meta(max_length=wire.MAX_PRINTS)]


class TextRow(Struct, gc=False):
    asks: list[wire.TextRow]
    bids: list[wire.TextRow]


class TextFrame(Struct, gc=False):
    """A book once more, as the wire spelt it: only frames with a checksum pay for it."""

    data: list[TextRow]


class Print(Struct, rename="camel", gc=False):
    inst_id: str
    trade_id: wire.Name
    px: wire.Price
    sz: wire.TradeAmount
    side: Literal["buy", "sell"]
    ts: wire.Millis


class TradeFrame(Struct, gc=False):
    arg: Arg
    data: Annotated[list[Print], Meta(max_length=wire.MAX_PRINTS)]


class Envelope(Struct):
    """Any frame, to find out which."""

    arg: Arg | None = None
    event: str | None = None
    op: str | None = None
    id: str | None = None
    code: str = ""
    msg: str = ""


_envelope = wire.decoder(Envelope)
_books = wire.decoder(BookFrame)
_texts = wire.decoder(TextFrame)
_trades = wire.decoder(TradeFrame)


def commands(topics: Sequence[Topic], first_id: int, op: str) -> list[Command]:
    """`op` is subscribe or unsubscribe."""

    def message(number: int, batch: Sequence[Topic]) -> dict[str, object]:
        args = [{"channel": symbols.channel(topic), "instId": topic.symbol} for topic in batch]
        return {"id": str(number), "op": op, "args": args}

    return wire.commands(wire.batches(topics, facts.LIMITS.topics_per_frame), first_id, message)


def parse(market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
    """Translate one frame; several rows keep their wire order."""
    text = wire.text(frame)
    if text.startswith(_OPENING):
        channel = text[len(_OPENING) : text.find('"', len(_OPENING))]
        return _data(channel, text, received_ns)
    if text == facts.PONG:
        return [Pong()]
    envelope = wire.decode(_envelope, text)
    if envelope.event is not None:
        return [_event(envelope)]
    if envelope.arg is not None:
        return _data(envelope.arg.channel, text, received_ns)
    if envelope.op is not None:
        return [Ignored()]  # an answer to an order: of the private half
    raise MalformedFrame("neither data nor an answer")


def _data(channel: str, text: str, received_ns: int) -> list[Event]:
    if channel == facts.BOOKS:
        return _book_events(text, received_ns)
    if channel == facts.TRADES:
        trades = _decode(_trades, text)
        _same(channel, trades.arg)
        return [_trade(trades.arg.inst_id, row, received_ns) for row in trades.data]
    if channel not in facts.IGNORED_CHANNELS:
        raise MalformedFrame(f"unknown channel {channel[:60]!r}")
    _same(channel, wire.decode(_envelope, text).arg)
    return [Ignored()]


def _decode(shape: wire.Decoder[T], text: str) -> T:
    """Decode data; an error names its symbol where the frame can be read that far."""
    try:
        return wire.decode(shape, text)
    except MalformedFrame as error:
        with suppress(MalformedFrame):
            arg = wire.decode(_envelope, text).arg
            error.symbol = arg.inst_id or None if arg else None
        raise


def _same(channel: str, arg: Arg | None) -> None:
    if arg is None or arg.channel != channel:
        raise MalformedFrame(f"two channels in one frame: {channel[:60]!r}")


def _book_events(text: str, received_ns: int) -> list[Event]:
    frame = _decode(_books, text)
    _same(facts.BOOKS, frame.arg)
    symbol = frame.arg.inst_id
    if not symbol:
        raise MalformedFrame("a book without instId")
    kind = BookSnapshot if frame.action == "snapshot" else BookDelta
    spelt = _spelt(frame, text, symbol)
    return [_book_event(kind, symbol, row, raw, received_ns) for row, raw in zip(frame.data, spelt, strict=True)]


def _spelt(frame: BookFrame, text: str, symbol: str) -> list[tuple[Texts, Texts] | None]:
    """Each row's levels as the wire spelt them where it has a checksum to verify, else None."""
    if all(row.checksum == facts.NO_CHECKSUM for row in frame.data):
        return [None] * len(frame.data)
    texts = wire.decode(_texts, text, symbol=symbol)
    return [
        ([(one.price, one.amount) for one in row.bids], [(one.price, one.amount) for one in row.asks])
        for row in texts.data
    ]


def _book_event(
    kind: type[BookSnapshot] | type[BookDelta],
    symbol: str,
    row: BookRow,
    raw: tuple[Texts, Texts] | None,
    received_ns: int,
) -> BookSnapshot | BookDelta:
    proven = row.checksum != facts.NO_CHECKSUM
    if row.seq_id is None and not proven:
        raise MalformedFrame("neither seqId nor checksum: nothing proves its place", symbol=symbol)
    if kind is BookDelta and (row.seq_id is None) != (row.prev_seq_id is None):
        raise MalformedFrame("seqId and prevSeqId come together", symbol=symbol)
    raw_bids, raw_asks = raw if raw is not None and proven else (None, None)
    return kind(
        symbol=symbol,
        seq=row.seq_id,
        prev_seq=None if row.prev_seq_id == facts.NO_PREVIOUS else row.prev_seq_id,
        bids=wire.levels(row.bids),
        asks=wire.levels(row.asks),
        exchange_ms=row.ts,
        received_ns=received_ns,
        checksum=row.checksum if proven else None,
        raw_bids=raw_bids,
        raw_asks=raw_asks,
    )


def _trade(symbol: str, row: Print, received_ns: int) -> PublicTrade:
    if row.inst_id != symbol:
        raise MalformedFrame(f"{row.inst_id[:60]!r} in the channel of {symbol[:60]}", symbol=symbol)
    return PublicTrade(
        symbol=symbol,
        trade_id=row.trade_id,
        side=_SIDES[row.side],
        price=row.px,
        amount=row.sz,
        exchange_ms=row.ts,
        received_ns=received_ns,
    )


def _event(envelope: Envelope) -> Event:
    arg = envelope.arg
    if envelope.event in ("subscribe", "unsubscribe"):
        if arg is None:
            raise MalformedFrame("an acknowledgement without its arg")
        return Ack(ok=True, request_id=envelope.id, topics=(symbols.joined(arg.channel, arg.inst_id),))
    if envelope.event == "error":
        return _refusal(envelope)
    if envelope.event == "notice":
        return Closing(envelope.msg) if envelope.code == facts.CLOSING_SOON else Ignored()
    if envelope.event in ("login", "channel-conn-count", "channel-conn-count-error"):
        return Ignored()  # of the private half
    raise MalformedFrame(f"unknown event {str(envelope.event)[:60]!r}")


def _refusal(envelope: Envelope) -> Ack:
    """The others of the command still succeed; the one refused is named in free text only."""
    named = _NAMED.search(envelope.msg)
    return Ack(
        ok=False,
        request_id=envelope.id,
        topics=(symbols.joined(named[1], named[2]),) if named else (),
        code=envelope.code,
        text=envelope.msg,
    )
