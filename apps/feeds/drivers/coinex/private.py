"""CoinEx's private frames: a login on the socket, subscriptions, and what is pushed. Frames come packed, or as text."""

from typing import Literal, TypeAlias

from msgspec import Raw, Struct

from apps.feeds.drivers import replies, wire
from apps.feeds.drivers.base import Frame, Ignored, Pong
from apps.feeds.drivers.coinex import account, records, signing
from apps.feeds.drivers.coinex import facts as public_facts
from apps.feeds.drivers.coinex import trading_facts as facts
from apps.feeds.drivers.coinex.answers import Many
from apps.feeds.drivers.inflate import inflate
from apps.feeds.drivers.trading import LoggedIn, LoginRefused, PrivateEvent, Subscribed
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType
from apps.feeds.orders import Balances, Credentials, LookUp, OrderStatus, Positions


class Envelope(Struct):
    """Any frame: pushes have a method, answers have an id and a code."""

    method: wire.Word | None = None
    id: wire.Code | None = None
    code: wire.Code | None = None
    message: wire.Words = ""
    data: Raw = Raw(b"null")


class OrderEvent(Struct):
    event: Literal["put", "update", "modify", "finish"]
    order: records.Order


class BalanceEvent(Struct):
    balance_list: Many[account.Holding]


class PositionEvent(Struct):
    event: Literal["update", "close", "sys_close", "adl", "liq"]
    position: account.Held


class Result(Struct):
    result: wire.Word = ""


Events: TypeAlias = list[PrivateEvent]

_envelope = wire.decoder(Envelope)
_order = wire.decoder(OrderEvent)
_deal = wire.decoder(records.Deal)
_balance = wire.decoder(BalanceEvent)
_position = wire.decoder(PositionEvent)
_result: wire.Decoder[Result | None] = wire.decoder(Result | None)  # type: ignore[arg-type]


def login(keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
    params = {"access_id": keys.key, "signed_str": signing.socket(keys.secret, now_ms), "timestamp": now_ms}
    return [wire.frame({"method": "server.sign", "params": params, "id": facts.LOGIN_ID})]


def channels(market_type: MarketType) -> tuple[str, ...]:
    return facts.CHANNELS[market_type]


def subscribe(keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
    """Of all markets and currencies."""
    return [
        wire.frame(
            {
                "method": f"{channel}.subscribe",
                "params": {"ccy_list" if channel == "balance" else "market_list": []},
                "id": number,
            }
        )
        for number, channel in enumerate(facts.CHANNELS[market_type], facts.FIRST_CHANNEL_ID)
    ]


def parse(keys: Credentials, market_type: MarketType, frame: Frame, received_ns: int) -> Events:
    """Translate one frame; frames do not say whose they are, nor of which market: the socket does."""
    envelope = wire.decode(_envelope, wire.text(inflate(frame)))
    if envelope.method is None:
        return [_answer(market_type, envelope)]
    if envelope.method == "order.update":
        return _order_events(wire.decode(_order, envelope.data))
    if envelope.method == "user_deals.update":
        return [records.fill(wire.decode(_deal, envelope.data))]
    if envelope.method == "balance.update":
        return _balances(wire.decode(_balance, envelope.data))
    if envelope.method == "position.update" and market_type is MarketType.FUTURES:
        return _positions(wire.decode(_position, envelope.data))
    if envelope.method in public_facts.IGNORED_METHODS:
        return [Ignored()]
    raise MalformedFrame(f"unknown method {envelope.method[:60]!r}")


def _order_events(told: OrderEvent) -> Events:
    order = told.order
    if order.filled is None:  # old spelling, where a market buy says nothing of base currency
        ours = order.client_id or None
        return [LookUp(symbol=order.market, exchange_order_id=str(order.order_id), client_order_id=ours)]
    return [records.update(order, _status(told))]


def _status(told: OrderEvent) -> OrderStatus:
    if told.event == "finish":
        return records.ended(told.order)
    if told.event == "update" or told.order.filled:
        return OrderStatus.PARTIAL
    return OrderStatus.OPEN


def _balances(told: BalanceEvent) -> Events:
    """Of the wallet; isolated margin accounts share the channel."""
    rows = [row for row in told.balance_list if not row.margin_market]
    if not rows:
        return [Ignored()]
    latest = max(row.updated_at for row in rows)
    return [Balances(rows=[account.balance(row) for row in rows], whole=False, exchange_ms=latest or None)]


def _positions(told: PositionEvent) -> Events:
    row = told.position
    return [Positions(rows=[account.position(row)], whole=False, exchange_ms=row.updated_at or None)]


def _answer(market_type: MarketType, envelope: Envelope) -> PrivateEvent:
    """Answers are told apart by the numbers of our commands; what means "later" is none: the command is sent again."""
    if envelope.id is None or envelope.code is None:
        raise MalformedFrame("neither data nor an answer")
    if envelope.code in public_facts.LATER:
        return Ignored()
    ok, code, text = envelope.code == public_facts.OK, str(envelope.code), replies.readable(envelope.message)
    if envelope.id == facts.LOGIN_ID:
        return LoggedIn() if ok else LoginRefused(code=code, text=text)
    at = envelope.id - facts.FIRST_CHANNEL_ID
    names = facts.CHANNELS[market_type]
    if 0 <= at < len(names):
        return Subscribed(channel=names[at], ok=ok, code="" if ok else code, text="" if ok else text)
    told = wire.decode(_result, envelope.data)
    if ok and told is not None and told.result == public_facts.PONG:
        return Pong()
    raise MalformedFrame(f"an answer to nothing that was asked: {envelope.id}")
