"""HTX's public frames: commands out, market data and acknowledgements in."""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Ack, Closing, Command, Event, Frame, Ignored, Ping, Topic, TopicKind
from apps.feeds.drivers.htx import facts, symbols
from apps.feeds.drivers.htx.symbols import Stream, StreamKind
from apps.feeds.drivers.inflate import inflate
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade, Side

_OPENING = '{"ch":"'
_SIDES = {"buy": Side.BUY, "sell": Side.SELL, "": Side.UNKNOWN}  # the taker's; empty in 2022
_SEQ = {
    StreamKind.DIFFERENCES: "seq_num",
    StreamKind.REFRESH: "seq_num",
    StreamKind.INCREMENTAL: "version",
    StreamKind.SPOT_STEP: "version",
    StreamKind.CONTRACT_STEP: "mrid",  # their `version` is the time in seconds
}


class Tick(Struct, gc=False):
    """A book's levels and whatever numbers its channel has; a side that did not change, or is empty, may be missing."""

    bids: wire.Pairs = []
    asks: wire.Pairs = []
    seq_num: wire.Id | None = field(default=None, name="seqNum")
    prev_seq_num: wire.Id | None = field(default=None, name="prevSeqNum")
    version: wire.Id | None = None
    mrid: wire.Id | None = None
    event: Literal["snapshot", "update"] | None = None


class BookFrame(Struct, gc=False):
    ch: str
    ts: wire.Millis
    tick: Tick


class Reply(Struct, gc=False):
    """The answer to `req`; without data there is nothing yet, and the question may be put again."""

    ts: wire.Millis
    data: Tick | None = None


class Print(Struct, gc=False):
    """Spot has `tradeId`, its `id` of 25 digits and more is of no use; contracts have `id` alone."""

    ts: wire.Millis
    price: wire.Price
    amount: wire.TradeAmount
    direction: Literal["buy", "sell", ""]
    id: Raw
    trade_id: wire.Id | None = field(default=None, name="tradeId")


class Prints(Struct, gc=False):
    data: Annotated[list[Print], Meta(max_length=wire.MAX_PRINTS)]


class TradeFrame(Struct, gc=False):
    ch: str
    tick: Prints


class Envelope(Struct, rename="kebab"):
    """Any frame, to find out which. `ping`, `op` and `action` are the questions of three generations of sockets."""

    ch: str | None = None
    rep: str | None = None
    id: str | int | None = None
    status: str | int | None = None
    subbed: str | None = None
    unsubbed: str | None = None
    err_code: str | int = ""
    err_msg: str = ""
    ping: wire.Id | None = None
    op: str | None = None
    action: str | None = None
    ts: str | int | None = None
    data: Raw | UnsetType = UNSET


class Asked(Struct):
    ts: wire.Millis


_envelope = wire.decoder(Envelope)
_book = wire.decoder(BookFrame)
_trades = wire.decoder(TradeFrame)
_reply = wire.decoder(Reply)
_asked = wire.decoder(Asked)
_number: wire.Decoder[int] = wire.decoder(wire.Id)


def commands(market_type: MarketType, topics: Sequence[Topic], first_id: int, verb: str) -> list[Command]:
    """`verb` is sub or unsub; one topic per frame."""

    def message(number: int, batch: Sequence[Topic]) -> dict[str, str]:
        of_book = market_type is MarketType.FUTURES and batch[0].kind is TopicKind.BOOK
        form = {"data_type": facts.INCREMENTAL} if of_book else {}
        return {verb: symbols.name(market_type, batch[0]), "id": str(number)} | form

    return wire.commands(wire.batches(topics, facts.LIMITS[market_type].topics_per_frame), first_id, message)


def request(market_type: MarketType, topic: Topic, number: int) -> Frame:
    """Ask for the snapshot of a channel of differences, on the socket that carries it."""
    return wire.frame({"req": symbols.name(market_type, topic), "id": str(number)})


