"""The matching engine of the simulator: price, then time; nothing is lost; no resting book is ever crossed.

CT_EXAMPLES multiplies the number of generated runs.
"""

import random
from collections.abc import Iterator
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.feeds.simulator.binance.listings import listings
from apps.feeds.simulator.market import Side
from apps.feeds.simulator.random_market import PriceWalk, RandomMarket
from apps.feeds.simulator.trading.accounts import Account, Order
from apps.feeds.simulator.trading.matching import MatchBook, Resting
from apps.feeds.simulator.trading.tickets import Refused
from apps.feeds.tests.still_market import StillDesk, open_with, ticket
from tests.sizes import examples

EXAMPLES = examples(100)
RUNS = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CHANCE = st.binary(min_size=40, max_size=400)


class Reference:
    """The same by the plainest means: a list of all that rests, in the order of its arrival."""

    def __init__(self) -> None:
        self.rows: list[list[int]] = []  # [sign, key, left, name]; name 0: anonymous

    def take(self, sign: int, size: int, limit: int) -> list[tuple[int, int, int]]:
        done = []
        for row in sorted((r for r in self.rows if r[0] == sign and r[1] <= limit), key=lambda row: row[1]):
            part = min(size, row[2])
            if part:
                row[2] -= part
                size -= part
                done.append((row[3], row[1], part))
        self.rows = [row for row in self.rows if row[2]]
        return done

    def anonymous(self, sign: int, key: int, size: int) -> None:
        mine = [row for row in self.rows if row[:2] == [sign, key] and not row[3]]
        extra = size - sum(row[2] for row in mine)
        if extra > 0:
            self.rows.append([sign, key, extra, 0])
        for row in reversed(mine):
            cut = min(max(0, -extra), row[2])
            row[2] -= cut
            extra += cut
        self.rows = [row for row in self.rows if row[2]]

    def shown(self, sign: int) -> dict[int, int]:
        sizes: dict[int, int] = {}
        for row in self.rows:
            if row[0] == sign:
                sizes[row[1]] = sizes.get(row[1], 0) + row[2]
        return sizes


def empty_side(sign: int) -> Side:
    return Side(sign, lambda price, size: (str(price), str(size)))


