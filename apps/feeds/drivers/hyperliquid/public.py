"""Hyperliquid's public frames: commands out, whole books, trades and acknowledgements in."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Raw, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Ack, Command, Event, Frame, Ignored, Pong, Topic
from apps.feeds.drivers.hyperliquid import facts, symbols
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import BookSnapshot, Levels, MarketType, PublicTrade, Side

_SIDES = {"B": Side.BUY, "A": Side.SELL}  # the taker's


class Level(Struct, gc=False):
    px: wire.Price
    sz: wire.Amount


BookSide: TypeAlias = Annotated[list[Level], Meta(max_length=wire.MAX_LEVELS)]


class Book(Struct, gc=False):
    """Of the socket and of REST alike; `spread` marks levels that were put together into steps."""

    coin: wire.Name
    time: wire.Millis
    levels: tuple[BookSide, BookSide]  # bids, asks
    fast: bool = False
    spread: Raw = Raw()


class Print(Struct, gc=False):
    coin: wire.Name
    side: Literal["B", "A"]
    px: wire.Price
    sz: wire.TradeAmount
    time: wire.Millis
    tid: wire.Id


class Trades(Struct):
    data: Annotated[list[Print], Meta(max_length=wire.MAX_PRINTS)]


class Subscription(Struct):
    type: str
    coin: str | None = None


class Asked(Struct):
    """A command of ours, as answers repeat it."""

    method: Literal["subscribe", "unsubscribe"]
    subscription: Subscription


class Envelope(Struct):
    channel: str
    data: Raw = Raw(b"null")


_envelope = wire.decoder(Envelope)
_book = wire.decoder(Book)
_trades = wire.decoder(Trades)
_asked = wire.decoder(Asked)
_subscription = wire.decoder(Subscription)
_text = wire.decoder(str)


def commands(topics: Sequence[Topic], first_id: int, method: str) -> list[Command]:
    """`method` is subscribe or unsubscribe; answers are matched by topic, ids are ours alone."""
    return wire.commands(
        wire.batches(topics, facts.LIMITS.topics_per_frame),
        first_id,
        lambda _, batch: {"method": method, "subscription": symbols.subscription(batch[0])},
    )


def parse(market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
    """Translate one frame; spot and perpetuals share one wire."""
    text = wire.text(frame)
    if text == facts.GREETING:
        return [Ignored()]
    envelope = wire.decode(_envelope, text)
    if envelope.channel == facts.BOOK:
        return [_book_event(wire.decode(_book, envelope.data), received_ns)]
    if envelope.channel == facts.TRADES:
        return [_trade(row, received_ns) for row in wire.decode(_trades, text).data]
    if envelope.channel == "subscriptionResponse":
        return [_acknowledged(wire.decode(_asked, envelope.data))]
    if envelope.channel == "error":
        return [_refused(wire.decode(_text, envelope.data))]
    if envelope.channel == "pong":
        return [Pong()]
    if envelope.channel in facts.IGNORED:
        return [Ignored()]
    raise MalformedFrame(f"unknown channel {envelope.channel[:60]!r}")


def snapshot(book: Book, received_ns: int, *, from_rest: bool) -> BookSnapshot:
    """`time` stands for a sequence; a window marks the fast book, which must not take the place of the plain one."""
    bids, asks = book.levels
    return BookSnapshot(
        symbol=book.coin,
        seq=book.time,
        bids=_levels(bids),
        asks=_levels(asks),
        exchange_ms=book.time,
        received_ns=received_ns,
        window=facts.FAST_LEVELS if book.fast else None,
        from_rest=from_rest,
    )


def _book_event(book: Book, received_ns: int) -> Event:
    """A market without any level is delisted or empty: no news, so that its book grows stale."""
    if book.spread or not any(book.levels):
        return Ignored()
    return snapshot(book, received_ns, from_rest=False)


def _levels(side: Sequence[Level]) -> Levels:
    return [(level.px, level.sz) for level in side]


def _trade(row: Print, received_ns: int) -> PublicTrade:
    return PublicTrade(
        symbol=row.coin,
        trade_id=str(row.tid),
        side=_SIDES[row.side],
        price=row.px,
        amount=row.sz,
        exchange_ms=row.time,
        received_ns=received_ns,
    )


def _acknowledged(asked: Asked) -> Event:
    """The answer repeats the subscription with all its defaults; those of the private half name no coin."""
    if asked.subscription.coin is None:
        return Ignored()
    return Ack(ok=True, topics=(_name(asked.subscription),))


def _refused(text: str) -> Event:
    """Of what the socket survives; an unknown coin costs the socket instead, without a word."""
    if text.startswith(facts.ALREADY_SUBSCRIBED):
        named = wire.decode(_subscription, text.removeprefix(facts.ALREADY_SUBSCRIBED))
        return Ack(ok=False, topics=(_name(named),), code="already subscribed", text=text, already=True)
    if text.startswith(facts.ALREADY_UNSUBSCRIBED):
        named = wire.decode(_subscription, text.removeprefix(facts.ALREADY_UNSUBSCRIBED))
        return Ack(ok=True, topics=(_name(named),))
    if text.startswith(facts.NOT_UNDERSTOOD):
        return _not_understood(text)
    raise MalformedFrame(f"unknown error {text[:100]!r}")


def _not_understood(text: str) -> Event:
    """It repeats our frame; one that is none of ours (several coins at once) matches no command."""
    try:
        asked = wire.decode(_asked, text.removeprefix(facts.NOT_UNDERSTOOD))
    except MalformedFrame:
        return Ignored()
    return Ack(ok=False, topics=(_name(asked.subscription),), code="not understood", text=text)


def _name(named: Subscription) -> str:
    return f"{named.type}:{named.coin}"
