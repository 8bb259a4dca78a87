"""KuCoin's public frames, whichever generation sent them: market data, acknowledgements and refusals in."""

from collections.abc import Callable

from msgspec import Raw, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Ack, Closing, Event, Frame, Pong, Welcome
from apps.feeds.drivers.kucoin import classic, facts, unified
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType


class Envelope(Struct):
    """Any frame: unified data has `T`, classic data a `topic`; unified answers a `result`, classic ones a `type`."""

    T: str | None = None
    dp: str | None = None
    t: str | None = None
    d: Raw = Raw(b"null")
    topic: str | None = None
    type: str | None = None
    data: Raw = Raw(b"null")
    id: int | str | None = None
    code: int | str | None = None
    result: bool | None = None
    message: str | None = None
    reason: str | None = None


_envelope = wire.decoder(Envelope)
_text = wire.decoder(str)


def parse(market_type: MarketType, frame: Frame, received_ns: int) -> list[Event]:
    """Translate one frame; the symbols of the two markets never coincide."""
    envelope = wire.decode(_envelope, wire.text(frame))
    if envelope.T is not None:
        return unified.events(envelope.T, envelope.dp, envelope.t, envelope.d, received_ns)
    if envelope.topic is not None and envelope.type in (facts.MESSAGE, None):
        return classic.events(envelope.topic, envelope.data, received_ns)
    if envelope.type is not None:
        return [_typed(envelope)]
    if envelope.message == facts.WELCOME:
        return [Welcome()]
    if envelope.result is not None:
        return [_unified_answer(envelope)]
    raise MalformedFrame("neither data nor an answer")


def _typed(envelope: Envelope) -> Event:
    answer = _TYPES.get(str(envelope.type))
    if answer is None:
        raise MalformedFrame(f"unknown type {str(envelope.type)[:60]!r}")
    return answer(envelope)


def _refusal(envelope: Envelope) -> Event:
    """A classic refusal is of the whole frame; some of them announce the end of the socket."""
    text = wire.decode(_text, envelope.data)
    if envelope.code in facts.CLOSING_CODES:
        return Closing(text)
    return Ack(ok=False, request_id=_request_id(envelope), code=str(envelope.code), text=text, whole_frame=True)


def _unified_answer(envelope: Envelope) -> Ack:
    """An unknown symbol is acknowledged all the same, and stays silent."""
    text = envelope.message or envelope.reason or ""
    return Ack(ok=envelope.result is True, request_id=_request_id(envelope), text=text)


def _request_id(envelope: Envelope) -> str | None:
    return None if envelope.id is None else str(envelope.id)


_TYPES: dict[str, Callable[[Envelope], Event]] = {
    facts.PONG: lambda _: Pong(),
    facts.WELCOME: lambda _: Welcome(),
    facts.ACK: lambda envelope: Ack(ok=True, request_id=_request_id(envelope)),
    facts.ERROR: _refusal,
}
