"""Whatever happens, paper is never flattering and nothing is made up. CT_EXAMPLES multiplies the number of runs."""

from collections import defaultdict
from contextlib import suppress
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.feeds.errors import OrderIsFinal, UnknownOrder
from apps.feeds.market import Instrument, Side
from apps.feeds.orders import Fill, OrderUpdate, TimeInForce
from apps.trading.paper.account import PaperAccount, PaperEvent
from apps.trading.paper.ledger import Entry, EntryKind
from apps.trading.paper.order import FINAL
from apps.trading.tests.paper import FUTURES, SPOT, account, order, ref, show, trade
from apps.trading.tests.paper_truth import PRICE, TrueLevel
from tests.sizes import examples

EXAMPLES = examples(200)
RUNS = settings(max_examples=EXAMPLES, deadline=None)
AMOUNTS = st.integers(1, 12)

# what others do, whether the book is shown at once, how many events later the trade is told, ms since the last
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["join", "join", "leave", "sell", "sell", "offer", "lift"]),
        AMOUNTS,
        st.booleans(),
        st.integers(0, 3),
        st.integers(0, 200),
    ),
    max_size=40,
)


@RUNS
@given(before=EVENTS, after=EVENTS, wanted=AMOUNTS)
def test_it_never_fills_before_its_turn_in_the_true_queue(before, after, wanted: int):
    truth, paper, now = TrueLevel(wanted), account(), 1_000
    late = []  # trades that are still to be told, and after how many events
    for number, (what, amount, at_once, lag, pause) in enumerate(before + after):
        if number == len(before):
            show(paper, truth.bids, truth.asks, now)
            paper.place(order(Side.BUY, wanted, PRICE, tif=TimeInForce.POST_ONLY), now)
            truth.place()
        now += pause
        late += [(lag, told) for told in getattr(truth, what)(amount, now)]
        due = [told for left, told in late if left == 0]
        late = [(left - 1, told) for left, told in late if left > 0]
        if at_once:
            show(paper, truth.bids, truth.asks, now)
        for told in due:
            paper.show_trade(SPOT, told, now)
        show(paper, truth.bids, truth.asks, now)
        if truth.placed:
            done = paper.order(ref())
            assert done.status.value == "REJECTED" or done.filled <= truth.filled


def test_a_queue_that_only_trades_fills_exactly_as_the_true_one():
    truth, paper = TrueLevel(6), account()
    for amount in (3, 4):
        truth.join(amount, 0)
    show(paper, truth.bids, truth.asks, 0)
    paper.place(order(Side.BUY, 6, PRICE), 0)
    truth.place()
    for at in range(1, 8):
        for told in truth.sell(2, at):
            paper.show_trade(SPOT, told, at)
        show(paper, truth.bids, truth.asks, at)
        assert paper.order(ref()).filled == truth.filled
    assert truth.filled == 6


# random accounts on random books

SIDES = st.sampled_from([Side.BUY, Side.SELL])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("book"), st.integers(95, 105), st.lists(AMOUNTS, min_size=2, max_size=8)),
        st.tuples(st.just("trade"), SIDES, st.integers(93, 107), AMOUNTS),
        st.tuples(
            st.just("order"), SIDES, st.sampled_from([None, None, 96, 99, 100, 101, 104]), AMOUNTS,
            st.sampled_from(TimeInForce), st.booleans(),
        ),
        st.tuples(st.just("cancel"), st.integers(0, 10)),
        st.tuples(st.just("wait"), st.integers(0, 300)),
    ),
    max_size=60,
)  # fmt: skip


