"""The written form of accounts, their orders and executions, and the way back."""

from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.accounts import (
    Account,
    Execution,
    Funding,
    Holding,
    Key,
    Order,
    Position,
    Setting,
    Status,
)
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Ended, Mode, PositionSide, Ticket

S = TypeVar("S", bound=msgspec.Struct)


class KeptPosition(msgspec.Struct, frozen=True):
    symbol: str
    side: PositionSide
    leverage: int
    mode: Mode
    size: int
    cost: Decimal
    realised: Decimal
    updated_ms: int


class KeptFunding(msgspec.Struct, frozen=True):
    symbol: str
    number: int
    asset: str
    amount: Decimal
    rate: Decimal
    ms: int


class KeptAccount(msgspec.Struct, frozen=True):
    """All but orders and executions. Of the key its id and what it may; not its secret."""

    key: str
    permissions: list[str]
    ip_allowed: bool
    hedge: bool
    kind: str
    wallets: dict[str, dict[str, Holding]]
    settings: dict[str, Setting]
    positions: list[KeptPosition]
    funding: list[KeptFunding]


class KeptOrder(msgspec.Struct, frozen=True):
    id: str
    ticket: Ticket
    price: int
    size: int
    created_ms: int
    updated_ms: int
    status: Status
    ended: Ended | None
    filled: int
    value: Decimal
    locked: Decimal
    opens: bool


class KeptExecution(msgspec.Struct, frozen=True):
    number: int
    price: int
    size: int
    value: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    realised: Decimal
    ms: int


def account_row(account: Account) -> bytes:
    (key,) = account.keys.values()
    kept = KeptAccount(
        key=key.key,
        permissions=sorted(key.permissions),
        ip_allowed=key.ip_allowed,
        hedge=account.hedge,
        kind=account.kind,
        wallets=account.wallets,
        settings=account.settings,
        positions=[_taken(KeptPosition, row, symbol=row.listing.symbol) for row in account.positions.values()],
        funding=[_taken(KeptFunding, row, symbol=row.listing.symbol) for row in account.funding],
    )
    return msgspec.json.encode(kept)


def order_row(order: Order) -> bytes:
    return msgspec.json.encode(_taken(KeptOrder, order))


def execution_row(execution: Execution) -> bytes:
    return msgspec.json.encode(_taken(KeptExecution, execution))


def open_account(desk: Desk, name: str, body: bytes) -> Account:
    """The account as it was, without its orders. Raises ValueError where a market of it is not listed any more."""
    kept = msgspec.json.decode(body, type=KeptAccount)
    _, secret, passphrase = desk.rules_of(kept.kind).new_key(desk.master, kept.key)
    key = Key(kept.key, secret, passphrase, frozenset(kept.permissions), kept.ip_allowed)
    account = desk.open_account(name, [key], hedge=kept.hedge, kind=kept.kind, made=True)
    account.wallets, account.settings = kept.wallets, kept.settings
    for position in kept.positions:
        fields = msgspec.structs.asdict(position)
        listing = _listing(desk, "futures", fields.pop("symbol"))
        account.positions[listing.symbol, position.side] = Position(listing, **fields)
    for funding in kept.funding:
        fields = msgspec.structs.asdict(funding)
        account.funding.append(Funding(listing=_listing(desk, "futures", fields.pop("symbol")), **fields))
    return account


def order_of(desk: Desk, account: Account, number: int, body: bytes) -> Order:
    """Not yet among those of the account. Raises ValueError where its market is not listed any more."""
    kept = msgspec.json.decode(body, type=KeptOrder)
    listing = _listing(desk, kept.ticket.market_type, kept.ticket.symbol)
    return Order(number=number, account=account, listing=listing, **msgspec.structs.asdict(kept))


def execution_of(order: Order, body: bytes) -> Execution:
    kept = msgspec.json.decode(body, type=KeptExecution)
    return Execution(order=order, **msgspec.structs.asdict(kept))


def _taken(kind: type[S], row: Any, **more: Any) -> S:
    """With the fields of `row` of the same names, and `more`."""
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__ if name not in more}, **more)


def _listing(desk: Desk, market_type: str, symbol: str) -> Listing:
    listing = desk.listing(market_type, symbol)
    if listing is None:
        raise ValueError(f"{desk.exchange} lists no {market_type} {symbol}")
    return listing
