"""One instrument of a paper account: orders meet the real book and the real tape, and never do better than those.

An order takes what is displayed, at the displayed prices. What rests fills only

* by trades at its price, after what was ahead of it in the queue has traded;
* by trades at worse prices: they would have met it first;
* when the other side of the book comes to its price or beyond.
"""

from collections.abc import Callable
from decimal import Decimal

from apps.feeds.errors import WouldTake
from apps.feeds.market import Instrument, Levels, PublicTrade, Side
from apps.feeds.orders import OrderType, TimeInForce
from apps.trading.paper.depth import OTHER, Depth, at_least_as_good, exact
from apps.trading.paper.order import PaperOrder

Execute = Callable[[PaperOrder, Decimal, Decimal, bool], Decimal]  # order, price, amount, is_maker -> what was done


class PaperMarket:
    """`execute` books an execution, or less of it where the account may not trade as much."""

    def __init__(self, instrument: Instrument, execute: Execute) -> None:
        self.instrument = instrument
        self.depth = Depth(instrument.lot * instrument.contract_size)
        self.resting: list[PaperOrder] = []  # in order of arrival
        self._execute = execute
        self._tape_ms: int | None = None  # the exchange's time of the book

    def check(self, order: PaperOrder) -> None:
        """Raise WouldTake for an order that may not take, and would."""
        if order.new.tif is TimeInForce.POST_ONLY and self.depth.crosses(order.side, order.limit):
            raise WouldTake("post-only, and it would have traded at once")

    def match(self, order: PaperOrder, now_ms: int) -> bool:
        """Let an order take what it may; True when the rest of it rests."""
        limit = order.new.price
        self._take(order, limit, is_maker=False)
        if order.is_final or limit is None or order.new.tif is TimeInForce.IOC:
            return False
        seen = self.depth.displayed(order.side, limit) if self.depth.sees(order.side, limit) else None
        order.join(seen, now_ms, self._tape_ms)
        self.resting.append(order)
        return True

    def cost(self, order: PaperOrder) -> tuple[Decimal, Decimal]:
        """Value and amount of what it asks for: a limit order's at its limit, a market order's by the book."""
        if order.new.type is OrderType.LIMIT:
            return order.limit * order.remaining, order.remaining
        value, amount = Decimal(0), Decimal(0)
        for price, available in self.depth.offers(order.side, None):
            if order.new.quote_amount is not None:
                return order.new.quote_amount, order.wanted(price)
            part = min(available, order.remaining - amount)
            value, amount = value + part * price, amount + part
        return value, amount

    def show(self, bids: Levels, asks: Levels, *, whole: bool, exchange_ms: int | None, now_ms: int) -> None:
        """The real book has changed."""
        self.depth.show(bids, asks, whole=whole)
        self._tape_ms = None if exchange_ms is None else max(exchange_ms, self._tape_ms or 0)
        for order in sorted(self.resting, key=_priority):
            limit = order.limit
            if self.depth.crosses(order.side, limit):
                self._take(order, limit, is_maker=True)
            if self.depth.sees(order.side, limit):
                order.see_level(self.depth.displayed(order.side, limit), now_ms)
        self._forget_final()

    def print(self, trade: PublicTrade, now_ms: int) -> None:
        """The real market has traded: the taker met what rested on the other side, best price and oldest first."""
        if trade.side not in OTHER:
            return  # it may have met either side
        if self._tape_ms is not None:
            self._tape_ms = max(self._tape_ms, trade.exchange_ms)
        price, left, side = exact(trade.price), exact(trade.amount), OTHER[trade.side]
        met = [
            order
            for order in self.resting
            if order.side is side
            and at_least_as_good(side, price, order.limit)
            and order.hears(trade.exchange_ms, now_ms)
        ]
        for order in sorted(met, key=_priority):
            mine = order.see_trade(left, now_ms) if order.limit == price else left
            amount = min(self.depth.floor(mine), order.remaining)
            if amount > 0:
                left -= self._execute(order, order.limit, amount, True)
        self._forget_final()

    def drop(self, order: PaperOrder) -> None:
        self.resting.remove(order)

    def _take(self, order: PaperOrder, limit: Decimal | None, *, is_maker: bool) -> None:
        """A resting order is met at its own price, whatever the other side would have given."""
        for price, available in list(self.depth.offers(order.side, limit)):
            at = order.limit if is_maker else price
            if (amount := min(available, order.wanted(at))) > 0:
                self.depth.take(order.side, price, self._execute(order, at, amount, is_maker))
            if order.is_final:
                return
            if order.wanted(at) <= 0:
                order.spent = order.filled > 0
                return

    def _forget_final(self) -> None:
        self.resting = [order for order in self.resting if not order.is_final]


def _priority(order: PaperOrder) -> Decimal:
    """Of one side: the better price first; sorting keeps the older first."""
    return -order.limit if order.side is Side.BUY else order.limit
