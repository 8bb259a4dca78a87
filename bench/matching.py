"""`python -m bench.matching`: orders a second through the simulator's matching engine and through its order desk.

CPU time of one thread over the same seeded orders in every round: limit orders around the touch of a deep book, a third
of which trade at once, and cancels of a quarter of those that rest. What was filled is compared between the two
sides of every match before a figure is printed. Ends with 1 when the engine is slower than it has to be.
"""

import random
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from time import process_time

from apps.feeds.simulator.binance.listings import listings
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Side, Trade
from apps.feeds.simulator.random_market import PriceWalk, RandomMarket
from apps.feeds.simulator.trading.accounts import Key
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.faults import AccountFaults
from apps.feeds.simulator.trading.matching import MatchBook, Resting
from apps.feeds.simulator.trading.rules import Rules
from apps.feeds.simulator.trading.tickets import Ticket

ORDERS = 50_000
ROUNDS = 5
LEAST = 20_000  # orders a second
SPREAD = 200  # ticks around the middle that orders come at
MIDDLE = 84_000_00
Order = tuple[bool, int, int, bool]  # buys, price, size, one of those that rest is cancelled first


def main() -> int:
    orders = list(make(ORDERS))
    engine = [measured(match_all, orders) for _ in range(ROUNDS)]
    desk = [measured(trade_all, orders[: ORDERS // 5]) for _ in range(ROUNDS)]
    line("matching engine", engine)
    line("order desk with accounts", desk)
    return 0 if statistics.median(engine) >= LEAST else 1


def make(count: int, seed: int = 1) -> Iterator[Order]:
    rng = random.Random(seed)
    for _ in range(count):
        buys = rng.random() < 0.5
        away = int(rng.expovariate(1 / SPREAD)) - SPREAD // 3
        yield buys, MIDDLE - away if buys else MIDDLE + away, rng.randint(1, 50), rng.random() < 0.25


def match_all(orders: list[Order]) -> None:
    """Through the bare engine, on a book that begins with anonymous volume."""
    bids, asks = (Side(sign, lambda price, size: (str(price), str(size))) for sign in (-1, 1))
    for key in range(1, 400):
        bids.put(key - MIDDLE, 20)
        asks.put(key + MIDDLE, 20)
    book = MatchBook(bids, asks, Side.put)
    resting: list[Resting] = []
    account = object()
    made, took = 0, 0
    for number, (buys, price, size, cancels) in enumerate(orders):
        if cancels and resting and (gone := resting.pop()).left:
            book.cancel(gone)
        own, other = (bids, asks) if buys else (asks, bids)
        taken = book.take(other, size, limit=other.sign * price)
        made += sum(match.size for match in taken.matches)
        took += size - taken.left
        if taken.left:
            resting.append(Resting(own, own.sign * price, taken.left, account, number))
            book.rest(resting[-1])
    if made != took or (bids.keys and asks.keys and -bids.keys[0] >= asks.keys[0]):
        raise SystemExit("the matching engine is wrong")


class Stage:
    """Nobody looks."""

    def tell(self, market: Market, trades: list[Trade]) -> None: ...

    def stir(self, market: Market) -> None: ...


def trade_all(orders: list[Order]) -> None:
    """Through checks, wallets and the accept log as well; two accounts."""
    listing = next(row for row in listings() if (row.market_type, row.symbol) == ("spot", "BTCUSDT"))
    rng = random.Random(1)
    market = RandomMarket(listing, rng=rng, write=text(listing), walk=PriceWalk(rng), id_jump=1)
    desk = Desk(
        "binance",
        rules=Rules(),
        listings={("spot", "BTCUSDT"): listing},
        market=lambda *_: market,
        stage=Stage(),
        faults=AccountFaults(lambda: 0.0),
    )
    accounts = [desk.open_account(name, [Key(name, "secret")]) for name in ("anna", "boris")]
    for account in accounts:
        desk.credit(account, "spot", "USDT", Decimal(10**12))
        desk.credit(account, "spot", "BTC", Decimal(10**9))
    middle = (market.asks.keys[0] - market.bids.keys[0]) // 2
    for number, (buys, price, size, cancels) in enumerate(orders):
        account = accounts[number % 2]
        if cancels and account.open:
            desk.cancel(account, next(iter(account.open.values())))
        desk.place(
            account,
            Ticket(
                market_type="spot",
                symbol="BTCUSDT",
                side="buy" if buys else "sell",
                kind="limit",
                size=size * listing.size.step,
                price=(middle + price - MIDDLE) * listing.price.step,
            ),
        )
    makers = Counter(row.is_maker for account in accounts for row in account.executions)
    if len(desk.accepted) != len(orders) or makers[True] > makers[False]:
        raise SystemExit("the order desk is wrong")


def text(listing: Listing) -> Callable[[int, int], tuple[str, str]]:
    return lambda price, size: (listing.price.text(price), listing.size.text(size))


def measured(run: Callable[[list[Order]], None], orders: list[Order]) -> float:
    """Orders a second."""
    start = process_time()
    run(orders)
    return len(orders) / (process_time() - start)


def line(name: str, rates: list[float]) -> None:
    print(f"{name:<28}{statistics.median(rates):10,.0f} orders/s   {min(rates):,.0f} .. {max(rates):,.0f}")


if __name__ == "__main__":
    sys.exit(main())
