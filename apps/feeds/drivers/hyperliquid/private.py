"""Hyperliquid's streams of one account: no login, the address is all. Both markets come by the same channels."""

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from apps.feeds.drivers import replies, wire
from apps.feeds.drivers.base import Frame, Heartbeat, Ignored, Pong
from apps.feeds.drivers.hyperliquid import calls, facts, symbols, values
from apps.feeds.drivers.hyperliquid import trading_facts as trading
from apps.feeds.drivers.trading import PrivateEvent, Subscribed, Token
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType
from apps.feeds.orders import Balances, Credentials, LookUp, Positions


class Envelope(Struct):
    channel: wire.Word
    data: Raw = Raw(b"null")


class Subscription(Struct):
    type: wire.Word


class Asked(Struct):
    method: Literal["subscribe", "unsubscribe"]
    subscription: Subscription


class Fills(Struct, rename="camel"):
    user: wire.Word
    fills: Raw
    is_snapshot: bool = False


class Cancelled(Struct):
    coin: wire.Name
    oid: wire.Id


class Events(Struct, rename="camel"):
    """One of these; what is not here (funding, liquidations) other channels and reads tell."""

    fills: values.Executions = []
    non_user_cancel: Annotated[list[Cancelled], Meta(max_length=values.MAX_ROWS)] = []


class SpotPush(Struct, rename="camel"):
    user: wire.Word
    spot_state: values.SpotState


class PerpetualPush(Struct, rename="camel"):
    user: wire.Word
    clearinghouse_state: values.PerpetualState
    dex: wire.Word | None = None


_envelope = wire.decoder(Envelope)
_asked = wire.decoder(Asked)
_subscription = wire.decoder(Subscription)
_text: wire.Decoder[str] = wire.decoder(wire.Words)
_orders: wire.Decoder[list[values.Told]] = wire.decoder(values.Updates)
_fills = wire.decoder(Fills)
_executions: wire.Decoder[list[values.Execution]] = wire.decoder(values.Executions)
_events = wire.decoder(Events)
_spot = wire.decoder(SpotPush)
_perpetual = wire.decoder(PerpetualPush)


def endpoint(keys: Credentials, market_type: MarketType, token: Token | None) -> str:
    return facts.SOCKET


def heartbeat(market_type: MarketType) -> Heartbeat:
    return facts.HEARTBEAT


def channels(market_type: MarketType) -> tuple[str, ...]:
    return trading.CHANNELS[market_type]


def subscribe(keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
    """Orders come without a snapshot: what was missed before is asked for by REST."""
    return [
        wire.frame({"method": "subscribe", "subscription": _wanted(channel, calls.account(keys))})
        for channel in channels(market_type)
    ]


def _wanted(channel: str, user: str) -> dict[str, object]:
    wanted: dict[str, object] = {"type": channel, "user": user}
    return wanted | ({"aggregateByTime": False} if channel == trading.FILLS else {})


def parse(keys: Credentials, market_type: MarketType, frame: Frame, received_ns: int) -> list[PrivateEvent]:
    text = wire.text(frame)
    if text == facts.GREETING:
        return [Ignored()]
    envelope = wire.decode(_envelope, text)
    if envelope.channel == trading.ORDERS:
        rows = wire.decode(_orders, envelope.data)
        return [
            values.order_update(row.order, row.status, row.status_timestamp)
            for row in rows
            if symbols.market(row.order.coin) is market_type
        ] or [Ignored()]
    if envelope.channel == trading.FILLS:
        return _filled(keys, market_type, wire.decode(_fills, envelope.data))
    if envelope.channel == trading.EVENTS:
        return _happened(market_type, wire.decode(_events, envelope.data))
    if envelope.channel in (trading.SPOT_STATE, trading.PERPETUAL_STATE):
        return _state(keys, envelope)
    return [_control(envelope)]


def _filled(keys: Credentials, market_type: MarketType, push: Fills) -> list[PrivateEvent]:
    """The first frame holds the account's last two thousand fills, of whatever age: they are asked for by REST."""
    _ours(keys, push.user)
    if push.is_snapshot:
        return [Ignored()]
    return _executed(market_type, wire.decode(_executions, push.fills)) or [Ignored()]


def _executed(market_type: MarketType, rows: list[values.Execution]) -> list[PrivateEvent]:
    return [values.fill(row) for row in rows if symbols.market(row.coin) is market_type]


def _happened(market_type: MarketType, events: Events) -> list[PrivateEvent]:
    """A cancel that is not ours names the order and nothing else."""
    gone = [
        LookUp(symbol=row.coin, exchange_order_id=str(row.oid), client_order_id=None)
        for row in events.non_user_cancel
        if symbols.market(row.coin) is market_type
    ]
    return [*_executed(market_type, events.fills), *gone] or [Ignored()]


def _state(keys: Credentials, envelope: Envelope) -> list[PrivateEvent]:
    if envelope.channel == trading.SPOT_STATE:
        spot = wire.decode(_spot, envelope.data)
        _ours(keys, spot.user)
        return [Balances(rows=values.spot_balances(spot.spot_state), whole=True)]
    push = wire.decode(_perpetual, envelope.data)
    _ours(keys, push.user)
    if push.dex:
        return [Ignored()]
    state = push.clearinghouse_state
    return [
        Balances(rows=[values.perpetual_balance(state)], whole=True, exchange_ms=state.time),
        Positions(rows=values.positions(state), whole=True, exchange_ms=state.time),
    ]


def _ours(keys: Credentials, user: str) -> None:
    if user.lower() != calls.account(keys):
        raise MalformedFrame("a frame about another account")


def _control(envelope: Envelope) -> PrivateEvent:
    if envelope.channel == "pong":
        return Pong()
    if envelope.channel == "subscriptionResponse":
        asked = wire.decode(_asked, envelope.data)
        return Subscribed(channel=asked.subscription.type) if asked.method == "subscribe" else Ignored()
    if envelope.channel == "error":
        return _refused(wire.decode(_text, envelope.data))
    if envelope.channel in facts.IGNORED or envelope.channel in (facts.BOOK, facts.TRADES):
        return Ignored()
    raise MalformedFrame(f"unknown channel {envelope.channel[:60]!r}")


def _refused(text: str) -> PrivateEvent:
    if text.startswith(facts.ALREADY_SUBSCRIBED):
        return Subscribed(channel=wire.decode(_subscription, text.removeprefix(facts.ALREADY_SUBSCRIBED)).type)
    if text.startswith(facts.ALREADY_UNSUBSCRIBED):
        return Ignored()
    if text.startswith(facts.NOT_UNDERSTOOD):
        channel = wire.decode(_asked, text.removeprefix(facts.NOT_UNDERSTOOD)).subscription.type
        return Subscribed(channel=channel, ok=False, code="not understood", text=replies.readable(text))
    raise MalformedFrame(f"unknown error {text[:100]!r}")
