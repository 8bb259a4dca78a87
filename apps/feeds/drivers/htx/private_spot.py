"""What HTX pushes about a spot account: orders, executions with their fees, balances."""

from decimal import Decimal

from msgspec import Raw

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.base import Ignored
from apps.feeds.drivers.htx import records
from apps.feeds.drivers.htx import trading_facts as facts
from apps.feeds.drivers.trading import PrivateEvent
from apps.feeds.errors import MalformedFrame
from apps.feeds.orders import Balance, Balances, Credentials, Fill, OrderUpdate


class SpotEvent(money.Exact, rename="camel"):
    """Of an order; a stop order that never became one has neither id nor type, but a side."""

    event_type: wire.Word
    symbol: wire.Name
    order_status: wire.Word
    order_id: wire.Id | None = None
    client_order_id: wire.Word | None = None
    type: wire.Word = ""
    order_side: wire.Word = ""
    order_price: Decimal | None = None
    order_size: Decimal | None = None
    exec_amt: Decimal = Decimal(0)
    trade_volume: Decimal = Decimal(0)
    order_create_time: wire.Millis | None = None
    trade_time: wire.Millis | None = None
    last_act_time: wire.Millis | None = None
    err_message: wire.Words | None = None


class Clearing(money.Exact, rename="camel"):
    """An execution with its fee, or the end of an order where those are asked for as well."""

    event_type: wire.Word
    symbol: wire.Name
    order_id: wire.Id
    order_side: wire.Word
    client_order_id: wire.Word | None = None
    trade_id: wire.Id | None = None
    trade_price: Decimal = Decimal(0)
    trade_volume: Decimal = Decimal(0)
    trade_time: wire.Millis = 0
    aggressor: bool | None = None
    transact_fee: Decimal = Decimal(0)
    fee_currency: wire.Word = ""
    fee_deduct: Decimal | None = None
    fee_deduct_type: wire.Word = ""


class SpotHolding(money.Exact, rename="camel"):
    """What was lent or owed is of the same channel, and so are margin accounts."""

    currency: wire.Name
    account_id: wire.Id
    account_type: wire.Word = ""
    balance: Decimal | None = None
    available: Decimal | None = None
    change_time: wire.Millis | None = None


_event = wire.decoder(SpotEvent)
_clearing = wire.decoder(Clearing)
_holding = wire.decoder(SpotHolding)


def pushed(keys: Credentials, channel: str, data: Raw) -> PrivateEvent:
    """Balances are looked at for the account that `keys` name."""
    kind = channel.partition("#")[0]
    if kind == "orders":
        return _order(wire.decode(_event, data))
    if kind == "trade.clearing":
        return _execution(wire.decode(_clearing, data))
    if kind == "accounts.update":
        return _balance(keys, wire.decode(_holding, data))
    raise MalformedFrame(f"unknown channel {channel[:60]!r}")


def _order(told: SpotEvent) -> OrderUpdate:
    """A market buy is executed in quote currency: what was filled is at least what this execution says."""
    if told.event_type not in facts.SPOT_EVENTS:
        raise MalformedFrame(f"unknown event {told.event_type[:40]!r}", symbol=told.symbol)
    is_market_buy = told.type == "buy-market"
    filled = told.trade_volume if is_market_buy else told.exec_amt
    side = records.side_of_type(told.type or told.order_side, told.symbol)
    words = f"{told.order_status} ({told.err_message})" if told.err_message else told.order_status
    return money.sound(
        OrderUpdate(
            symbol=told.symbol,
            exchange_order_id="" if told.order_id is None else str(told.order_id),
            client_order_id=told.client_order_id or None,
            status=records.spot_status(told.order_status, filled, told.symbol),
            side=side,
            filled=filled,
            amount=None if is_market_buy else told.order_size,
            price=money.positive(told.order_price),
            exchange_ms=told.trade_time or told.last_act_time or told.order_create_time,
            text=words,
        )
    )


def _execution(told: Clearing) -> Fill | Ignored:
    if told.event_type == "cancellation":
        return Ignored()
    if told.event_type != "trade" or told.trade_id is None or told.aggressor is None:
        raise MalformedFrame(f"no execution: {told.event_type[:40]!r}", symbol=told.symbol)
    fee, asset = records.fee_of(told.transact_fee, told.fee_currency, told.fee_deduct, told.fee_deduct_type)
    return money.sound(
        Fill(
            symbol=told.symbol,
            exchange_order_id=str(told.order_id),
            client_order_id=told.client_order_id or None,
            trade_id=str(told.trade_id),
            side=records.side_of(told.order_side, told.symbol),
            price=told.trade_price,
            amount=told.trade_volume,
            fee=fee,
            fee_asset=asset,
            is_maker=not told.aggressor,
            exchange_ms=told.trade_time,
        )
    )


def _balance(keys: Credentials, told: SpotHolding) -> Balances | Ignored:
    """Of our wallet only, and only where the whole balance is told."""
    ours = keys.account.partition(":")[0] == str(told.account_id)
    if not ours or told.account_type != facts.FREE or told.balance is None:
        return Ignored()
    row = Balance(asset=told.currency.upper(), free=told.available, total=told.balance)
    return Balances(rows=[row], whole=False, exchange_ms=told.change_time)
