"""A paper account: it takes orders as an exchange does, and fills them against the real books and trades of the feed.

Pure: the time comes in with every call, in milliseconds and never backwards. What an account of an exchange would be
told comes back as values in order, amounts as the exchange counts them; beside them the entries of the account's own
ledger, all marked PAPER. Neither funding nor liquidation is simulated.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, localcontext
from typing import TypeAlias

from apps.feeds.drivers.money import plain
from apps.feeds.errors import InsufficientFunds, InvalidOrder, OrderIsFinal, Refused, RequestExpired, UnknownSymbol
from apps.feeds.market import Instrument, Levels, MarketType, PublicTrade
from apps.feeds.orders import AccountEvent, Balances, Fees, NewOrder, OrderRef, OrderStatus, OrderUpdate, Positions
from apps.trading.paper.checks import check
from apps.trading.paper.kept import KeptOrders
from apps.trading.paper.ledger import EXACT, Entry, Execution, Ledger, Standing
from apps.trading.paper.market import PaperMarket
from apps.trading.paper.order import PaperOrder, Resting

PaperEvent: TypeAlias = AccountEvent | Entry


class PaperAccount:
    def __init__(
        self,
        *,
        account: str,
        market_type: MarketType,
        balances: Mapping[str, Decimal],
        fees: Fees,
        latency_ms: int,
        leverage: Decimal = Decimal(1),
        session: str = "",
    ) -> None:
        """`latency_ms`: what is asked reaches the market so much later, the way of the feed to us included.

        Fees are taken in the quote or settle currency. `session` makes the ids of this life of the account other than
        those of every other.
        """
        self._prefix = f"PAPER-{account}-{session}-" if session else f"PAPER-{account}-"
        self._market_type = market_type
        self._ledger = Ledger(account, balances, fees, leverage)
        self._latency_ms = latency_ms
        self._markets: dict[str, PaperMarket] = {}
        self._line: deque[tuple[int, Callable[[], None]]] = deque()  # what is on its way, and when it is due
        self._kept = KeptOrders()
        self._orders = self._trades = 0
        self._now_ms = 0
        self._told: list[PaperEvent] = []
        self._touched: dict[str, Instrument] = {}

    def restore(self, orders: Iterable[Resting], positions: Iterable[Standing], now_ms: int) -> None:
        """Go on where a former life of the account ended: before anything else, and before any market is shown.

        What rests has lost its place in the queue: it stands behind all that is displayed.
        """
        self._now_ms = now_ms
        for standing in positions:
            self._ledger.restore(standing)
        for resting in orders:
            order = resting.order()
            order.join(None, now_ms, None)
            self._kept.add(order)
            self._market(order.new.instrument).resting.append(order)

    # what the account asks

    def place(self, new: NewOrder, now_ms: int) -> list[PaperEvent]:
        """Send an order on its way.

        Raises InvalidOrder for what no exchange takes, and DuplicateOrder; other refusals come as updates.
        """
        check(new, self._market_type)
        self._kept.check_new(new.client_order_id)
        self._orders += 1
        order = PaperOrder(new=new, exchange_order_id=f"{self._prefix}{self._orders}")
        self._kept.add(order)
        self._line.append((now_ms + self._latency_ms, lambda: self._arrive(order)))
        return self.advance(now_ms)

    def cancel(self, ref: OrderRef, now_ms: int) -> list[PaperEvent]:
        """Send a cancel on its way; one that comes too late does nothing. Raises UnknownOrder or OrderIsFinal."""
        order = self._kept.find(ref)
        if order.is_final:
            raise OrderIsFinal(f"it is {order.status}")
        self._line.append((now_ms + self._latency_ms, lambda: self._end(order, "cancelled by us")))
        return self.advance(now_ms)

    def order(self, ref: OrderRef) -> OrderUpdate:
        """As it stands. Raise UnknownOrder for one that never was, or was final long ago."""
        with localcontext(EXACT):
            return self._kept.find(ref).update(self._now_ms)

    def refusal(self, ref: OrderRef) -> Refused | None:
        """Why the order is REJECTED; None if it is not. Raise UnknownOrder."""
        return self._kept.find(ref).refusal

    def open_orders(self) -> list[OrderUpdate]:
        with localcontext(EXACT):
            orders = self._kept.working.values()
            return [order.update(self._now_ms) for order in orders if order.status is not OrderStatus.PENDING]

    def balances(self) -> Balances:
        with localcontext(EXACT):
            working = self._holding()
            rows = [self._ledger.balance(asset, working) for asset in self._ledger.assets()]
            return Balances(rows=rows, whole=True, exchange_ms=self._now_ms)

    def positions(self) -> Positions:
        with localcontext(EXACT):
            return Positions(rows=self._ledger.positions(), whole=True, exchange_ms=self._now_ms)

    # what the market does

    def advance(self, now_ms: int) -> list[PaperEvent]:
        """What is due by now reaches the market as it stands."""
        with localcontext(EXACT):
            while self._line and self._line[0][0] <= now_ms:
                due_ms, act = self._line.popleft()
                self._now_ms = max(self._now_ms, due_ms)
                act()
            self._now_ms = max(self._now_ms, now_ms)
            return self._take_told()

    def show_book(
        self, instrument: Instrument, bids: Levels, asks: Levels, *, whole: bool, exchange_ms: int | None, now_ms: int
    ) -> list[PaperEvent]:
        """A live book has changed: levels best first, in base currency. `whole`: there are no others."""
        events = self.advance(now_ms)
        with localcontext(EXACT):
            market = self._market(instrument)
            market.show(bids, asks, whole=whole, exchange_ms=exchange_ms, now_ms=self._now_ms)
            return events + self._take_told()

    def hide_book(self, instrument: Instrument, now_ms: int) -> list[PaperEvent]:
        """The book is no longer live: orders that arrive are refused until it is shown again."""
        events = self.advance(now_ms)
        self._market(instrument).depth.hide()
        return events

    def show_trade(self, instrument: Instrument, trade: PublicTrade, now_ms: int) -> list[PaperEvent]:
        """Somebody traded; the amount is in base currency."""
        events = self.advance(now_ms)
        with localcontext(EXACT):
            self._market(instrument).print(trade, self._now_ms)
            return events + self._take_told()

    # the life of an order

    def _arrive(self, order: PaperOrder) -> None:
        market = self._market(order.new.instrument)
        try:
            self._admit(order, market)
        except Refused as refusal:
            order.status, order.text = OrderStatus.REJECTED, f"{type(refusal).__name__}: {refusal}"
            order.refusal = refusal
            self._tell(order)
            return
        order.status = OrderStatus.OPEN
        self._tell(order)
        self._touched[order.new.instrument.symbol] = order.new.instrument
        rests = market.match(order, self._now_ms)
        if not rests and not order.is_final:
            self._end(order, "nothing more to take")

    def _admit(self, order: PaperOrder, market: PaperMarket) -> None:
        if order.new.expires_ms < self._now_ms:
            raise RequestExpired(f"it came {self._now_ms - order.new.expires_ms} ms too late")
        if not market.depth.live:
            raise UnknownSymbol("the book is not live")
        market.check(order)
        if order.only_reduces and not self._ledger.closable(order):
            raise InvalidOrder("reduce-only, and there is nothing to reduce")
        (value, amount), working = market.cost(order), self._holding()
        asset, needed = self._ledger.needs(order, value, amount, self._ledger.unclaimed(order, working))
        free = self._ledger.free(asset, working)
        if needed > free:
            raise InsufficientFunds(f"it takes {plain(needed)} {asset}, {plain(free)} is free")

    def _execute(self, order: PaperOrder, price: Decimal, amount: Decimal, is_maker: bool) -> Decimal:
        if order.only_reduces:
            amount = min(amount, self._ledger.closable(order))
        if amount > 0:
            self._book(order, price, amount, is_maker)
        if order.only_reduces and not order.is_final and not self._ledger.closable(order):
            order.status, order.text = OrderStatus.CANCELLED, "reduce-only, and there is nothing left to reduce"
            self._tell(order)
        return amount

    def _book(self, order: PaperOrder, price: Decimal, amount: Decimal, is_maker: bool) -> None:
        instrument = order.new.instrument
        self._trades += 1
        trade_id = f"{self._prefix}T{self._trades}"
        fee = self._ledger.fee(price, amount, is_maker=is_maker)
        order.fill(price, amount)
        done = Execution(order=order, trade_id=trade_id, price=price, amount=amount, fee=fee, at_ms=self._now_ms)
        entries = self._ledger.book(done)
        self._told += [done.fill(is_maker=is_maker), *entries]
        self._touched[instrument.symbol] = instrument
        self._tell(order)

    def _end(self, order: PaperOrder, text: str) -> None:
        """Take it from the market, if it is still there."""
        if order.is_final:
            return
        market = self._market(order.new.instrument)
        if order in market.resting:
            market.drop(order)
        self._touched[order.new.instrument.symbol] = order.new.instrument
        order.status, order.text = (OrderStatus.FILLED, "") if order.spent else (OrderStatus.CANCELLED, text)
        self._tell(order)

    # telling

    def _tell(self, order: PaperOrder) -> None:
        self._told.append(order.update(self._now_ms))
        if order.is_final:
            self._kept.end(order)

    def _take_told(self) -> list[PaperEvent]:
        """Everything since the last time, then the wallets and positions that it changed."""
        told, touched = self._told, self._touched
        self._told, self._touched = [], {}
        working = self._holding()
        for instrument in touched.values():
            told += self._ledger.changed(instrument, working, self._now_ms)
        return told

    def _holding(self) -> list[PaperOrder]:
        """Orders that hold funds."""
        return [order for market in self._markets.values() for order in market.resting if not order.is_final]

    def _market(self, instrument: Instrument) -> PaperMarket:
        if instrument.symbol not in self._markets:
            self._markets[instrument.symbol] = PaperMarket(instrument, self._execute)
        return self._markets[instrument.symbol]
