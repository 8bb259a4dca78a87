"""One paper account in the event loop of its daemon: orders, books and trades reach it here one after the other.

What the account tells is written down in its order; answers that rest on it are given once it is written, so that
after a kill the rows know of everything that anybody was told. A fault of ours ends this account alone: whoever tells
of books and trades never hears of it.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

from apps.feeds.drivers.trading import Placed
from apps.feeds.errors import FeedError, OutcomeUnknown, Retryable
from apps.feeds.market import Instrument, Levels, PublicTrade
from apps.feeds.orders import Balances, Fees, NewOrder, OrderRef, OrderStatus, OrderUpdate, Positions, in_base
from apps.trading.paper.account import PaperAccount, PaperEvent
from workers.paper.journal import Journal

SIGHT_S = 0.05  # between two looks whether a book has come


class Matcher:
    """Told of books and trades as a `Watcher`. `show(instrument)` brings the book that an order needs here."""

    def __init__(
        self,
        account: PaperAccount,
        *,
        journal: Journal,
        fees: Fees,
        latency_ms: int,
        show: Callable[[Instrument], None],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.fees = fees
        self._account = account
        self._journal = journal
        self._latency_s = latency_ms / 1000
        self._show = show
        self._clock = clock
        self._now_ms = 0
        self._closed = False
        self._live: set[str] = set()  # symbols
        self._arrivals: dict[str, asyncio.Future[OrderUpdate]] = {}  # by our id
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Nothing is matched any more: what the rows do not know did not happen."""
        self._closed = True
        for timer in self._timers:
            timer.cancel()
        for arrival in self._arrivals.values():
            arrival.cancel()

    def now_ms(self) -> int:
        """Our time; never backwards."""
        self._now_ms = max(self._now_ms, self._clock() // 1_000_000)
        return self._now_ms

    # what the market does

    def book(self, instrument: Instrument, bids: Levels, asks: Levels, *, whole: bool, exchange_ms: int | None) -> None:
        if self._closed:
            return
        self._live.add(instrument.symbol)
        show, now_ms = self._account.show_book, self.now_ms()
        self._meet(lambda: show(instrument, bids, asks, whole=whole, exchange_ms=exchange_ms, now_ms=now_ms))

    def no_book(self, instrument: Instrument) -> None:
        self._live.discard(instrument.symbol)
        self._meet(lambda: self._account.hide_book(instrument, self.now_ms()))

    def trade(self, instrument: Instrument, trade: PublicTrade) -> None:
        self._meet(lambda: self._account.show_trade(instrument, trade, self.now_ms()))

    # what is asked

    async def place(self, order: NewOrder) -> Placed:
        """Answered when the order has reached the market; raises what an exchange would."""
        self._show(order.instrument)
        await self._see(order)
        self._check_open()
        arrival = asyncio.get_running_loop().create_future()
        self._journal.expect(order.instrument)
        told = self._asked(partial(self._account.place, order))
        self._arrivals[order.client_order_id] = arrival
        self._tell(told)
        self._advance_later()
        try:
            update = await arrival
        except asyncio.CancelledError:
            if self._closed:
                raise OutcomeUnknown("the account is not matched here any more") from None
            raise
        ref = OrderRef(instrument=order.instrument, client_order_id=order.client_order_id)
        if (refusal := self._account.refusal(ref)) is not None:
            raise refusal
        return Placed(
            exchange_order_id=update.exchange_order_id,
            client_order_id=order.client_order_id,
            status=OrderStatus.OPEN,
        )

    async def cancel(self, ref: OrderRef) -> None:
        self._check_open()
        self._tell(self._asked(partial(self._account.cancel, ref)))
        self._advance_later()

    async def cancel_all(self, instrument: Instrument) -> None:
        self._check_open()
        for order in self._account.open_orders():
            if order.symbol == instrument.symbol:
                await self.cancel(OrderRef(instrument=instrument, exchange_order_id=order.exchange_order_id))

    async def order(self, ref: OrderRef) -> OrderUpdate:
        """Raise UnknownOrder."""
        await self._settle()
        return in_base(self._account.order(ref), ref.instrument)

    async def open_orders(self, instrument: Instrument | None) -> list[OrderUpdate]:
        await self._settle()
        return [
            in_base(each, self._journal.instrument(each.symbol))
            for each in self._account.open_orders()
            if instrument is None or each.symbol == instrument.symbol
        ]

    async def balances(self) -> Balances:
        await self._settle()
        return self._account.balances()

    async def positions(self) -> Positions:
        await self._settle()
        told = self._account.positions()
        rows = [in_base(each, self._journal.instrument(each.symbol)) for each in told.rows]
        return Positions(rows=rows, whole=True, exchange_ms=told.exchange_ms)

    async def settle(self) -> None:
        """Return when the rows know all that was told until now."""
        await self._settle()

    # inside

    async def _see(self, order: NewOrder) -> None:
        """Wait for the book as long as the order may wait; without it the order is refused when it arrives."""
        while order.instrument.symbol not in self._live and not self._closed:
            if self.now_ms() + SIGHT_S * 1000 + self._latency_s * 1000 >= order.expires_ms:
                return
            await asyncio.sleep(SIGHT_S)

    async def _settle(self) -> None:
        self._check_open()
        self._tell(self._asked(self._account.advance))
        await self._journal.settle()

    def _check_open(self) -> None:
        if self._closed:
            raise Retryable("the account is not matched here any more")

    def _advance_later(self) -> None:
        """What is on its way arrives in time even if the market stands still."""
        if not self._latency_s:
            return
        loop = asyncio.get_running_loop()

        def arrive() -> None:
            self._timers.discard(timer)
            self._meet(lambda: self._account.advance(self.now_ms()))

        timer = loop.call_later(self._latency_s + 0.001, arrive)
        self._timers.add(timer)

    def _meet(self, happens: Callable[[], Sequence[PaperEvent]]) -> None:
        """The market or the time moves on: nobody asked, so a fault is nobody else's to hear of."""
        if self._closed:
            return
        try:
            told = happens()
        except Exception as fault:  # noqa: BLE001 (it ends the account's journal, whose owner logs it)
            self._fail(fault)
        else:
            self._tell(told)

    def _asked(self, act: Callable[[int], Sequence[PaperEvent]]) -> Sequence[PaperEvent]:
        """What is told of it; raise what an exchange would."""
        try:
            return act(self.now_ms())
        except FeedError:
            raise
        except Exception as fault:
            self._fail(fault)
            raise OutcomeUnknown("the account is not matched here any more") from fault

    def _fail(self, fault: Exception) -> None:
        """Half of something may have been done: nothing more is built on it."""
        self.close()
        self._journal.break_off(fault)

    def _tell(self, events: Sequence[PaperEvent]) -> None:
        for event in events:
            if isinstance(event, OrderUpdate) and event.client_order_id in self._arrivals:
                arrival = self._arrivals.pop(event.client_order_id)
                if not arrival.done():
                    arrival.set_result(event)
        self._journal.add([event for event in events if not _is_refusal(event)])


def _is_refusal(event: PaperEvent) -> bool:
    """It is the answer to the request, and told by it alone."""
    return isinstance(event, OrderUpdate) and event.status is OrderStatus.REJECTED
