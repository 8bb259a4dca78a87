"""What trading sees of the books of its own process."""

from decimal import Decimal

from apps.feeds.market import FULL_DEPTH, BookKey, BookState, Instrument, Levels, PublicTrade, Side
from apps.feeds.tests.listings import instrument
from apps.trading.risk.view import Top
from workers.tests.held import Held, Nowhere
from workers.trader.windows import Windows

BTC = instrument("BTC/USDT", "binance", "spot")
BIDS, ASKS = [(99.0, 2.0), (98.0, 1.0)], [(101.0, 3.0), (102.0, 4.0)]
SECOND_NS = 1_000_000_000


class Beyond(Nowhere):
    """Another process has all books, at 7."""

    def top(self, key: BookKey) -> Top | None:
        seven = Decimal(7)
        return Top(
            state=BookState.LIVE,
            age_ms=0,
            owner_is_current=True,
            bid=seven,
            ask=seven,
            bid_depth=seven,
            ask_depth=seven,
        )


class Told:
    """A watcher that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def book(self, instrument: Instrument, bids: Levels, asks: Levels, *, whole: bool, exchange_ms: int | None) -> None:
        self.events.append((bids[0][0], asks[0][0], whole))

    def no_book(self, instrument: Instrument) -> None:
        self.events.append(None)

    def trade(self, instrument: Instrument, trade: PublicTrade) -> None:
        self.events.append(trade.price)


def test_a_live_book_is_seen_with_its_depth_and_age():
    windows = Windows(Nowhere(), clock=lambda: 3 * SECOND_NS)
    held = Held(windows, BTC)
    windows.need({held.key})
    held.show(BIDS, ASKS, at_ns=SECOND_NS)
    assert windows.top(held.key) == Top(
        state=held.tracked.state,
        age_ms=2_000,
        owner_is_current=True,
        bid=Decimal("99.0"),
        ask=Decimal("101.0"),
        bid_depth=Decimal("3.0"),
        ask_depth=Decimal("7.0"),
    )


def test_after_the_clock_was_set_back_a_book_is_not_taken_for_fresh():
    now_ns = 3_600 * SECOND_NS
    windows = Windows(Nowhere(), clock=lambda: now_ns)
    held = Held(windows, BTC)
    windows.need({held.key})
    held.show(BIDS, ASKS, at_ns=now_ns)
    now_ns -= 600 * SECOND_NS
    top = windows.top(held.key)
    assert top is not None
    assert top.age_ms < 0  # which risk takes for too old


def test_a_book_that_is_not_live_has_neither_top_nor_middle():
    windows = Windows(Beyond())
    held = Held(windows, BTC)
    windows.need({held.key})
    held.show(BIDS, ASKS)
    assert windows.mid(held.key) == 100
    held.lose()
    assert windows.top(held.key) is None
    assert windows.mid(held.key) is None


def test_books_that_nobody_here_needs_are_those_of_other_processes():
    windows = Windows(Beyond())
    held = Held(windows, BTC)
    held.show(BIDS, ASKS)
    assert windows.mid(held.key) == 7
    windows.need({held.key})
    assert windows.mid(held.key) == 100
    windows.need(())
    assert windows.mid(held.key) == 7


def test_a_watcher_hears_of_the_book_as_it_is_then_of_changes_trades_and_its_end():
    windows, told = Windows(Nowhere()), Told()
    held = Held(windows, BTC)
    windows.need({held.key})
    held.show(BIDS, ASKS)
    windows.watch({held.key}, told)
    held.trade(Side.BUY, 101.0, 1.0)
    held.lose()
    windows.remove(held.key, "not watched any more")
    assert told.events == [(99.0, 101.0, False), 101.0, None, None]


def test_a_watcher_of_other_books_hears_nothing_any_more():
    windows, told = Windows(Nowhere()), Told()
    held = Held(windows, BTC)
    windows.need({held.key})
    windows.watch({held.key}, told)
    windows.watch((), told)
    held.show(BIDS, ASKS)
    assert told.events == [None]


def test_a_short_full_book_is_told_to_be_the_whole_of_it():
    windows, told = Windows(Nowhere()), Told()
    held = Held(windows, BTC, depth=FULL_DEPTH)
    windows.need({held.key})
    windows.watch({held.key}, told)
    held.show(BIDS, ASKS)
    assert told.events[-1] == (99.0, 101.0, True)