def joined(matches: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Neighbouring pieces of anonymous volume as one: they belong to nobody."""
    done: list[tuple[int, int, int]] = []
    for name, key, size in matches:
        if done and not name and done[-1][:2] == (0, key):
            done[-1] = (0, key, done[-1][2] + size)
        else:
            done.append((name, key, size))
    return done


@RUNS
@given(CHANCE)
def test_every_match_is_the_one_of_price_time_priority(chance: bytes) -> None:
    bids, asks = empty_side(-1), empty_side(1)
    book, reference = MatchBook(bids, asks, Side.put), Reference()
    alive: dict[int, Resting] = {}
    numbers = iter(chance)
    for name, number in enumerate(numbers, start=1):
        side = asks if number & 1 else bids
        key = side.sign * (100 + side.sign * (next(numbers, 0) % 7 + 1))
        size = next(numbers, 0) % 20 + 1
        match number % 5:
            case 0:
                level = book.anonymous(side, key, size // 2)
                side.put(key, level)
                reference.anonymous(side.sign, key, size // 2)
            case 1 if alive:
                gone = alive.pop(min(alive))
                book.cancel(gone)
                reference.rows = [row for row in reference.rows if row[3] != gone.order]
            case 2:
                matches = [
                    (match.maker.order if match.maker else 0, side.sign * match.price, match.size)
                    for match in book.take(side, size, limit=key).matches
                ]
                assert joined(matches) == joined(reference.take(side.sign, size, key))
            case _:
                resting = alive[name] = Resting(side, key, size, account=book, order=name)
                book.rest(resting)
                reference.rows.append([side.sign, key, size, name])
        alive = {name: resting for name, resting in alive.items() if resting.left}
        assert bids.sizes == reference.shown(-1)
        assert asks.sizes == reference.shown(1)
        assert bids.keys == sorted(bids.sizes)


def accounts_of(desk: StillDesk) -> list[Account]:
    return [open_with(desk, name, BTC=200, USDT=20_000) for name in ("anna", "boris", "chen")]


def act(desk: StillDesk, account: Account, numbers: Iterator[int], market_type: str) -> None:
    """One request of an account; what is refused changes nothing."""
    kind, side, price = next(numbers, 0), next(numbers, 0), 90 + next(numbers, 0) % 20
    asked = ticket(
        "buy" if side & 1 else "sell",
        next(numbers, 0) % 30 + 1,
        None if kind % 7 == 0 else price,
        market_type,
        force=("gtc", "gtc", "gtc", "ioc", "fok", "post")[kind % 6],
        self_trade=("", "", "taker", "maker", "both")[side % 5],
        reduce_only=market_type == "futures" and kind % 11 == 0,
    )
    if kind % 5 == 0 and account.open:
        desk.cancel(account, next(iter(account.open.values())))
    else:
        try:
            desk.place(account, asked)
        except Refused:
            return


def wealth(desk: StillDesk, asset: str) -> Decimal:
    """All there is of an asset, with the fees that were paid and without the profits that others still owe."""
    held = sum(w[asset].total for a in desk.accounts.values() for w in a.wallets.values() if asset in w)
    return held + desk.ledger.fees[asset] - desk.ledger.settled[asset]


def assert_sound(desk: StillDesk, market_type: str) -> None:
    market = desk.markets[market_type, "BTCUSDT"]
    assert not (market.bids.keys and market.asks.keys) or -market.bids.keys[0] < market.asks.keys[0]
    for account in desk.accounts.values():
        for asset in ("BTC", "USDT"):
            holding = account.holding(market_type, asset)
            margin = sum(p.margin for p in account.positions.values()) if market_type == "futures" else Decimal(0)
            held = sum(order.locked for order in account.open.values() if paid_in(order) == asset)
            assert holding.locked == held + (margin if asset == "USDT" else 0)
            if market_type == "spot":
                assert holding.locked >= 0
                assert holding.free >= 0
        for order in account.orders.values():
            assert 0 <= order.filled <= order.size
            assert order.filled == sum(execution.size for execution in order.executions)
            assert order.is_open == (order.resting is not None) == (order.id in account.open)
            assert order.resting is None or order.resting.left == order.left
            assert order.is_open or order.locked == 0
    resting = {side.sign: sum(side.sizes.values()) for side in (market.bids, market.asks)}
    for sign, side_name in ((-1, "buy"), (1, "sell")):
        open_orders = [o for a in desk.accounts.values() for o in a.open.values() if o.side == side_name]
        assert resting[sign] == sum(order.left for order in open_orders)


def paid_in(order: Order) -> str:
    if order.listing.market_type == "futures":
        return "USDT"
    return "USDT" if order.side == "buy" else "BTC"


@RUNS
@given(CHANCE)
def test_spot_trading_moves_money_and_makes_none(chance: bytes) -> None:
    desk = StillDesk()
    accounts = accounts_of(desk)
    before = {asset: wealth(desk, asset) for asset in ("BTC", "USDT")}
    numbers = iter(chance)
    for number in numbers:
        act(desk, accounts[number % 3], numbers, "spot")
        assert_sound(desk, "spot")
        assert {asset: wealth(desk, asset) for asset in before} == before


@RUNS
@given(CHANCE)
def test_futures_trading_moves_money_and_makes_none(chance: bytes) -> None:
    desk = StillDesk()
    accounts = accounts_of(desk)
    before = wealth(desk, "USDT")
    numbers = iter(chance)
    for number in numbers:
        act(desk, accounts[number % 3], numbers, "futures")
        assert_sound(desk, "futures")
        assert wealth(desk, "USDT") == before
        positions = [position for account in accounts for position in account.positions.values()]
        assert sum(position.size for position in positions) == 0
        owed = sum(position.cost * (1 if position.size > 0 else -1) for position in positions)
        assert desk.ledger.settled["USDT"] == owed  # what the winners were paid is what the others' entries still owe


@settings(max_examples=max(10, EXAMPLES // 10), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), CHANCE)
def test_a_market_that_moves_by_itself_never_crosses_the_orders_in_it(seed: int, chance: bytes) -> None:
    listing = next(row for row in listings() if row.symbol == "SOLUSDT" and row.market_type == "spot")
    rng = random.Random(seed)
    market = RandomMarket(
        listing, rng=rng, write=lambda price, size: (str(price), str(size)), walk=PriceWalk(rng), id_jump=1
    )
    desk = StillDesk(market)
    account = open_with(desk, "anna", SOL=10**6, USDT=10**9)
    orders = []
    for turn, number in enumerate(chance):
        middle = (market.asks.keys[0] - market.bids.keys[0]) // 2
        price = (middle + number % 41 - 20) * listing.price.step
        side = "buy" if number & 1 else "sell"
        orders.append(desk.place(account, ticket(side, number % 90 + 5, price, symbol="SOLUSDT")))
        market.step(turn * 5.0, desk.ms)
        assert -market.bids.keys[0] < market.asks.keys[0]
        own: dict[int, int] = {}
        for order in account.open.values():
            assert order.resting is not None
            own[order.resting.key] = own.get(order.resting.key, 0) + order.left
        assert all((market.bids.sizes.get(key) or market.asks.sizes.get(key, 0)) >= size for key, size in own.items())
        assert min(len(market.bids.keys), len(market.asks.keys)) >= 10
    assert all(order.filled == sum(execution.size for execution in order.executions) for order in orders)
