"""An order desk on markets that move only by what accounts do: no clock, no sockets, nobody else."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.binance.listings import listings
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Trade
from apps.feeds.simulator.trading.accounts import Account, Key, Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.faults import AccountFaults
from apps.feeds.simulator.trading.rules import Rules
from apps.feeds.simulator.trading.tickets import Ticket

LISTINGS = {(row.market_type, row.symbol): row for row in listings()}
SPOT, FUTURES = LISTINGS["spot", "BTCUSDT"], LISTINGS["futures", "BTCUSDT"]


class StillMarket(Market):
    takes_orders = True

    def step(self, now: float, ms: int) -> list[Trade]:
        return []


class Shown:
    """What the public would have been told."""

    def __init__(self) -> None:
        self.trades: list[Trade] = []

    def tell(self, market: Market, trades: list[Trade]) -> None:
        self.trades += trades

    def stir(self, market: Market) -> None:
        """It stands still."""


class StillDesk(Desk):
    """BTCUSDT on spot and on futures, empty books; its clock is `ms`."""

    def __init__(self, *more: Market, **rules: Any) -> None:
        self.ms = 1_000_000
        self.shown = Shown()
        markets: list[Market] = [still(SPOT), still(FUTURES), *more]
        self.markets = {(market.listing.market_type, market.listing.symbol): market for market in markets}
        super().__init__(
            "binance",
            rules=Rules(**rules),
            listings={key: market.listing for key, market in self.markets.items()},
            market=lambda *key: self.markets.get(key),
            stage=self.shown,
            faults=AccountFaults(lambda: self.ms / 1000),
            unix_ms=lambda: self.ms,
        )

    def volume(self, market_type: str, price: int, size: int) -> None:
        """Set the anonymous volume of a level (a bid's price negative), in ticks and lots."""
        market = self.markets[market_type, "BTCUSDT"]
        side = market.bids if price < 0 else market.asks
        size = market.queues.anonymous(side, price, size) if market.queues is not None else size
        market.put(side, price, size)


def still(listing: Listing) -> StillMarket:
    """A market whose tick and lot are 1."""
    one = replace(listing, price=type(listing.price)(Decimal(1)), size=type(listing.size)(Decimal(1)))
    return StillMarket(one, rng=None, write=lambda price, size: (str(price), str(size)), seq=1)  # type: ignore[arg-type]


def open_with(desk: Desk, name: str, hedge: bool = False, **balances: int) -> Account:
    """An account with so much of each asset, in every wallet."""
    account = desk.open_account(name, [Key(f"key of {name}", "secret")], hedge=hedge)
    for wallet in dict.fromkeys(desk.rules.wallets.values()):
        for asset, amount in balances.items():
            desk.credit(account, wallet, asset, Decimal(amount))
    return account


def ticket(
    side: str,
    size: int | None,
    price: int | Decimal | None = None,
    market_type: str = "spot",
    symbol: str = "BTCUSDT",
    **more: Any,
) -> Ticket:
    """A limit order, or a market order where there is no price."""
    return Ticket(
        market_type=market_type,
        symbol=symbol,
        side=side,  # type: ignore[arg-type]
        kind="limit" if price else "market",
        size=None if size is None else Decimal(size),
        price=None if price is None else Decimal(price),
        **more,
    )


def told(order: Order) -> tuple[str, int]:
    return order.status, order.filled