class Run:
    """A paper account led through random steps; every fill is held against the book that it was made on."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.paper: PaperAccount = account(instrument, latency_ms=30, balances=dict(START))
        self.size = instrument.contract_size
        self.events: list[PaperEvent] = []
        self.limits: dict[str, int | None] = {}
        self.amounts: dict[str, Decimal] = {}
        self.displayed: dict[tuple[Side, Decimal], Decimal] = {}
        self.taken: dict[tuple[Side, Decimal], Decimal] = defaultdict(Decimal)
        self.now = 0

    def step(self, what: str, *rest) -> None:
        self.now += 1
        getattr(self, what)(*rest)

    def book(self, best: int, amounts: list[int]) -> None:
        self.note(self.paper.advance(self.now))
        bids = [(best - place, amount * 10) for place, amount in enumerate(amounts[::2])]
        asks = [(best + 1 + place, amount * 10) for place, amount in enumerate(amounts[1::2])]
        self.displayed = {(Side.SELL, Decimal(price)): Decimal(amount) for price, amount in bids}
        self.displayed |= {(Side.BUY, Decimal(price)): Decimal(amount) for price, amount in asks}
        self.taken.clear()
        self.note(show(self.paper, bids, asks, self.now, instrument=self.instrument))

    def trade(self, side: Side, price: int, amount: int) -> None:
        self.note(self.paper.show_trade(self.instrument, trade(side, price, amount * 10.0, self.now), self.now))

    def order(self, side: Side, price: int | None, amount: int, tif: TimeInForce, reduce_only: bool) -> None:
        client_order_id = f"c{len(self.limits)}"
        self.limits[client_order_id] = price
        new = order(
            side, amount * 10, price, instrument=self.instrument, client_order_id=client_order_id,
            tif=TimeInForce.GTC if price is None else tif,
            reduce_only=reduce_only and self.instrument is FUTURES,
        )  # fmt: skip
        self.amounts[client_order_id] = Decimal(amount * 10)
        self.note(self.paper.place(new, self.now))

    def cancel(self, number: int) -> None:
        with suppress(UnknownOrder, OrderIsFinal):
            self.note(self.paper.cancel(ref(f"c{number}", self.instrument), self.now))

    def wait(self, ms: int) -> None:
        self.now += ms
        self.note(self.paper.advance(self.now))

    def note(self, events: list[PaperEvent]) -> None:
        self.events += events
        for fill in events:
            if isinstance(fill, Fill):
                self.judge(fill)

    def judge(self, fill: Fill) -> None:
        """A taker gets displayed prices, the best first, and no more than is displayed; a maker its own price."""
        limit = self.limits[fill.client_order_id]
        if fill.is_maker:
            assert fill.price == limit
            return
        at = (fill.side, fill.price)
        self.taken[at] += fill.amount * self.size
        assert self.taken[at] <= self.displayed[at]
        if limit is not None:
            assert fill.price <= limit if fill.side is Side.BUY else fill.price >= limit

    @property
    def fills(self) -> list[Fill]:
        return [each for each in self.events if isinstance(each, Fill)]

    def entries(self, *kinds: EntryKind) -> dict[str, Decimal]:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for each in self.events:
            if isinstance(each, Entry) and each.kind in kinds:
                sums[each.asset] += each.amount
        return sums


START = {"USDT": Decimal(20_000), "A": Decimal(300)}


def signed(fill: Fill) -> Decimal:
    return fill.amount if fill.side is Side.BUY else -fill.amount


def led(instrument: Instrument, steps) -> Run:
    run = Run(instrument)
    run.step("book", 100, [5, 5, 5, 5])
    for each in steps:
        run.step(*each)
    run.step("wait", 1_000)
    return run


def check_orders(run: Run) -> None:
    """Fills and updates tell the same; what is final stays, and nothing is filled beyond its amount."""
    filled: dict[str, Decimal] = defaultdict(Decimal)
    final = set()
    for each in run.events:
        if isinstance(each, Fill):
            assert each.client_order_id not in final
            filled[each.client_order_id] += each.amount
        elif isinstance(each, OrderUpdate):
            assert each.client_order_id not in final
            assert each.filled == filled[each.client_order_id]
            assert each.filled * run.size <= run.amounts[each.client_order_id]
            assert each.text.startswith("PAPER")
            final |= {each.client_order_id} if each.status in FINAL else set()
    assert {each.client_order_id for each in run.paper.open_orders()} == set(run.limits) - final
    assert len({each.trade_id for each in run.fills}) == len(run.fills)


@RUNS
@given(steps=STEPS)
def test_spot_money_and_coins_are_conserved(steps):
    run = led(SPOT, steps)
    check_orders(run)
    paid = -sum((signed(each) * each.price + each.fee for each in run.fills), Decimal(0))
    bought = sum((signed(each) for each in run.fills), Decimal(0))
    assert run.entries(*EntryKind) == {} if not run.fills else {"USDT": paid, "A": bought}
    for row in run.paper.balances().rows:
        assert row.total == START[row.asset] + (paid if row.asset == "USDT" else bought)
        assert 0 <= row.free <= row.total


@RUNS
@given(steps=STEPS)
def test_futures_profits_and_positions_are_what_was_traded(steps):
    run = led(FUTURES, steps)
    check_orders(run)
    money = next(row for row in run.paper.balances().rows if row.asset == "USDT")
    fees = sum((each.fee for each in run.fills), Decimal(0))
    profit = run.entries(EntryKind.PROFIT)["USDT"]
    assert money.total == START["USDT"] + profit - fees
    held = sum((signed(each) for each in run.fills), Decimal(0))
    rows = run.paper.positions().rows
    assert [row.amount for row in rows] == ([held] if held else [])
    spent = sum((signed(each) * each.price for each in run.fills), Decimal(0)) * run.size
    open_cost = sum((row.amount * run.size * row.entry_price for row in rows), Decimal(0))
    assert abs(open_cost - profit - spent) < Decimal("1e-12"), "what was paid is in the position, or realised"
