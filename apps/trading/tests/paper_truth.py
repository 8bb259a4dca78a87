"""A real exchange that knows every order of one level, and what our bid there would truly have been filled with.

Others' orders at the price are a queue; sellers meet it from its head and find as much as they want below. The feed
shows what an exchange shows: the sum of the level, and trades that may be told a while after the book has changed.
"""

from dataclasses import dataclass, field

from apps.feeds.market import PublicTrade, Side
from apps.trading.tests.paper import trade

PRICE, BELOW, ABOVE = 100, 99, 103


@dataclass
class TrueLevel:
    wanted: int  # of our order
    queue: list[int] = field(default_factory=list)  # others, the oldest first
    ahead: int = 0  # how many orders of the queue are older than ours
    placed: bool = False
    filled: int = 0  # of our order, had it been there
    offered: int = 0  # sellers' rest at our price, when nobody else buys there

    def place(self) -> None:
        self.placed, self.ahead = True, len(self.queue)

    def join(self, amount: int, at_ms: int) -> list[PublicTrade]:
        if not self.offered:
            self.queue.append(amount)
        return []

    def leave(self, which: int, at_ms: int) -> list[PublicTrade]:
        if self.queue:
            place = which % len(self.queue)
            del self.queue[place]
            self.ahead -= place < self.ahead
        return []

    def sell(self, amount: int, at_ms: int) -> list[PublicTrade]:
        """By a market order: what is left of it trades below."""
        left = self._meet(amount)
        rows = [(PRICE, amount - left), (BELOW, left)]
        return [trade(Side.SELL, price, float(part), at_ms) for price, part in rows if part]

    def offer(self, amount: int, at_ms: int) -> list[PublicTrade]:
        """By a limit order at our price: what is left of it rests there."""
        left = self._meet(amount)
        self.offered += left
        return [trade(Side.SELL, PRICE, float(amount - left), at_ms)] if amount > left else []

    def lift(self, amount: int, at_ms: int) -> list[PublicTrade]:
        """A buyer takes what sellers rest at our price."""
        part = min(amount, self.offered)
        self.offered -= part
        return [trade(Side.BUY, PRICE, float(part), at_ms)] if part else []

    def _meet(self, amount: int) -> int:
        """Let sellers meet the level; return what the others there leave of them."""
        if self.placed:
            passed = amount - sum(self.queue[: self.ahead])
            self.filled = min(self.wanted, self.filled + max(0, passed))
        while amount and self.queue:
            part = min(amount, self.queue[0])
            amount -= part
            self.queue[0] -= part
            if not self.queue[0]:
                self.queue.pop(0)
                self.ahead = max(0, self.ahead - 1)
        return amount

    @property
    def bids(self) -> list[tuple[int, int]]:
        return [*([(PRICE, sum(self.queue))] if self.queue else []), (BELOW, 1_000)]

    @property
    def asks(self) -> list[tuple[int, int]]:
        return [*([(PRICE, self.offered)] if self.offered else []), (ABOVE, 1_000)]
