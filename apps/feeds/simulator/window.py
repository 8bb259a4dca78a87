"""Which changes a client has to be told: of the whole book, or of the best N levels of a side."""

import math
from bisect import bisect_right

from apps.feeds.simulator.market import Market, Row, Side


class Changes:
    """Keys touched since the last message of one channel."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.touched: tuple[set[int], set[int]] = (set(), set())

    def __bool__(self) -> bool:
        return bool(self.touched[0] or self.touched[1])

    def attach(self) -> None:
        self.clear()
        self.market.watchers.append(self.touched)

    def detach(self) -> None:
        self.market.watchers = [watcher for watcher in self.market.watchers if watcher is not self.touched]

    def clear(self) -> None:
        self.touched[0].clear()
        self.touched[1].clear()

    def rows(self) -> tuple[list[Row], list[Row]]:
        """All touched levels, bids then asks, best first; those gone have size zero. Forgets them."""
        bids, asks = (
            [side.row(key) for key in sorted(keys)]
            for side, keys in zip((self.market.bids, self.market.asks), self.touched, strict=True)
        )
        self.clear()
        return bids, asks


class Window(Changes):
    """The best `depth` levels of each side, as every client of one channel holds them."""

    def __init__(self, market: Market, depth: int) -> None:
        super().__init__(market)
        self.depth = depth
        self._bounds: list[float] = [math.inf, math.inf]  # key of the worst level told; inf: all were told

    def snapshot(self) -> tuple[list[Row], list[Row]]:
        """The whole window, bids then asks. What comes next continues it."""
        sides = (self.market.bids, self.market.asks)
        self.clear()
        self._bounds = [self._bound(side) for side in sides]
        return sides[0].top(self.depth), sides[1].top(self.depth)

    def rows(self) -> tuple[list[Row], list[Row]]:
        """Changes inside the window, levels that came into it, and size zero for those that left it."""
        return self._changed(0, self.market.bids), self._changed(1, self.market.asks)

    def _bound(self, side: Side) -> float:
        return side.keys[self.depth - 1] if len(side.keys) >= self.depth else math.inf

    def _changed(self, index: int, side: Side) -> list[Row]:
        touched, old, new = self.touched[index], self._bounds[index], self._bound(side)
        left: set[int] = set()
        told: set[int] = set()
        for key in touched:
            if key in side.sizes and key <= new:
                told.add(key)
            elif key <= old:
                left.add(key)
        if new > old:
            told.update(side.keys[bisect_right(side.keys, old) : self.depth])
        elif new < old:
            left.update(side.keys[self.depth : bisect_right(side.keys, old)])
        touched.clear()
        self._bounds[index] = new
        return [side.row(key) if key in told else side.gone(key) for key in sorted(told | left)]
