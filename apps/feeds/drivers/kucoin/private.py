"""KuCoin's private frames: whose they are, and what answers our commands."""

from msgspec import Raw, Struct

from apps.feeds.drivers import replies, wire
from apps.feeds.drivers.base import Closing, Frame, Ignored, Pong, Welcome
from apps.feeds.drivers.kucoin import private_classic, private_unified
from apps.feeds.drivers.kucoin import trading_facts as facts
from apps.feeds.drivers.kucoin.facts import ACK, CLOSING_CODES, ERROR, MESSAGE, PONG, WELCOME
from apps.feeds.drivers.trading import LoggedIn, LoginRefused, PrivateEvent, Subscribed, TokenExpired
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials

TOKEN_EXPIRED = 401
REFUSED = "refused"


class Envelope(Struct, rename={"channel": "T", "payload": "d", "session_id": "sessionId"}):
    """Any frame, classic or unified."""

    id: wire.Word | wire.Code | None = None
    type: wire.Word | None = None
    op: wire.Word | None = None
    topic: wire.Word | None = None
    subject: wire.Word = ""
    code: wire.Code | None = None
    data: Raw = Raw(b"null")
    channel: wire.Word | None = None
    payload: Raw = Raw(b"null")
    result: bool | None = None
    message: wire.Words = ""
    reason: wire.Words = ""
    session_id: wire.Word | None = None


_envelope = wire.decoder(Envelope)


def subscribe(keys: Credentials, market_type: MarketType) -> list[Frame]:
    """The ids are our names of the channels: acknowledgements tell nothing else."""
    if facts.generation(keys) is facts.UNIFIED:
        wanted = facts.CHANNELS[market_type].items()
        return [wire.frame({"id": name, "action": "SUBSCRIBE"} | channel) for name, channel in wanted]
    return [
        wire.frame({"id": name, "type": "subscribe", "topic": topic, "privateChannel": True, "response": True})
        for name, topic in facts.TOPICS[market_type].items()
    ]


def parse(keys: Credentials, market_type: MarketType, frame: Frame, received_ns: int) -> list[PrivateEvent]:
    envelope = wire.decode(_envelope, wire.text(frame))
    if envelope.channel is not None:
        return private_unified.events(market_type, envelope.channel, envelope.payload) or [Ignored()]
    if envelope.topic is not None and envelope.type in (MESSAGE, None):
        return private_classic.events(market_type, envelope.topic, envelope.subject, envelope.data) or [Ignored()]
    if envelope.type == WELCOME or (envelope.session_id is not None and envelope.message == WELCOME):
        return [Welcome()]
    if PONG in (envelope.type, envelope.op):
        return [Pong()]
    if envelope.type == ACK:
        return [Subscribed(channel=_name(envelope))]
    if envelope.type == ERROR:
        return [_error(envelope)]
    if envelope.result is not None:
        return [_result(envelope, envelope.result)]
    raise MalformedFrame("neither data nor an answer")


def _name(envelope: Envelope) -> str:
    return "" if envelope.id is None else str(envelope.id)[:64]


def _error(envelope: Envelope) -> PrivateEvent:
    code, text = envelope.code, replies.readable(bytes(envelope.data)[:2000].decode(errors="replace").strip('"'))
    if code == TOKEN_EXPIRED:
        return TokenExpired()
    if code in CLOSING_CODES:
        return Closing(f"{code}: {text}")
    return Subscribed(channel=_name(envelope), ok=False, code="" if code is None else str(code), text=text)


def _result(envelope: Envelope, ok: bool) -> LoggedIn | LoginRefused | Subscribed:
    """Of a unified socket; a refusal has a text and no code."""
    name, text = _name(envelope), replies.readable(envelope.message or envelope.reason)
    if name == facts.LOGIN:
        return LoggedIn() if ok else LoginRefused(code=REFUSED, text=text)
    return Subscribed(channel=name) if ok else Subscribed(channel=name, ok=False, code=REFUSED, text=text)
