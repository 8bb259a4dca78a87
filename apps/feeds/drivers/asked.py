"""What is asked for, checked before anything is sent: on the grid, complete, and not too late."""

from apps.feeds.drivers import money
from apps.feeds.errors import InvalidOrder
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import NewOrder, OrderType, PositionSide, TimeInForce, units

_CLOSES = {(PositionSide.LONG, Side.SELL), (PositionSide.SHORT, Side.BUY)}


def window_ms(order: NewOrder, now_ms: int, longest_ms: int) -> int:
    """How long the exchange may take it for valid from `now_ms` on. Raise InvalidOrder when that is over."""
    left = order.expires_ms - now_ms
    if left <= 0:
        raise InvalidOrder("it has expired before it was sent")
    return min(left, longest_ms)


def amount(order: NewOrder) -> str:
    """In the exchange's own units. Raise InvalidOrder off the lot and for an amount in quote currency."""
    if order.amount is None or order.quote_amount is not None:
        raise InvalidOrder("it takes an amount in base currency")
    try:
        return money.plain(units(order.amount, order.instrument))
    except ValueError as error:
        raise InvalidOrder(str(error)) from error


def quote_amount(order: NewOrder) -> str:
    """What a market buy shall spend. Raise InvalidOrder for any other order."""
    if order.quote_amount is None or order.amount is not None or order.quote_amount <= 0:
        raise InvalidOrder("it takes a positive amount in quote currency")
    if order.instrument.market_type is not MarketType.SPOT or order.type is not OrderType.MARKET:
        raise InvalidOrder("only market orders on spot take an amount in quote currency")
    if order.side is not Side.BUY:
        raise InvalidOrder("only buys take an amount in quote currency")
    return money.plain(order.quote_amount)


def price(order: NewOrder) -> str:
    """Of a limit order. Raise InvalidOrder without one, off the tick, and with more digits than there may be."""
    if order.price is None or order.type is not OrderType.LIMIT:
        raise InvalidOrder("a limit order has a price, a market order has none")
    if order.price <= 0 or order.price % order.instrument.step_at(order.price):
        raise InvalidOrder(f"{order.instrument.symbol}: {order.price} is not a positive multiple of the tick")
    return money.plain(order.price)


def check(order: NewOrder) -> None:
    """Raise InvalidOrder for what contradicts itself, on any exchange."""
    if order.side not in (Side.BUY, Side.SELL):
        raise InvalidOrder("an order buys or sells")
    if order.type is OrderType.MARKET and (order.price is not None or order.tif is not TimeInForce.GTC):
        raise InvalidOrder("a market order has neither a price nor a time in force")
    hedged = order.position_side is not PositionSide.NET
    if order.instrument.market_type is MarketType.SPOT and (order.reduce_only or hedged):
        raise InvalidOrder("positions, and what reduces them, are for futures")
    if order.reduce_only and hedged and (order.position_side, order.side) not in _CLOSES:
        raise InvalidOrder("it would open what it shall reduce")
