"""MEXC's stream of a futures account: a login frame, then a filter that names what is pushed."""

from msgspec import Raw, Struct

from apps.feeds.drivers import replies, wire
from apps.feeds.drivers.base import Closing, Frame, Ignored, Pong
from apps.feeds.drivers.mexc import futures_values as values
from apps.feeds.drivers.mexc import trading_facts as facts
from apps.feeds.drivers.mexc.facts import FUTURES, GOODBYE, IGNORED_CHANNELS, SUCCESS
from apps.feeds.drivers.trading import LoggedIn, LoginRefused, PrivateEvent, Subscribed
from apps.feeds.errors import MalformedFrame
from apps.feeds.orders import Balances, Positions


class Envelope(Struct):
    """The channel comes after the data that it explains."""

    channel: wire.Word
    data: Raw = Raw(b"null")
    ts: wire.Millis | None = None


_envelope = wire.decoder(Envelope)
_text: wire.Decoder[str] = wire.decoder(wire.Words)
_order = wire.decoder(values.Order)
_deal = wire.decoder(values.Deal)
_position = wire.decoder(values.Held)
_asset = wire.decoder(values.Asset)
_OTHERS = ("push.", "rs.sub.", "rs.unsub.")


def subscribe() -> list[Frame]:
    """Each filter takes the place of the one before."""
    filters = [{"filter": name} for name in facts.FILTERS]
    return [wire.frame({"method": "personal.filter", "param": {"filters": filters}})]


def parse(frame: Frame) -> list[PrivateEvent]:
    envelope = wire.decode(_envelope, wire.text(frame))
    if envelope.channel.startswith("push.personal."):
        return [_pushed(envelope)]
    return [_control(envelope)]


def _pushed(envelope: Envelope) -> PrivateEvent:
    kind = envelope.channel.removeprefix("push.personal.")
    if kind == "order":
        return values.order_update(wire.decode(_order, envelope.data))
    if kind == "order.deal":
        return values.fill(wire.decode(_deal, envelope.data))
    if kind == "position":
        held = values.position(wire.decode(_position, envelope.data))
        return Positions(rows=[held], whole=False, exchange_ms=envelope.ts)
    if kind == "asset":
        asset = values.balance(wire.decode(_asset, envelope.data))
        return Balances(rows=[asset], whole=False, exchange_ms=envelope.ts)
    return Ignored()  # plan orders, risk limits and the like


def _control(envelope: Envelope) -> PrivateEvent:
    channel = envelope.channel
    if channel == "pong":
        return Pong()
    if channel in ("rs.login", "rs.error", "rs.personal.filter"):
        return _answered(channel, wire.decode(_text, envelope.data))
    if channel.startswith((*IGNORED_CHANNELS, *_OTHERS)):
        return Ignored()
    raise MalformedFrame(f"unknown channel {channel[:60]!r}")


def _answered(channel: str, text: str) -> PrivateEvent:
    """An error names no request: on this socket it is the login that can be refused."""
    words = replies.readable(text)
    if channel == "rs.personal.filter":
        ok = text == SUCCESS
        return Subscribed(channel=facts.CHANNELS[FUTURES][0], ok=ok, text="" if ok else words)
    if channel == "rs.login" and text == SUCCESS:
        return LoggedIn()
    return Closing(words) if GOODBYE in text else LoginRefused(code=channel, text=words)
