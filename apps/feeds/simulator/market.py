"""A market: a book of price levels, and the trades that hit it. What moves it is told by its kind."""

import random
from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Literal

from apps.feeds.simulator.listings import Listing

if TYPE_CHECKING:
    from apps.feeds.simulator.trading.floor import Floor
    from apps.feeds.simulator.trading.matching import Match, MatchBook

Row = tuple[str | float | Decimal, ...]
Write = Callable[[int, int], Row]  # a level as the exchange writes it, from price in ticks and size in lots
MAX_ROWS = 4000  # written levels that a side remembers


@dataclass(frozen=True, slots=True)
class Trade:
    """One match. `price` in ticks, `size` in lots."""

    number: int
    side: Literal["buy", "sell"]  # of the taker
    price: int
    size: int
    ms: int
    seq: int


class Side:
    """The levels of one side, best first.

    A level's key grows away from the touch: the price of an ask, the negative price of a bid.
    """

    __slots__ = ("_rows", "keys", "sign", "sizes", "write")

    def __init__(self, sign: int, write: Write) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.sizes: dict[int, int] = {}
        self.write = write
        self._rows: dict[int, Row] = {}

    def put(self, key: int, size: int) -> None:
        """Set a level; size 0 removes it."""
        self._rows.pop(key, None)
        if size > 0:
            if key not in self.sizes:
                insort(self.keys, key)
            self.sizes[key] = size
        elif self.sizes.pop(key, None) is not None:
            del self.keys[bisect_left(self.keys, key)]

    def row(self, key: int) -> Row:
        """The level as the exchange writes it; size zero when it is gone."""
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = self.write(self.sign * key, self.sizes.get(key, 0))
            if len(self._rows) > MAX_ROWS:
                self._rows.clear()
        return row

    def gone(self, key: int) -> Row:
        """The level with size zero, whether it still rests in the book or not."""
        return self.write(self.sign * key, 0)

    def top(self, count: int) -> list[Row]:
        rows = self._rows
        return [rows.get(key) or self.row(key) for key in self.keys[:count]]


class Market(ABC):
    """The one truth of a symbol: all its channels and REST answers are views of it."""

    takes_orders: ClassVar[bool] = False  # of accounts

    def __init__(self, listing: Listing, *, rng: random.Random, write: Write, seq: int) -> None:
        self.listing = listing
        self.rng = rng
        self.bids = Side(-1, write)
        self.asks = Side(1, write)
        self.seq = seq
        self.trades: deque[Trade] = deque(maxlen=1000)
        self.watchers: list[tuple[set[int], set[int]]] = []  # touched keys since a channel last spoke: bids, asks
        self.ended = False  # a recording has come to its end
        self.trade_number = 0  # of the last trade
        self.queues: MatchBook | None = None  # from the first order of an account on
        self.floor: Floor | None = None  # books the matches of their orders

    @abstractmethod
    def step(self, now: float, ms: int) -> list[Trade]:
        """Let the market move once, at `now` of a steady clock. Returns the trades, oldest first."""

    def rewind(self) -> None:
        """Begin again after the end."""
        self.ended = False

    def touch(self) -> None:
        """Accounts have changed the book."""
        self.seq += 1

    def settle(self, matches: "list[Match]", taker: Literal["buy", "sell"], ms: int) -> list[Trade]:
        """Make trades of matches, in their order; orders of accounts that rested are filled."""
        trades = []
        for match in matches:
            self.trade_number += 1
            trade = Trade(self.trade_number, taker, match.price, match.size, ms, self.seq)
            trades.append(trade)
            if match.maker is not None and self.floor is not None:
                self.floor.fill_maker(match.maker, trade)
        if self.floor is not None:
            self.floor.clear_up(self)
        return trades

    def put(self, side: Side, key: int, size: int) -> None:
        """Set one level and let every channel know."""
        side.put(key, size)
        index = 0 if side is self.bids else 1
        for watcher in self.watchers:
            watcher[index].add(key)
