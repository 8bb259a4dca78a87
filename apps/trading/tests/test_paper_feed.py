"""Paper accounts on live books: the simulator's markets over real sockets, all exchanges, both markets."""

import time
from collections.abc import AsyncIterator, Callable
from decimal import ROUND_CEILING, Decimal

import pytest
import pytest_asyncio

from apps.feeds.drivers import registry
from apps.feeds.market import BookState, Instrument, Levels, MarketType, PublicTrade, Side, in_base
from apps.feeds.orders import Fees, Fill, NewOrder, OrderStatus, OrderType, OrderUpdate
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.stand import BOOK_MESSAGES_S, Stand, patience, stand
from apps.feeds.tests.waiting import until
from apps.trading.paper.account import PaperAccount, PaperEvent
from apps.trading.paper.ledger import Entry

EVERY = [(exchange, market) for exchange in registry.exchange_ids() for market in MarketType]
FEES = Fees(maker=Decimal("0.0002"), taker=Decimal("0.0005"))
WORTH = Decimal(50)  # of an order, in quote currency
PATIENCE_S = 60.0

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def simulator() -> AsyncIterator[Simulator]:
    running = Simulator(seed=11, rate=BOOK_MESSAGES_S, patience=patience())
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture(loop_scope="module", params=EVERY, ids=lambda one: f"{one[0]}-{one[1]}")
async def on(request: pytest.FixtureRequest, simulator: Simulator) -> AsyncIterator[Stand]:
    async with stand(simulator, *request.param) as made:
        yield made


class Trader:
    """A paper account that sees the neighbour's book and tape as a daemon would show them."""

    def __init__(self, on: Stand) -> None:
        self.instrument: Instrument = on.neighbour.instrument
        futures = on.market is MarketType.FUTURES
        self.asset = self.instrument.settle if futures else self.instrument.quote
        self.paper = PaperAccount(
            account="anna",
            market_type=on.market,
            balances={self.asset: Decimal(10_000)},
            fees=FEES,
            latency_ms=0,
        )
        self.told: list[PaperEvent] = []
        self.tape: list[PublicTrade] = []  # all that was shown, in base currency
        self._on = on
        self._version = -1
        self._first = len(on.desk.prints[self.instrument.symbol])

    @property
    def step(self) -> Decimal:
        """A lot in base currency."""
        return self.instrument.lot * self.instrument.contract_size

    @property
    def book(self) -> tuple[Levels, Levels]:
        found = self._on.book(self._on.neighbour).builder.book
        assert found is not None
        return found.top(self._on.depth)

    def lots(self, amount: float) -> int:
        return round(Decimal(repr(amount)) / self.step)

    def look(self) -> None:
        """Show what has come since the last look."""
        tracked = self._on.book(self._on.neighbour)
        for counted in self._on.desk.prints[self.instrument.symbol][self._first + len(self.tape) :]:
            trade = in_base(counted, self.instrument)
            self.tape.append(trade)
            self.told += self.paper.show_trade(self.instrument, trade, now_ms())
        if tracked.version != self._version and tracked.state is BookState.LIVE:
            self._version = tracked.version
            bids, asks = self.book
            self.told += self.paper.show_book(
                self.instrument, bids, asks, whole=False, exchange_ms=tracked.exchange_ms, now_ms=now_ms()
            )

    def place(self, kind: OrderType, price: float) -> NewOrder:
        limit = Decimal(repr(price))
        order = NewOrder(
            instrument=self.instrument,
            client_order_id=f"order-{kind}",
            side=Side.BUY,
            type=kind,
            expires_ms=now_ms() + 60_000,
            amount=(WORTH / limit / self.step).to_integral_value(ROUND_CEILING) * self.step,
            price=limit if kind is OrderType.LIMIT else None,
        )
        self.told += self.paper.place(order, now_ms())
        return order

    async def show_sale(self, levels: Levels) -> None:
        """Let somebody sell to all who bid there, these being the best; wait until tape and book have told of it."""
        before = now_ms()
        await until(lambda: now_ms() > before)
        lots, last = sum(self.lots(size) for _, size in levels), levels[-1][0]
        await self._on.trade(self._on.neighbour, "sell", lots, last)
        await self.until(lambda: self.traded_since(before) == lots and self.book[0][0][0] < last)

    def traded_since(self, ms: int) -> int:
        """In lots, as the tape was shown."""
        return sum(self.lots(trade.amount) for trade in self.tape if trade.exchange_ms > ms)

    async def until(self, holds: Callable[[], object]) -> None:
        def seen() -> object:
            self.look()
            return holds()

        await self._on.desk.until(seen, PATIENCE_S)

    def fills(self) -> list[Fill]:
        return [event for event in self.told if isinstance(event, Fill)]

    def status(self) -> OrderStatus:
        return [event for event in self.told if isinstance(event, OrderUpdate)][-1].status

    def conserved(self) -> bool:
        """The wallet has what it had, less what the ledger says."""
        entries = [event for event in self.told if isinstance(event, Entry) and event.asset == self.asset]
        assert {entry.mode for entry in entries} == {"PAPER"}
        [wallet] = [row for row in self.paper.balances().rows if row.asset == self.asset]
        return wallet.total == Decimal(10_000) + sum(entry.amount for entry in entries)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def walk(levels: Levels, amount: Decimal) -> list[tuple[Decimal, Decimal]]:
    """What a taker of `amount` gets, level by level."""
    taken: list[tuple[Decimal, Decimal]] = []
    for price, size in levels:
        part = min(amount, Decimal(repr(size)))
        taken.append((Decimal(repr(price)), part))
        amount -= part
        if not amount:
            return taken
    raise AssertionError("the book does not hold so much")


def deep_enough(levels: Levels, order: NewOrder) -> int:
    """How many levels offer what the order wants."""
    assert order.amount is not None
    return len(walk(levels, order.amount))


async def test_a_market_order_takes_what_the_live_book_shows(on: Stand):
    trader = Trader(on)
    await trader.until(lambda: on.state(on.neighbour) is BookState.LIVE)
    trader.look()
    _, asks = trader.book
    order = trader.place(OrderType.MARKET, asks[0][0])
    assert order.amount is not None
    size = trader.instrument.contract_size
    assert [(fill.price, fill.amount * size) for fill in trader.fills()] == walk(asks, order.amount)
    assert all(fill.fee == fill.price * fill.amount * size * FEES.taker for fill in trader.fills())
    assert trader.status() is OrderStatus.FILLED
    assert trader.conserved()


async def test_an_order_that_rests_fills_when_the_market_comes_to_it_and_not_before(on: Stand):
    trader = Trader(on)
    await until(lambda: on.listened(on.neighbour, "book", "trades"), PATIENCE_S)
    await on.moved(on.neighbour)  # its stream tells the time, where its first snapshot did not
    async with on.standing(on.neighbour):
        trader.look()
        bids, _ = trader.book
        order = trader.place(OrderType.LIMIT, bids[1][0])
        await trader.show_sale(bids[:1])  # the order is at the best price now
        assert (trader.fills(), trader.status()) == ([], OrderStatus.OPEN)
        await trader.show_sale(bids[1 : 2 + deep_enough(bids[2:], order)])
    assert trader.status() is OrderStatus.FILLED
    assert all((fill.price, fill.is_maker) == (order.price, True) for fill in trader.fills())
    assert sum(fill.amount for fill in trader.fills()) * trader.instrument.contract_size == order.amount
    assert trader.conserved()
