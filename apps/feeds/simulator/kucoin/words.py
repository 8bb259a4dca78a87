"""How KuCoin writes numbers, times and ids of orders; both generations share these."""

from decimal import Decimal

from apps.feeds.simulator.kucoin.streams import FIRST_TRADE_ID, ns
from apps.feeds.simulator.trading.accounts import ZERO, Execution, Order

PLACES = 12
LATE_NS = 347_952  # beyond its millisecond an order of futures was made


def plain(number: Decimal) -> str:
    """Without an exponent, and without zeros at the end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def mean(number: Decimal) -> Decimal:
    """A mean price, with the digits that the exchange tells."""
    return round(number, PLACES)


def price(order: Order) -> str:
    """Of a limit order; 0 for a market order."""
    return order.listing.price.text(order.price)


def size(order: Order, lots: int) -> str:
    return order.listing.size.text(lots)


def trade_id(execution: Execution) -> int:
    """The public channels tell the same."""
    return FIRST_TRADE_ID + execution.number


def fee(order: Order) -> Decimal:
    """Of all that it had traded then: a copy of an order shares its executions with the order as it is now."""
    total, left = ZERO, order.filled
    for execution in order.executions:
        if left <= 0:
            break
        total, left = total + execution.fee, left - execution.size
    return total


def fee_asset(order: Order) -> str:
    return order.listing.settle or order.listing.quote


def made_ns(order: Order) -> int:
    return ns(order.created_ms) + LATE_NS


def rate(order: Order, execution: Execution) -> Decimal:
    rates = order.account.rate(order.listing.market_type)
    return rates.maker if execution.is_maker else rates.taker


def role(execution: Execution) -> str:
    return "maker" if execution.is_maker else "taker"


def is_cut(order: Order) -> bool:
    """Whether it ended before it was filled."""
    return order.status == "cancelled"


def cut(order: Order) -> int:
    """Lots that were cancelled."""
    return order.left if is_cut(order) else 0


def remaining(order: Order) -> int:
    """Lots that may still trade."""
    return order.left if order.is_open else 0


def force(order: Order) -> str:
    """As it was asked for."""
    return str(order.ticket.words["force"])


def is_post_only(order: Order) -> bool:
    return order.ticket.force == "post"
