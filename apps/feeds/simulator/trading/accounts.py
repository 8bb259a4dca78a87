"""Who trades: keys, wallets, orders, executions and positions of one account."""

from asyncio import TimerHandle
from collections.abc import Hashable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate
from typing import Literal

from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.matching import Resting
from apps.feeds.simulator.trading.outbox import Outbox
from apps.feeds.simulator.trading.rules import Rates, Rules
from apps.feeds.simulator.trading.tickets import Direction, Ended, Mode, PositionSide, Ticket

Status = Literal["open", "partial", "filled", "cancelled"]
ZERO = Decimal(0)
CENT = Decimal("1e-8")  # the exchanges count money no finer


@dataclass(frozen=True, slots=True)
class Key:
    """One API key. `permissions`: of "read", "trade", "withdraw"."""

    key: str
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)
    permissions: frozenset[str] = frozenset({"read", "trade"})
    ip_allowed: bool = True


@dataclass(slots=True)
class Holding:
    """One asset in one wallet."""

    total: Decimal = ZERO
    locked: Decimal = ZERO

    @property
    def free(self) -> Decimal:
        return self.total - self.locked


@dataclass(slots=True, eq=False)
class Order:
    """`price` in ticks (0 for a market order), `size` and `filled` in lots; `value` is the money traded, in quote."""

    id: str
    number: int
    account: "Account"
    ticket: Ticket
    listing: Listing
    price: int
    size: int
    created_ms: int
    updated_ms: int
    status: Status = "open"
    ended: Ended | None = None
    filled: int = 0
    value: Decimal = ZERO
    locked: Decimal = ZERO  # money held back for what is not filled yet
    opens: bool = True  # on futures: it needs margin
    hidden_until_ms: int = 0  # to queries, by the fault `not_found`
    resting: Resting | None = None
    executions: list["Execution"] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status in ("open", "partial")

    @property
    def left(self) -> int:
        return self.size - self.filled

    @property
    def side(self) -> Direction:
        return self.ticket.side

    @property
    def client_id(self) -> str:
        return self.ticket.client_id

    @property
    def counted(self) -> list["Execution"]:
        """Those that `filled` counts: a push may tell of an earlier state, and a copy shares the list of all."""
        filled = accumulate(row.size for row in self.executions)
        return [row for row, lots in zip(self.executions, filled, strict=True) if lots <= self.filled]

    @property
    def average(self) -> Decimal:
        """Mean price in quote; 0 without a fill."""
        return self.value / (self.filled * unit(self.listing)) if self.filled else ZERO


@dataclass(frozen=True, slots=True)
class Execution:
    """One match of one order. `number` is the trade's own, rising within a symbol. `price` in ticks, `size` in lots."""

    number: int
    order: Order
    price: int
    size: int
    value: Decimal
    fee: Decimal  # negative is a rebate
    fee_asset: str
    is_maker: bool
    realised: Decimal  # profit of what it closed, in the settle asset
    ms: int


@dataclass(slots=True)
class Position:
    """`size` in lots, negative when short; `cost` is what was paid for it, positive, in the settle asset."""

    listing: Listing
    side: PositionSide
    leverage: int
    mode: Mode
    size: int = 0
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    updated_ms: int = 0

    @property
    def entry(self) -> Decimal:
        """Mean entry price in quote; 0 when closed."""
        return self.cost / (abs(self.size) * unit(self.listing)) if self.size else ZERO

    @property
    def margin(self) -> Decimal:
        return (self.cost / self.leverage).quantize(CENT)

    def unrealised(self, mark: Decimal) -> Decimal:
        worth = mark * abs(self.size) * unit(self.listing)
        return worth - self.cost if self.size >= 0 else self.cost - worth


@dataclass(frozen=True, slots=True)
class Funding:
    """Paid (negative) or received for a position."""

    number: int
    listing: Listing
    asset: str
    amount: Decimal
    rate: Decimal
    ms: int


@dataclass(slots=True)
class Setting:
    leverage: int
    mode: Mode


@dataclass(slots=True, eq=False)
class Account:
    name: str
    rules: Rules
    outbox: Outbox
    keys: dict[str, Key] = field(default_factory=dict)
    hedge: bool = False  # long and short positions side by side
    kind: str = ""  # of `Rules.kinds`; empty: the usual one
    is_made: bool = False  # the exchange made its key up
    wallets: dict[str, dict[str, Holding]] = field(default_factory=dict)
    rates: dict[str, Rates] = field(default_factory=dict)
    settings: dict[str, Setting] = field(default_factory=dict)  # of futures symbols
    positions: dict[tuple[str, PositionSide], Position] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)  # all there ever were, oldest first
    open: dict[str, Order] = field(default_factory=dict)
    client_ids: dict[tuple[str, str], Order] = field(default_factory=dict)  # (market type, id) -> the latest
    executions: list[Execution] = field(default_factory=list)
    funding: list[Funding] = field(default_factory=list)
    switches: dict[Hashable, TimerHandle] = field(default_factory=dict)  # dead man's, those that run

    def holding(self, market_type: str, asset: str) -> Holding:
        """In the wallet that the market type is traded from."""
        return self.wallets.setdefault(self.rules.wallets[market_type], {}).setdefault(asset, Holding())

    def setting(self, symbol: str) -> Setting:
        if symbol not in self.settings:
            self.settings[symbol] = Setting(self.rules.leverage, self.rules.mode)
        return self.settings[symbol]

    def position(self, listing: Listing, side: PositionSide) -> Position:
        key = (listing.symbol, side)
        if key not in self.positions:
            setting = self.setting(listing.symbol)
            self.positions[key] = Position(listing, side, setting.leverage, setting.mode)
        return self.positions[key]

    def margin(self, asset: str) -> Decimal:
        """What the positions that are settled in the asset hold."""
        return sum((p.margin for p in self.positions.values() if p.listing.settle == asset), ZERO)

    def rate(self, market_type: str) -> Rates:
        return self.rates.get(market_type) or self.rules.rates[market_type]


def unit(listing: Listing) -> Decimal:
    """Base coins in one lot."""
    return listing.size.step * listing.contract


def worth(listing: Listing, price: int, size: int) -> Decimal:
    """Quote money for so many lots at a price in ticks."""
    return price * listing.price.step * size * unit(listing)
