"""What HTX pushes about an account of linear swaps (v5): orders, executions, the wallet, positions."""

from collections.abc import Callable
from typing import Annotated, TypeAlias, TypeVar

from msgspec import Meta, Raw, Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.htx import account, records
from apps.feeds.drivers.trading import PrivateEvent
from apps.feeds.errors import MalformedFrame
from apps.feeds.orders import Balances, LookUp, Positions

T = TypeVar("T")
Events: TypeAlias = list[PrivateEvent]
Many: TypeAlias = Annotated[list[T], Meta(max_length=wire.MAX_PRINTS)]


class SwapTrade(Struct):
    """An execution without its fee."""

    contract_code: wire.Name
    order_id: wire.Word
    client_order_id: wire.Word | None = None


_order = wire.decoder(records.SwapOrder)
_trades: wire.Decoder[list[SwapTrade]] = wire.decoder(Many[SwapTrade])
_wallet = wire.decoder(account.Wallet)
_held: wire.Decoder[list[account.Held]] = wire.decoder(Many[account.Held])


def pushed(topic: str, data: Raw, told_ms: int | None) -> Events:
    """`told_ms`: when the exchange sent it."""
    reader = _READERS.get(topic.partition(".")[0])
    if reader is None:
        raise MalformedFrame(f"unknown topic {topic[:60]!r}")
    return reader(data, told_ms)


def _orders(data: Raw, told_ms: int | None) -> Events:
    return [records.swap_update(wire.decode(_order, data))]


def _executions(data: Raw, told_ms: int | None) -> Events:
    """They lack their fees."""
    return [
        LookUp(
            symbol=row.contract_code.upper(),
            exchange_order_id=row.order_id,
            client_order_id=records.own_id(row.client_order_id, row.order_id),
        )
        for row in wire.decode(_trades, data)
    ]


def _balances(data: Raw, told_ms: int | None) -> Events:
    rows = [account.balance(row) for row in wire.decode(_wallet, data).details]
    return [Balances(rows=rows, whole=False, exchange_ms=told_ms)]


def _positions(data: Raw, told_ms: int | None) -> Events:
    """Of one contract, a snapshot as well."""
    rows = [account.position(row) for row in wire.decode(_held, data)]
    return [Positions(rows=rows, whole=False, exchange_ms=told_ms)]


_READERS: dict[str, Callable[[Raw, int | None], Events]] = {
    "orders": _orders,
    "trade": _executions,
    "account": _balances,
    "positions": _positions,
}
