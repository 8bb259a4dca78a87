"""Fills whose list does not tell what they cost: the list of their order does."""

from collections.abc import Iterable, Iterator

from apps.feeds.errors import UnknownOrder
from apps.feeds.market import Instrument
from apps.feeds.orders import Fill, OrderRef
from apps.trading.execution.gateway.ports import Port


def with_fees(port: Port, instrument: Instrument, fills: Iterable[Fill]) -> list[Fill]:
    """The same fills; each order is asked for once. What its list has not either stays as it was told."""
    told = list(fills)
    bare = {fill.exchange_order_id for fill in told if _is_bare(fill)}
    known = {_key(fill): fill for named in sorted(bare) for fill in _of(port, instrument, named)}
    return [known.get(_key(fill), fill) if _is_bare(fill) else fill for fill in told]


def _of(port: Port, instrument: Instrument, exchange_order_id: str) -> Iterator[Fill]:
    try:
        yield from port.order_trades(OrderRef(instrument=instrument, exchange_order_id=exchange_order_id))
    except UnknownOrder:
        return


def _is_bare(fill: Fill) -> bool:
    return not fill.fee_asset and not fill.fee


def _key(fill: Fill) -> tuple[str, str]:
    return fill.trade_id, fill.side
