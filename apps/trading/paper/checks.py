"""What no exchange takes, found before an order is sent on its way."""

from decimal import Decimal

from apps.feeds.drivers import asked
from apps.feeds.errors import InvalidOrder
from apps.feeds.market import MarketType
from apps.feeds.orders import NewOrder, OrderType, units


def check(new: NewOrder, market_type: MarketType) -> None:
    """Raise InvalidOrder for what is off the grid, too small, contradicting, or of another market."""
    instrument = new.instrument
    if instrument.market_type is not market_type:
        raise InvalidOrder(f"{instrument.symbol}: not of this account's market")
    asked.check(new)
    if new.type is OrderType.LIMIT:
        asked.price(new)
    if new.quote_amount is not None:
        asked.quote_amount(new)
        return
    asked.amount(new)
    amount = new.amount or Decimal(0)
    if instrument.min_amount is not None and units(amount, instrument) < instrument.min_amount:
        raise InvalidOrder(f"{instrument.symbol}: {amount} is too small")
    least = instrument.min_notional
    if least is not None and new.price is not None and new.price * amount < least:
        raise InvalidOrder(f"{instrument.symbol}: {amount} at {new.price} is worth too little")
