"""MEXC's stream of a spot account: a listen key is the login, pushes are protobuf."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from apps.feeds.drivers import money, replies, wire
from apps.feeds.drivers.base import Ack, Frame, Ignored, Ping, Pong, Request
from apps.feeds.drivers.mexc import answers, signing, spot
from apps.feeds.drivers.mexc import trading_facts as facts
from apps.feeds.drivers.mexc.facts import INVALID_KEY, SOCKETS, SPOT
from apps.feeds.drivers.mexc.spot_pb2 import PrivateAccountV3Api, PushDataV3ApiWrapper
from apps.feeds.drivers.trading import Answer, PrivateEvent, Subscribed, Token, TokenExpired
from apps.feeds.errors import MalformedFrame
from apps.feeds.orders import Balance, Balances, Credentials, Fill, OrderUpdate

_BODIES = {
    facts.PUSH_ORDERS: "private_orders",
    facts.PUSH_DEALS: "private_deals",
    facts.PUSH_ACCOUNT: "private_account",
}


class ListenKey(Struct, rename="camel"):
    listen_key: wire.Name


class Order(money.Exact):
    """What protobuf cannot check; it leaves zeros and empty texts out."""

    id: wire.Name
    client_id: answers.Word
    price: Decimal
    quantity: Decimal
    avg_price: Decimal
    cumulative_quantity: Decimal
    trade_type: Literal[1, 2]
    status: Literal[1, 2, 3, 4, 5]


class Deal(money.Exact):
    trade_id: wire.Name
    order_id: wire.Name
    client_order_id: answers.Word
    price: Decimal
    quantity: Decimal
    fee_amount: Decimal
    fee_currency: wire.Name
    trade_type: Literal[1, 2]
    is_maker: bool
    time: wire.Millis


class Asset(money.Exact):
    vcoin_name: wire.Name
    balance_amount: Decimal
    frozen_amount: Decimal
    time: wire.Millis


_listen_key = wire.decoder(ListenKey)


def token_request(keys: Credentials, now_ms: int) -> Request:
    return signing.spot(keys, "POST", "userDataStream", {}, now_ms)


def renew_request(keys: Credentials, token: Token, now_ms: int) -> Request:
    return signing.spot(keys, "PUT", "userDataStream", {"listenKey": token.value}, now_ms)


def parse_token(answer: Answer) -> Token:
    return Token(value=answers.spot(_listen_key, answer).listen_key, renew_every_s=facts.KEEP_ALIVE_S)


def endpoint(token: Token | None) -> str:
    if token is None:
        raise MalformedFrame("a private socket of spot is opened with a listen key")
    return f"{SOCKETS[SPOT]}?listenKey={signing.part(token.value)}"


def subscribe() -> list[Frame]:
    return [wire.frame({"method": "SUBSCRIPTION", "params": facts.CHANNELS[SPOT], "id": 1})]


def parse(frame: Frame) -> list[PrivateEvent]:
    if spot.is_push(frame):
        return _push(spot.message(frame))
    text = wire.text(frame)
    if text == INVALID_KEY:
        return [TokenExpired()]
    events: list[PrivateEvent] = []
    for event in spot.control(text):
        if isinstance(event, Ack):
            events += _subscribed(event)
        elif isinstance(event, Ping | Pong):
            events.append(event)
    return events or [Ignored()]


def _subscribed(ack: Ack) -> list[PrivateEvent]:
    """An answer that names no channel refuses the frame, and with it all of them."""
    named = ack.topics or facts.CHANNELS[SPOT]
    text = replies.readable(ack.text)
    return [Subscribed(channel=topic, ok=ack.ok, code=ack.code, text=text) for topic in named]


def _push(push: PushDataV3ApiWrapper) -> list[PrivateEvent]:
    wanted, body = _BODIES.get(push.channel), push.WhichOneof("body")
    if wanted is None:
        raise MalformedFrame(f"a push of {push.channel[:60]!r}")
    if body is None:
        return [Ignored()]
    if body != wanted:
        raise MalformedFrame(f"{body} in {push.channel[:60]!r}")
    if push.channel == facts.PUSH_ACCOUNT:
        return [_balances(push.private_account)]
    symbol: str = spot.checked(push.symbol, wire.Name, "")
    return [_order(symbol, push) if push.channel == facts.PUSH_ORDERS else _fill(symbol, push)]


def _order(symbol: str, push: PushDataV3ApiWrapper) -> OrderUpdate:
    told = push.private_orders
    row: Order = spot.checked(
        {
            "id": told.id,
            "client_id": told.client_id,
            "price": told.price or "0",
            "quantity": told.quantity or "0",
            "avg_price": told.avg_price or "0",
            "cumulative_quantity": told.cumulative_quantity or "0",
            "trade_type": told.trade_type,
            "status": told.status,
        },
        Order,
        symbol,
    )
    status = facts.PUSHED_STATUS[row.status]
    return money.sound(
        OrderUpdate(
            symbol=symbol,
            exchange_order_id=row.id,
            client_order_id=row.client_id or None,
            status=facts.SPOT_STATUS[status],
            side=facts.PUSHED_SIDES[row.trade_type],
            filled=row.cumulative_quantity,
            amount=row.quantity or None,
            price=row.price or None,
            average_price=row.avg_price or None,
            exchange_ms=spot.checked(push.send_time, wire.Millis, symbol) or None,
            text=status,
        )
    )


def _fill(symbol: str, push: PushDataV3ApiWrapper) -> Fill:
    told = push.private_deals
    row: Deal = spot.checked(
        {
            "trade_id": told.trade_id,
            "order_id": told.order_id,
            "client_order_id": told.client_order_id,
            "price": told.price or "0",
            "quantity": told.quantity or "0",
            "fee_amount": told.fee_amount or "0",
            "fee_currency": told.fee_currency,
            "trade_type": told.trade_type,
            "is_maker": told.is_maker,
            "time": told.time,
        },
        Deal,
        symbol,
    )
    return money.sound(
        Fill(
            symbol=symbol,
            exchange_order_id=row.order_id,
            client_order_id=row.client_order_id or None,
            trade_id=row.trade_id,
            side=facts.PUSHED_SIDES[row.trade_type],
            price=row.price,
            amount=row.quantity,
            fee=row.fee_amount,
            fee_asset=row.fee_currency,
            is_maker=row.is_maker,
            exchange_ms=row.time,
        )
    )


def _balances(told: PrivateAccountV3Api) -> Balances:
    """Of one asset; `balanceAmount` is what is free of it."""
    row: Asset = spot.checked(
        {
            "vcoin_name": told.vcoin_name,
            "balance_amount": told.balance_amount or "0",
            "frozen_amount": told.frozen_amount or "0",
            "time": told.time,
        },
        Asset,
        "",
    )
    held = Balance(asset=row.vcoin_name, free=row.balance_amount, total=row.balance_amount + row.frozen_amount)
    return Balances(rows=[held], whole=False, exchange_ms=row.time or None)
