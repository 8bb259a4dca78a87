"""CoinEx's public frames: commands out, market data and acknowledgements in; frames come compressed, or as text."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Literal, TypeVar

from msgspec import Meta, Raw, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Ack, Command, Event, Frame, Ignored, Pong, Topic, TopicKind
from apps.feeds.drivers.coinex import facts, symbols
from apps.feeds.drivers.inflate import inflate
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookDelta, BookSnapshot, MarketType, PublicTrade, Side

T = TypeVar("T")

_BOOK_PUSH, _TRADES_PUSH = f"{facts.BOOKS}.update", f"{facts.TRADES}.update"
_SIDES = {"buy": Side.BUY, "sell": Side.SELL}  # the taker's
_UNSIGNED = 2**32 - 1


class Levels(Struct, gc=False):
    """A side without changes may be missing. Documented as signed, every checksum that was seen is unsigned."""

    checksum: Annotated[int, Meta(ge=-(2**31), lt=2**32)]
    updated_at: wire.Millis | None = None
    asks: wire.Pairs = []
    bids: wire.Pairs = []


class Book(Struct, gc=False):
    market: wire.Name
    is_full: bool
    depth: Levels


class Texts(Struct, gc=False):
    asks: list[wire.TextRow] = []
    bids: list[wire.TextRow] = []


class Spelling(Struct, gc=False):
    """A book once more, as the wire spelt it: its checksum is over these strings."""

    depth: Texts


class Print(Struct, gc=False):
    deal_id: wire.Id
    created_at: wire.Millis
    side: Literal["buy", "sell"]
    price: wire.Price
    amount: wire.TradeAmount


class Deals(Struct, gc=False):
    market: wire.Name
    deal_list: Annotated[list[Print], Meta(max_length=wire.MAX_PRINTS)]


class Named(Struct):
    market: wire.Name


class Result(Struct):
    result: str = ""


class Reply(Struct):
    data: Result | None = None


class Envelope(Struct):
    """Any frame: pushes have a method, answers have an id and a code."""

    method: str | None = None
    id: int | None = None
    code: int | None = None
    message: str = ""
    data: Raw = Raw(b"null")


_envelope = wire.decoder(Envelope)
_book = wire.decoder(Book)
_spelling = wire.decoder(Spelling)
_deals = wire.decoder(Deals)
_named = wire.decoder(Named)
_reply = wire.decoder(Reply)


def commands(topics: Sequence[Topic], first_id: int, op: str) -> list[Command]:
    """`op` is subscribe or unsubscribe; a frame is of one channel."""

    def message(number: int, batch: Sequence[Topic]) -> dict[str, object]:
        markets = [_parameter(op, topic) for topic in batch]
        return {"method": f"{symbols.channel(batch[0].kind)}.{op}", "params": {"market_list": markets}, "id": number}

    size = facts.LIMITS.topics_per_frame
    by_kind = [[topic for topic in topics if topic.kind is kind] for kind in TopicKind]
    return wire.commands([batch for same in by_kind for batch in wire.batches(same, size)], first_id, message)


def _parameter(op: str, topic: Topic) -> str | tuple[str, int, str, bool]:
    """Only a subscription to books says more than the market."""
    if topic.kind is TopicKind.TRADES or op == "unsubscribe":
        return topic.symbol
    return topic.symbol, facts.BOOK_LEVELS[topic.depth], facts.NOT_MERGED, facts.WHOLE_PUSHES


def parse(market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
    """Translate one frame; frames do not say their market type, the socket's address does."""
    text = wire.text(inflate(frame))
    envelope = wire.decode(_envelope, text)
    if envelope.method is None:
        return [_answer(envelope, text)]
    if envelope.method == _BOOK_PUSH:
        return [book(envelope.data, received_ns)]
    if envelope.method == _TRADES_PUSH:
        return _trades(envelope.data, received_ns)
    if envelope.method in facts.IGNORED_METHODS:
        return [Ignored()]
    raise MalformedFrame(f"unknown method {envelope.method[:60]!r}")


def book(data: Raw, received_ns: int) -> BookSnapshot | BookDelta:
    """A push, or the answer to a request, which has the same form."""
    told = _decode(_book, data)
    spelt = wire.decode(_spelling, data, symbol=told.market).depth
    kind = BookSnapshot if told.is_full else BookDelta
    return kind(
        symbol=told.market,
        seq=None,
        bids=told.depth.bids,
        asks=told.depth.asks,
        exchange_ms=told.depth.updated_at,
        received_ns=received_ns,
        checksum=told.depth.checksum & _UNSIGNED,
        raw_bids=[(row.price, row.amount) for row in spelt.bids],
        raw_asks=[(row.price, row.amount) for row in spelt.asks],
    )


def _trades(data: Raw, received_ns: int) -> list[Event]:
    """Pushed newest first, given oldest first."""
    deals = _decode(_deals, data)
    return [
        PublicTrade(
            symbol=deals.market,
            trade_id=str(row.deal_id),
            side=_SIDES[row.side],
            price=row.price,
            amount=row.amount,
            exchange_ms=row.created_at,
            received_ns=received_ns,
        )
        for row in sorted(deals.deal_list, key=lambda row: row.deal_id)
    ]


def _decode(shape: wire.Decoder[T], data: Raw) -> T:
    """Decode a payload; an error names its symbol where the payload can be read that far."""
    try:
        return wire.decode(shape, data)
    except MalformedFrame as error:
        with suppress(MalformedFrame):
            error.symbol = wire.decode(_named, data).market
        raise


def _answer(envelope: Envelope, text: str) -> Event:
    if envelope.id is None or envelope.code is None:
        raise MalformedFrame("neither data nor an answer")
    if envelope.code in facts.LATER:
        return Ignored()  # no answer yet: the command is sent again when none comes
    if envelope.code != facts.OK:
        return Ack(
            ok=False,
            request_id=str(envelope.id),
            code=str(envelope.code),
            text=envelope.message,
            whole_frame=True,  # (?) whether one bad market spoils its frame is undocumented
        )
    told = wire.decode(_reply, text).data
    return Pong() if told is not None and told.result == facts.PONG else Ack(ok=True, request_id=str(envelope.id))
