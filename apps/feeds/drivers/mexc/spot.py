"""MEXC's public frames of spot: commands and answers are JSON, pushes are protobuf (`spot.proto`)."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeGuard, TypeVar

import msgspec
from google.protobuf.message import DecodeError
from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Ack, Command, Event, Frame, Ignored, Ping, Pong, Topic
from apps.feeds.drivers.mexc import facts, symbols
from apps.feeds.drivers.mexc.spot_pb2 import (
    PublicAggreDealsV3ApiItem,
    PublicAggreDepthsV3Api,
    PublicLimitDepthsV3Api,
    PushDataV3ApiWrapper,
)
from apps.feeds.errors import Flaw, MalformedFrame
from apps.feeds.market import BookDelta, BookSnapshot, Levels, MarketType, PublicTrade, Side

_JSON = (b"{", facts.INVALID_KEY[:1].encode())  # how control frames begin where text comes as bytes
_ACCEPTED = re.compile(r"Subscribed successful! \[([^\]]*)\]")
_REFUSED = re.compile(r"Not Subscribed successfully! \[([^\]]*)\]")
_SIDES = {1: Side.BUY, 2: Side.SELL}  # the taker's
# The body that each channel has, and which word of its name is the symbol; the others carry nothing for us.
_BODIES = {
    facts.DIFFERENCES: ("public_aggre_depths", 1),
    facts.WHOLE: ("public_limit_depths", 0),
    facts.DEALS: ("public_aggre_deals", 1),
}

T = TypeVar("T")


class Row(Protocol):
    """A level: MEXC has several messages of this shape."""

    price: str
    quantity: str


class Answer(Struct):
    """Any control frame. `id` is 0 whatever we sent; `code` is 0 for refusals too."""

    code: wire.Code | None = None
    msg: wire.Words = ""
    method: wire.Word | None = None


class Deal(Struct):
    """What protobuf cannot check of a trade."""

    price: wire.Price
    quantity: wire.TradeAmount
    time: wire.Millis
    trade_id: wire.Name


_answer = wire.decoder(Answer)


def commands(topics: Sequence[Topic], first_id: int, method: str) -> list[Command]:
    """`method` is SUBSCRIPTION or UNSUBSCRIPTION."""

    def asked(number: int, batch: Sequence[Topic]) -> dict[str, object]:
        return {"method": method, "params": [symbols.name(MarketType.SPOT, topic) for topic in batch], "id": number}

    return wire.commands(wire.batches(topics, facts.LIMITS[MarketType.SPOT].topics_per_frame), first_id, asked)


def parse(frame: Frame, received_ns: int) -> list[Event]:
    if is_push(frame):
        return _push(frame, received_ns)
    text = wire.text(frame)
    return [Ignored()] if text == facts.INVALID_KEY else control(text)


def is_push(frame: Frame) -> TypeGuard[bytes]:
    return isinstance(frame, bytes) and not frame.startswith(_JSON)


def control(text: str) -> list[Event]:
    """A frame of the conversation: answers, pings and pongs."""
    answer = wire.decode(_answer, text)
    if answer.method == facts.PING:
        return [Ping(facts.PONG)]
    if answer.code is None:
        raise MalformedFrame("neither data nor an answer")
    return _acks(answer.code, answer.msg)


def _acks(code: int, msg: str) -> list[Event]:
    """What was accepted is echoed; what was not stands in a list of its own. Anything else answers nothing of ours."""
    if code == facts.OK and msg == facts.PONGED:
        return [Pong()]
    accepted, refused = _ACCEPTED.search(msg), _REFUSED.search(msg)
    events: list[Event] = []
    if code == facts.OK and accepted:
        events.append(Ack(ok=True, topics=_names(accepted[1])))
    elif code == facts.OK and all(name.startswith("spot@") for name in _names(msg)):
        events.append(Ack(ok=True, topics=_names(msg)))
    if refused:
        reason = facts.BLOCKED if facts.BLOCKED in msg else str(code)
        events.append(Ack(ok=False, topics=_names(refused[1]), code=reason, text=msg))
    return events or [Ack(ok=False, code=str(code), text=msg)]


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(","))


def _push(frame: bytes, received_ns: int) -> list[Event]:
    """A body of another kind than its channel's is nobody's; one without a body is normal."""
    push = message(frame)
    kind, words = symbols.stream(push.channel)
    body = push.WhichOneof("body")
    if kind not in _BODIES or body is None:
        return [Ignored()]
    wanted, at = _BODIES[kind]
    symbol = words[at] if at < len(words) else ""
    if body != wanted or not symbol or push.symbol not in ("", symbol):
        raise MalformedFrame(f"{body} of {push.symbol[:60]!r} in {push.channel[:80]!r}", symbol=symbol or None)
    sent_ms = checked(push.send_time, wire.Millis, symbol) or None
    if kind == facts.DIFFERENCES:
        return [_delta(symbol, push.public_aggre_depths, sent_ms, received_ns)]
    if kind == facts.WHOLE:
        return [_whole(symbol, push.public_limit_depths, sent_ms, received_ns)]
    deals = push.public_aggre_deals.deals
    if len(deals) > wire.MAX_PRINTS:
        raise MalformedFrame(f"{len(deals)} trades in one push", symbol=symbol, flaw=Flaw.SIZE)
    return [_trade(symbol, deal, received_ns) for deal in deals]


def message(frame: bytes) -> PushDataV3ApiWrapper:
    """Unpack a push; raise MalformedFrame for what is none."""
    if len(frame) > facts.MAX_PUSH:
        raise MalformedFrame(f"a push of {len(frame)} bytes", flaw=Flaw.SIZE)
    try:
        return PushDataV3ApiWrapper.FromString(frame)
    except DecodeError as error:
        raise MalformedFrame("not the documented protobuf", flaw=Flaw.SHAPE) from error


def checked(value: object, shape: Any, symbol: str) -> Any:
    """What protobuf cannot check: numbers in text, and bounds."""
    try:
        return msgspec.convert(value, shape, strict=False)
    except msgspec.ValidationError as error:
        raise MalformedFrame(str(error)[:200], symbol=symbol, flaw=Flaw.SHAPE) from error


def _levels(rows: Iterable[Row], symbol: str) -> Levels:
    levels: Levels = checked([(row.price, row.quantity) for row in rows], wire.Pairs, symbol)
    return levels


def _delta(symbol: str, depths: PublicAggreDepthsV3Api, sent_ms: int | None, received_ns: int) -> BookDelta:
    first, last = (checked(version, wire.Id, symbol) for version in (depths.from_version, depths.to_version))
    if last < first:
        raise MalformedFrame(f"versions {first} to {last}", symbol=symbol)
    return BookDelta(
        symbol=symbol,
        first_seq=first,
        seq=last,
        bids=_levels(depths.bids, symbol),
        asks=_levels(depths.asks, symbol),
        exchange_ms=sent_ms,
        received_ns=received_ns,
    )


def _whole(symbol: str, depths: PublicLimitDepthsV3Api, sent_ms: int | None, received_ns: int) -> BookSnapshot:
    return BookSnapshot(
        symbol=symbol,
        seq=checked(depths.version, wire.Id, symbol),
        bids=_levels(depths.bids, symbol),
        asks=_levels(depths.asks, symbol),
        exchange_ms=sent_ms,
        received_ns=received_ns,
    )


def _trade(symbol: str, row: PublicAggreDealsV3ApiItem, received_ns: int) -> PublicTrade:
    told = {"price": row.price, "quantity": row.quantity, "time": row.time, "trade_id": row.trade_id}
    deal: Deal = checked(told, Deal, symbol)
    side = _SIDES.get(row.trade_type)
    if side is None:
        raise MalformedFrame(f"unknown side {row.trade_type}", symbol=symbol)
    return PublicTrade(
        symbol=symbol,
        trade_id=deal.trade_id,
        side=side,
        price=deal.price,
        amount=deal.quantity,
        exchange_ms=deal.time,
        received_ns=received_ns,
    )