def parse(market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
    """Translate one frame, packed or not."""
    text = wire.text(inflate(frame))
    if text.startswith(_OPENING):
        name = text[len(_OPENING) : text.find('"', len(_OPENING))]
        if "\\" not in name:
            return _data(market_type, name, text, received_ns)
    envelope = wire.decode(_envelope, text)
    if envelope.action is not None or envelope.op is not None:
        return [_private(envelope)]
    if envelope.ping is not None:
        return [Ping(wire.frame({"pong": envelope.ping}))]
    if envelope.rep is not None:
        return [_answer(market_type, envelope, text, received_ns)]
    if envelope.ch is not None:
        return _data(market_type, envelope.ch, text, received_ns)
    return [_ack(envelope)]


def _data(market_type: MarketType, name: str, text: str, received_ns: int) -> list[Event]:
    stream = symbols.stream(market_type, name)
    if stream.kind is StreamKind.TRADES:
        trades = wire.decode(_trades, text, symbol=stream.symbol)
        _same(name, trades.ch)
        return [_trade(stream.symbol, row, received_ns) for row in trades.tick.data]
    if stream.kind is StreamKind.IGNORED:
        _same(name, wire.decode(_envelope, text).ch)
        return [Ignored()]
    book = wire.decode(_book, text, symbol=stream.symbol)
    _same(name, book.ch)
    if stream.kind is StreamKind.DIFFERENCES or book.tick.event == "update":
        return [_delta(stream, book, received_ns)]
    return [_snapshot(stream, book.tick, book.ts, received_ns)]


def _same(name: str, ch: str | None) -> None:
    if ch != name:
        raise MalformedFrame(f"two channels in one frame: {name[:60]!r}")


def _seq(stream: Stream, tick: Tick) -> int:
    """The number that orders the pushes of a channel, by whatever name."""
    seq: int | None = getattr(tick, _SEQ[stream.kind])
    if seq is None or (stream.kind is StreamKind.INCREMENTAL) != (tick.event is not None):
        raise MalformedFrame(f"a push of {stream.kind.value} without its number or event", symbol=stream.symbol)
    return seq


def _delta(stream: Stream, frame: BookFrame, received_ns: int) -> BookDelta:
    seq, prev_seq = _seq(stream, frame.tick), frame.tick.prev_seq_num
    if stream.kind is StreamKind.DIFFERENCES and (prev_seq is None or prev_seq > seq):
        raise MalformedFrame(f"ids {prev_seq}, {seq}", symbol=stream.symbol)
    return BookDelta(
        symbol=stream.symbol,
        seq=seq,
        prev_seq=prev_seq,
        bids=frame.tick.bids,
        asks=frame.tick.asks,
        exchange_ms=frame.ts,
        received_ns=received_ns,
    )


def _snapshot(stream: Stream, tick: Tick, ts: int, received_ns: int, *, asked: bool = False) -> BookSnapshot:
    return BookSnapshot(
        symbol=stream.symbol,
        seq=_seq(stream, tick),
        bids=tick.bids,
        asks=tick.asks,
        exchange_ms=ts,
        received_ns=received_ns,
        from_rest=asked,
        restarts=stream.kind is StreamKind.INCREMENTAL,
    )


def _trade(symbol: str, row: Print, received_ns: int) -> PublicTrade:
    """A subscription begins with the last trade, however old."""
    number = wire.decode(_number, row.id, symbol=symbol) if row.trade_id is None else row.trade_id
    return PublicTrade(
        symbol=symbol,
        trade_id=str(number),
        side=_SIDES[row.direction],
        price=row.price,
        amount=row.amount,
        exchange_ms=row.ts,
        received_ns=received_ns,
    )


def _answer(market_type: MarketType, envelope: Envelope, text: str, received_ns: int) -> Event:
    """The snapshot that was asked for; one without data is a refusal that names the request alone."""
    stream = symbols.stream(market_type, envelope.rep or "")
    if stream.kind is not StreamKind.DIFFERENCES:
        return Ignored()  # history of trades or candles
    reply = wire.decode(_reply, text, symbol=stream.symbol)
    if reply.data is None:
        return Ack(ok=False, request_id=_id(envelope), text="no snapshot yet")
    return _snapshot(stream, reply.data, reply.ts, received_ns, asked=True)


def _ack(envelope: Envelope) -> Ack:
    """An answer names its topic; a refusal names it in free text only, but every frame has one topic."""
    named = envelope.subbed or envelope.unsubbed
    if envelope.status == facts.OK and named:
        return Ack(ok=True, request_id=_id(envelope), topics=(named,))
    if envelope.status == "error":
        return Ack(ok=False, request_id=_id(envelope), code=str(envelope.err_code), text=envelope.err_msg)
    raise MalformedFrame("neither data nor an answer")


def _id(envelope: Envelope) -> str | None:
    return None if envelope.id is None else str(envelope.id)


def _private(envelope: Envelope) -> Event:
    """Frames of the sockets that need a key, whose questions are answered in their own words."""
    if envelope.action == "ping" and envelope.data is not UNSET:
        return Ping(wire.frame({"action": "pong", "data": {"ts": wire.decode(_asked, envelope.data).ts}}))
    if envelope.op == "ping" and envelope.ts is not None:
        return Ping(wire.frame({"op": "pong", "ts": envelope.ts}))
    if envelope.op == "close":
        return Closing("close")
    if envelope.op in facts.PRIVATE_OPS or envelope.action in facts.PRIVATE_ACTIONS:
        return Ignored()
    raise MalformedFrame(f"unknown frame {str(envelope.op or envelope.action)[:60]!r}")
