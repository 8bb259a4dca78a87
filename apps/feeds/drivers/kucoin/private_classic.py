"""Private pushes of classic accounts. They tell no fees: each execution is looked up."""

from typing import Literal

from msgspec import Raw, Struct

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.kucoin import account, records
from apps.feeds.drivers.kucoin import trading_facts as facts
from apps.feeds.drivers.kucoin.answers import NONE, Number, amount, number, positive
from apps.feeds.drivers.kucoin.values import Stamp, millis
from apps.feeds.drivers.trading import PrivateEvent
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import MarketType
from apps.feeds.orders import Balance, Balances, LookUp, OrderStatus, OrderUpdate, Positions

ORDER_TOPICS = ("/spotMarket/tradeOrders", "/contractMarket/tradeOrders")
SPOT_BALANCE, FUTURES_WALLET, POSITION = "/account/balance", "/contractAccount/wallet", "/contract/position"
WHOLE_WALLET = "walletBalance.change"  # the other subjects tell parts: no balance can be made of them
CHANGED = "position.change"


class Order(Struct, rename="camel"):
    symbol: wire.Name
    side: Literal["buy", "sell"]
    order_id: wire.Name
    type: wire.Word
    status: wire.Word
    ts: Stamp
    client_oid: wire.Word | None = None
    origin_size: Number = NONE
    size: Number = NONE
    filled_size: Number = NONE
    remain_size: Number = NONE
    price: Number = NONE
    match_size: Number = NONE
    position_side: Literal["BOTH", "LONG", "SHORT"] | None = None


class SpotBalance(Struct, rename="camel"):
    currency: wire.Name
    total: Number
    available: Number
    relation_event: wire.Word
    time: Stamp


class Wallet(Struct, rename="camel"):
    currency: wire.Name
    wallet_balance: Number
    available_balance: Number
    timestamp: Stamp


_order = wire.decoder(Order)
_balance = wire.decoder(SpotBalance)
_wallet = wire.decoder(Wallet)
_held = wire.decoder(account.Held)


def events(market_type: MarketType, topic: str, subject: str, data: Raw) -> list[PrivateEvent]:
    """Empty for what is documented and carries nothing for us."""
    name, _, symbol = topic.partition(":")
    if name.startswith(ORDER_TOPICS):
        return _orders(wire.decode(_order, data))
    if name == SPOT_BALANCE:
        return _spot(wire.decode(_balance, data))
    if name == FUTURES_WALLET:
        return _futures(wire.decode(_wallet, data)) if subject == WHOLE_WALLET else []
    if name.startswith(POSITION):
        return _positions(wire.decode(_held, data), symbol) if subject == CHANGED else []
    if name.startswith(facts.OTHER_TOPICS):
        return []
    raise MalformedFrame(f"unknown topic {topic[:60]!r}")


def _orders(row: Order) -> list[PrivateEvent]:
    """An execution comes with `match`; the `filled` that follows tells no other."""
    told = money.sound(_update(row))
    if row.type != "match" or positive(row.match_size) is None:
        return [told]
    look_up = LookUp(symbol=told.symbol, exchange_order_id=told.exchange_order_id, client_order_id=told.client_order_id)
    return [look_up, told]


def _update(row: Order) -> OrderUpdate:
    filled, size = amount(row.filled_size), positive(row.origin_size) or positive(row.size)
    return OrderUpdate(
        symbol=row.symbol,
        exchange_order_id=row.order_id,
        client_order_id=row.client_oid or None,
        status=_status(row, bool(filled), size is not None),
        side=records.side(row.side),
        filled=filled,
        amount=size,
        price=positive(row.price),
        exchange_ms=millis(row.ts),
        position_side=None if row.position_side is None else facts.POSITION_SIDES[row.position_side],
        text=f"{row.type} {row.status}",
    )


def _status(row: Order, filled: bool, sized: bool) -> OrderStatus:
    """The last `match` leaves nothing of an order that has a size; one by funds is filled when it says so."""
    status = facts.EVENTS.get((row.type, row.status))
    if status is None:
        raise MalformedFrame(f"unknown order event {row.type[:20]!r} {row.status[:20]!r}", symbol=row.symbol)
    if status is OrderStatus.OPEN and filled:
        return OrderStatus.PARTIAL
    if status is OrderStatus.PARTIAL and sized and number(row.remain_size) == 0:
        return OrderStatus.FILLED
    return status


def _spot(row: SpotBalance) -> list[PrivateEvent]:
    """Other wallets than the one that trades are not ours."""
    if row.relation_event.partition(".")[0] != facts.TRADE_ACCOUNT:
        return []
    told = Balance(asset=row.currency, free=amount(row.available), total=amount(row.total))
    return [Balances(rows=[told], whole=False, exchange_ms=millis(row.time))]


def _futures(row: Wallet) -> list[PrivateEvent]:
    told = Balance(asset=row.currency, free=amount(row.available_balance), total=amount(row.wallet_balance))
    return [Balances(rows=[told], whole=False, exchange_ms=millis(row.timestamp))]


def _positions(row: account.Held, symbol: str) -> list[PrivateEvent]:
    """Without a size it is only a move of the mark price."""
    if number(row.current_qty) is None:
        return []
    return [Positions(rows=[account.position(row, row.symbol or symbol or None)], whole=False)]
