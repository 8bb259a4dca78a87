"""The top of a real book as paper orders see it: displayed volume is taken once."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import TypeAlias

from apps.feeds.market import Levels, Side

Row: TypeAlias = tuple[Decimal, Decimal]  # price, amount in base currency

OTHER = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}


def at_least_as_good(side: Side, price: Decimal, limit: Decimal) -> bool:
    """For who is on `side`: a buyer pays no more than the limit, a seller gets no less."""
    return price <= limit if side is Side.BUY else price >= limit


class Depth:
    """Both sides, best first; Side.BUY names the bids. What paper orders took stays taken while it is displayed."""

    def __init__(self, grain: Decimal) -> None:
        """`grain` is the smallest amount in base currency; displayed amounts are rounded down to it."""
        self._grain = grain
        self._raw: dict[Side, Levels] = {Side.BUY: [], Side.SELL: []}
        self._rows: dict[Side, list[Row] | None] = {Side.BUY: [], Side.SELL: []}  # None: not made yet
        self._taken: dict[Side, dict[Decimal, Decimal]] = {Side.BUY: {}, Side.SELL: {}}
        self._whole = False
        self.live = False

    def show(self, bids: Levels, asks: Levels, *, whole: bool) -> None:
        """The book as it is now. `whole`: levels that are not among these do not exist."""
        self._raw = {Side.BUY: bids, Side.SELL: asks}
        self._rows = {Side.BUY: None, Side.SELL: None}
        self._whole = whole
        self.live = True
        for side, taken in self._taken.items():
            if taken:
                self._taken[side] = {
                    price: min(amount, self.displayed(side, price))
                    for price, amount in taken.items()
                    if self.displayed(side, price) > 0 or not self.sees(side, price)
                }

    def hide(self) -> None:
        """The book is not to be trusted: nothing is displayed until it is shown again."""
        self.live = False

    def rows(self, side: Side) -> Sequence[Row]:
        rows = self._rows[side]
        if rows is None:
            rows = self._rows[side] = [(exact(price), self.floor(exact(amount))) for price, amount in self._raw[side]]
        return rows

    def displayed(self, side: Side, price: Decimal) -> Decimal:
        return next((amount for at, amount in self.rows(side) if at == price), Decimal(0))

    def sees(self, side: Side, price: Decimal) -> bool:
        """Whether a level of that price would be displayed."""
        rows = self.rows(side)
        return self._whole or (bool(rows) and at_least_as_good(OTHER[side], price, rows[-1][0]))

    def crosses(self, side: Side, limit: Decimal) -> bool:
        """Whether an order of that side and limit would trade at once."""
        rows = self.rows(OTHER[side])
        return bool(rows) and at_least_as_good(side, rows[0][0], limit)

    def offers(self, side: Side, limit: Decimal | None) -> Iterator[Row]:
        """What an order of that side can take, best first, no worse than its limit."""
        taken = self._taken[OTHER[side]]
        for price, amount in self.rows(OTHER[side]):
            if limit is not None and not at_least_as_good(side, price, limit):
                return
            if (left := amount - taken.get(price, Decimal(0))) > 0:
                yield price, left

    def take(self, side: Side, price: Decimal, amount: Decimal) -> None:
        """An order of that side took this of what was offered."""
        taken = self._taken[OTHER[side]]
        taken[price] = taken.get(price, Decimal(0)) + amount

    def floor(self, amount: Decimal) -> Decimal:
        return (amount / self._grain).to_integral_value(ROUND_FLOOR) * self._grain


def exact(number: float) -> Decimal:
    """The shortest decimal that parses to this float: what the exchange wrote."""
    return Decimal(repr(number))
