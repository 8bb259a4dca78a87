"""The classic push: topics of up to 100 symbols, JSON in text frames, a token for each socket."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Raw, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Command, Event, Ignored, Topic
from apps.feeds.drivers.kucoin import facts, symbols
from apps.feeds.drivers.kucoin.values import Stamp, delta, millis, snapshot
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Levels, MarketType, PublicTrade, Side

PriceOrNone: TypeAlias = Annotated[float, Meta(ge=0, le=1e15)]  # 0 is no level, the change only takes a number


class Change(Struct, array_like=True, gc=False, frozen=True):
    price: PriceOrNone
    amount: wire.Amount
    seq: wire.Id


ChangedSide: TypeAlias = Annotated[list[Change], Meta(max_length=wire.MAX_LEVELS)]


class Changes(Struct, gc=False):
    asks: ChangedSide
    bids: ChangedSide


class SpotChanges(Struct, rename="camel", gc=False):
    symbol: wire.Name
    sequence_start: wire.Id
    sequence_end: wire.Id
    changes: Changes
    time: Stamp | None = None


class FuturesChange(Struct, gc=False):
    """`change` is "price,side,amount"."""

    sequence: wire.Id
    change: Annotated[str, Meta(max_length=100)]
    timestamp: Stamp | None = None


class FuturesLevel(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    price: PriceOrNone
    side: Literal["buy", "sell"]
    amount: wire.Amount


class Whole(Struct, gc=False):
    """Spot has no sequence: the time orders its books."""

    asks: wire.Pairs
    bids: wire.Pairs
    timestamp: Stamp
    sequence: wire.Id | None = None


class Print(Struct, rename="camel", gc=False):
    """`time` on spot, `ts` on futures."""

    symbol: wire.Name
    side: Literal["buy", "sell", "BUY", "SELL"]  # the taker's
    price: wire.Price
    size: wire.TradeAmount
    trade_id: wire.Name | wire.Id
    time: Stamp | None = None
    ts: Stamp | None = None


_spot_changes = wire.decoder(SpotChanges)
_futures_change = wire.decoder(FuturesChange)
_futures_level = wire.decoder(FuturesLevel)
_whole = wire.decoder(Whole)
_print = wire.decoder(Print)


def commands(market_type: MarketType, topics: Sequence[Topic], first_id: int, op: str) -> list[Command]:
    """A frame is of one channel, and asks for an answer; `op` is subscribe or unsubscribe."""

    def message(number: int, batch: Sequence[Topic]) -> dict[str, object]:
        named = f"{symbols.channel(market_type, batch[0])}:{','.join(topic.symbol for topic in batch)}"
        return {"id": str(number), "type": op, "topic": named, "privateChannel": False, "response": True}

    by_channel: dict[str, list[Topic]] = {}
    for topic in topics:
        by_channel.setdefault(symbols.channel(market_type, topic), []).append(topic)
    size = facts.LIMITS[facts.Generation.CLASSIC].topics_per_frame
    batches = [batch for same in by_channel.values() for batch in wire.batches(same, size)]
    return wire.commands(batches, first_id, message)


def events(topic: str, data: Raw, received_ns: int) -> list[Event]:
    """Translate a message of `topic`, which names the channel and, on most channels alone, the symbol."""
    channel, _, symbol = topic.partition(":")
    read = _READERS.get(channel)
    if read is not None and symbol:
        return read(symbol, data, received_ns)
    if topic.startswith(facts.IGNORED_TOPICS):
        return [Ignored()]
    raise MalformedFrame(f"unknown topic {topic[:60]!r}")


def _spot_book(symbol: str, data: Raw, received_ns: int) -> list[Event]:
    """An update of each change: a frame that overlaps the book is applied from the change that continues it."""
    frame = wire.decode(_spot_changes, data, symbol=symbol)
    _owned(symbol, frame.symbol)
    first, last, steps = frame.sequence_start, frame.sequence_end, [*_steps(frame.changes)]
    if first > last or (steps and not first <= steps[0][0] <= steps[-1][0] <= last):
        raise MalformedFrame(f"changes outside of {first} to {last}", symbol=symbol)
    if not steps or steps[-1][0] < last:
        steps.append((last, [], []))
    firsts = [first, *(seq + 1 for seq, _, _ in steps)]
    return [
        delta(symbol, (first, seq), bids, asks, frame.time, received_ns)
        for first, (seq, bids, asks) in zip(firsts, steps, strict=False)
    ]


def _steps(changes: Changes) -> Iterator[tuple[int, Levels, Levels]]:
    """The levels of each sequence, both sides together, in the order of the sequences."""
    told = [(change.seq, True, change) for change in changes.bids]
    told += [(change.seq, False, change) for change in changes.asks]
    told.sort(key=lambda one: one[0])
    for seq, group in groupby(told, key=lambda one: one[0]):
        sides: tuple[Levels, Levels] = ([], [])
        for _, is_bid, change in group:
            if change.price:
                sides[not is_bid].append((change.price, change.amount))
        yield seq, *sides


def _futures_book(symbol: str, data: Raw, received_ns: int) -> list[Event]:
    frame = wire.decode(_futures_change, data, symbol=symbol)
    level = wire.decode(_futures_level, wire.frame(frame.change.split(",")), symbol=symbol)
    told = [(level.price, level.amount)] if level.price else []
    bids, asks = (told, []) if level.side == "buy" else ([], told)
    return [delta(symbol, (frame.sequence, frame.sequence), bids, asks, frame.timestamp, received_ns)]


def _whole_book(symbol: str, data: Raw, received_ns: int) -> list[Event]:
    book = wire.decode(_whole, data, symbol=symbol)
    seq = book.timestamp if book.sequence is None else book.sequence
    return [snapshot(symbol, seq, book.bids, book.asks, book.timestamp, received_ns)]


def _trade(symbol: str, data: Raw, received_ns: int) -> list[Event]:
    row = wire.decode(_print, data, symbol=symbol)
    _owned(symbol, row.symbol)
    at = row.time if row.time is not None else row.ts
    if at is None:
        raise MalformedFrame("a trade without its time", symbol=symbol)
    return [
        PublicTrade(
            symbol=symbol,
            trade_id=str(row.trade_id),
            side=Side(row.side.lower()),
            price=row.price,
            amount=row.size,
            exchange_ms=millis(at),
            received_ns=received_ns,
        )
    ]


def _owned(symbol: str, named: str) -> None:
    if named != symbol:
        raise MalformedFrame(f"{named!r} in the topic of {symbol[:60]}", symbol=symbol)


_READERS: dict[str, Callable[[str, Raw, int], list[Event]]] = {
    facts.CLASSIC_CHANGES[MarketType.SPOT]: _spot_book,
    facts.CLASSIC_CHANGES[MarketType.FUTURES]: _futures_book,
    **dict.fromkeys(facts.CLASSIC_WHOLE.values(), _whole_book),
    **dict.fromkeys(facts.CLASSIC_TRADES.values(), _trade),
}
