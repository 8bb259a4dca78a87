"""Fills whose list does not tell what they cost: the list of their order does."""

from collections.abc import Iterable

from apps.feeds.errors import UnknownOrder, UnknownSymbol
from apps.feeds.market import Instrument
from apps.feeds.orders import Fill, OrderRef
from apps.trading.execution.gateway.ports import Port


def with_fees(port: Port, instrument: Instrument, fills: Iterable[Fill]) -> list[Fill]:
    """The same fills; each order is asked for once. What its list has not either stays as it was told."""
    told = list(fills)
    bare = sorted({fill.exchange_order_id for fill in told if fill.is_bare})
    refs = [OrderRef(instrument=instrument, exchange_order_id=named) for named in bare]
    known = {_key(fill): fill for ref in refs for fill in of_order(port, ref)}
    return [known.get(_key(fill), fill) if fill.is_bare else fill for fill in told]


def of_order(port: Port, ref: OrderRef) -> list[Fill]:
    """None of an order that the exchange has forgotten, or does not know yet, or whose pair it lists no longer: nothing
    else is to wait for it."""
    try:
        return port.order_trades(ref)
    except (UnknownOrder, UnknownSymbol):
        return []


def _key(fill: Fill) -> tuple[str, str]:
    return fill.trade_id, fill.side
