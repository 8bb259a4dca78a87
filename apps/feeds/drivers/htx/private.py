"""HTX's private frames: logins, subscriptions, and what is pushed. Spot's are text, those of swaps (v5) come packed."""

from typing import TypeAlias

from msgspec import Raw, Struct

from apps.feeds.drivers import replies, wire
from apps.feeds.drivers.base import Closing, Frame, Ignored, Ping
from apps.feeds.drivers.htx import private_spot, private_swap, signing
from apps.feeds.drivers.htx import trading_facts as facts
from apps.feeds.drivers.htx.facts import FUTURES, SPOT
from apps.feeds.drivers.inflate import inflate
from apps.feeds.drivers.trading import LoggedIn, LoginRefused, PrivateEvent, Subscribed
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials

Events: TypeAlias = list[PrivateEvent]


class Envelope(Struct, rename="kebab"):
    """Any frame: spot says `action` and `ch`, swaps say `op` and `topic`."""

    action: wire.Word | None = None
    ch: wire.Word = ""
    code: wire.Code | None = None
    message: wire.Words | None = None
    op: wire.Word | None = None
    topic: wire.Word = ""
    err_code: wire.Code | None = None
    err_msg: wire.Words | None = None
    ts: wire.Word | wire.Code | None = None
    data: Raw = Raw(b"null")


class Asked(Struct):
    ts: wire.Millis


_envelope = wire.decoder(Envelope)
_asked = wire.decoder(Asked)


def subscribe(keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
    channels = facts.CHANNELS[market_type]
    if market_type is SPOT:
        return [wire.frame({"action": "sub", "ch": channel}) for channel in channels]
    return [
        wire.frame({"op": "sub", "cid": str(number), "topic": channel} | facts.OF_CONTRACTS.get(channel, {}))
        for number, channel in enumerate(channels, 1)
    ]


def login(keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
    return [signing.login(keys, market_type, now_ms)]


def parse(keys: Credentials, market_type: MarketType, frame: Frame, received_ns: int) -> Events:
    """Translate one frame. Spot's balances are looked at for the account that `keys` name."""
    envelope = wire.decode(_envelope, wire.text(inflate(frame)))
    if market_type is SPOT and envelope.action is not None:
        return _spot(keys, envelope)
    if market_type is FUTURES and envelope.op is not None:
        return _swap(envelope)
    raise MalformedFrame("neither data nor an answer")


def _spot(keys: Credentials, envelope: Envelope) -> Events:
    if envelope.action == "push":
        return [private_spot.pushed(keys, envelope.ch, envelope.data)]
    if envelope.action == "ping":
        return [Ping(wire.frame({"action": "pong", "data": {"ts": wire.decode(_asked, envelope.data).ts}}))]
    if envelope.action in ("req", "sub") and envelope.code is not None:
        is_login = (envelope.action, envelope.ch) == ("req", "auth")
        return [_answer(SPOT, envelope.ch, is_login, envelope.code, envelope.message or "")]
    raise MalformedFrame(f"unknown frame {str(envelope.action)[:60]!r}")


def _swap(envelope: Envelope) -> Events:
    if envelope.op == "notify":
        return private_swap.pushed(envelope.topic, envelope.data, envelope.ts if isinstance(envelope.ts, int) else None)
    if envelope.op == "ping" and envelope.ts is not None:
        return [Ping(wire.frame({"op": "pong", "ts": envelope.ts}))]
    if envelope.op in ("auth", "sub") and envelope.err_code is not None:
        return [_answer(FUTURES, envelope.topic, envelope.op == "auth", envelope.err_code, envelope.err_msg or "")]
    if envelope.op == "close":
        return [Closing("close")]
    if envelope.op in ("error", "unsub"):
        return [Ignored()]
    raise MalformedFrame(f"unknown frame {str(envelope.op)[:60]!r}")


def _answer(market_type: MarketType, channel: str, is_login: bool, code: int, text: str) -> PrivateEvent:
    """What means "later" is no answer: the command is sent again when none comes."""
    if code in facts.WS_LATER:
        return Ignored()
    ok = code == facts.WS_OK[market_type]
    if is_login:
        return LoggedIn() if ok else LoginRefused(code=str(code), text=replies.readable(text))
    return Subscribed(channel=channel, ok=ok, code="" if ok else str(code), text="" if ok else replies.readable(text))
