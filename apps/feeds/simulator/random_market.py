"""A seeded market that moves by itself."""

import math
import random
from typing import Literal

from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Side, Trade, Write

MAX_LEVELS = 1000  # the deepest REST book of Binance futures: the full book can be asked for
MIN_LEVELS = 400
TYPICAL_ORDER = 2500.0  # money in quote at the median level
TRADE_CHANCE = 0.2  # of a step that no price move forces to trade
MOST_TRADES = 3  # of one step
MOST_PULLED = 30  # levels that a sudden move takes away
FEWEST_LEVELS = 20  # a side is never emptied
CHANGES = 4.0  # mean number of levels touched by a step, beyond the first


class PriceWalk:
    """The price that a coin has everywhere: a random walk that is pulled back to where it began."""

    VOLATILITY = 6e-5  # of the logarithm, per square root of a second
    PULL_S = 1800.0

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._at: float | None = None
        self._log = 0.0

    def factor(self, now: float) -> float:
        """The price at `now` (seconds of any steady clock) as a multiple of the first."""
        elapsed = 0.0 if self._at is None else min(now - self._at, 60.0)
        self._at = now
        if elapsed > 0:
            drift = -self._log * elapsed / self.PULL_S
            self._log += drift + self._rng.gauss(0.0, self.VOLATILITY * math.sqrt(elapsed))
        return math.exp(self._log)


class RandomMarket(Market):
    """Moves with its coin's price; never crossed, ticks and lots respected.

    Orders of accounts stand in its book as everybody's: its takers trade with them, its makers only move
    anonymous volume.
    """

    takes_orders = True

    def __init__(self, listing: Listing, *, rng: random.Random, write: Write, walk: PriceWalk, id_jump: int) -> None:
        """`id_jump`: update ids grow by 1 where it is 1, else by 3 to `id_jump` at a time."""
        super().__init__(listing, rng=rng, write=write, seq=rng.randrange(10**9, 10**11))
        self._id_jump = id_jump
        self._walk = walk
        self._basis = 1.0 + rng.gauss(0.0, 1e-4)
        self.trade_number = rng.randrange(10**7, 10**9)
        self._start = listing.start_price / float(listing.price.step)  # ticks
        self._median = TYPICAL_ORDER / listing.lot_value
        self._gap = max(1.0, self._start * 0.01 / MAX_LEVELS)  # mean ticks between levels: the book spans about 1 %
        self._levels = max(40, min(rng.randint(MIN_LEVELS, MAX_LEVELS - 20), int(self._start / 3)))
        self._fill()

    def step(self, now: float, ms: int) -> list[Trade]:
        """A few levels change; when the price has moved past the touch, or by chance, a taker trades first."""
        target = self._start * self._basis * self._walk.factor(now)
        done: list[Trade] = []
        if target > self.asks.keys[0]:
            done = self._take(self.asks, math.ceil(target), ms)
        elif target < -self.bids.keys[0]:
            done = self._take(self.bids, -math.floor(target), ms)
        elif self.rng.random() < TRADE_CHANCE:
            side = self.asks if self.rng.random() < 0.5 else self.bids
            done = self._take(side, side.keys[0], ms)
        for _ in range(1 + int(self.rng.expovariate(1 / CHANGES))):
            self._quote()
        self._follow(self.bids, self.asks, target)
        self._follow(self.asks, self.bids, target)
        self.trades.extend(done)
        return done

    def touch(self) -> None:
        """Number a change of accounts; makers come back to a side that was eaten up."""
        self._number()
        for side, other in ((self.bids, self.asks), (self.asks, self.bids)):
            while len(side.keys) < FEWEST_LEVELS:
                behind = side.keys[-1] if side.keys else max(round(side.sign * self._start), -other.keys[0])
                self._change(side, behind + self._spacing(), self._lots())

    def _change(self, side: Side, key: int, size: int) -> None:
        """Set the anonymous volume of a level."""
        if self.queues is not None:
            size = self.queues.anonymous(side, key, size)
        self.put(side, key, size)
        self.seq += 1 if self._id_jump == 1 else self.rng.randint(3, self._id_jump)  # not by a call: the hot path

    def _number(self) -> None:
        self.seq += 1 if self._id_jump == 1 else self.rng.randint(3, self._id_jump)

    def _fill(self) -> None:
        middle = round(self._start * self._basis)
        for side in (self.bids, self.asks):
            key = side.sign * middle
            for _ in range(self._levels):
                key += self._spacing()
                side.keys.append(key)
                side.sizes[key] = self._lots()

    def _spacing(self) -> int:
        return 1 + int(self.rng.expovariate(1.0) * (self._gap - 1))

    def _lots(self) -> int:
        return max(1, round(self._median * math.exp(self.rng.gauss(0.0, 1.2))))

    def _take(self, side: Side, limit: int, ms: int) -> list[Trade]:
        """A taker eats up to three levels before the key `limit`, the last in part; makers pull the rest of them."""
        done: list[Trade] = []
        for key in side.keys[:MOST_PULLED]:
            if key > limit or len(side.keys) <= FEWEST_LEVELS:
                break
            resting = side.sizes.get(key, 0)
            if not resting:
                continue  # an order that ended because of the match before
            if len(done) >= MOST_TRADES:
                self._change(side, key, 0)
                continue
            eaten = resting if key < limit else max(1, int(resting * self.rng.random()))
            taker: Literal["buy", "sell"] = "buy" if side is self.asks else "sell"
            if self.queues is not None and self.queues.has_queue(side, key):
                matches = self.queues.eat(side, key, eaten)
                self._number()
                done += self.settle(matches, taker, ms)
                continue
            self._change(side, key, resting - eaten)
            self.trade_number += 1
            done.append(Trade(self.trade_number, taker, side.sign * key, eaten, ms, self.seq))
        return done

    def _last(self, side: Side) -> int:
        """The worst level, of those where no account has an order."""
        if self.queues is None:
            return side.keys[-1]
        return next(key for key in reversed(side.keys) if not self.queues.has_queue(side, key))

    def _quote(self) -> None:
        """A maker changes, cancels or places one level, most often near the touch."""
        rng = self.rng
        side = self.bids if rng.random() < 0.5 else self.asks
        kind = rng.random()
        key = side.keys[min(int(rng.expovariate(1 / 10)), len(side.keys) - 1)]
        if kind < 0.6:
            self._change(side, key, self._lots())
        elif kind < 0.8 and len(side.keys) > self._levels - 10:
            self._change(side, key, 0)
        else:
            self._change(side, side.keys[0] + int(rng.expovariate(1 / (3 * self._gap))), self._lots())

    def _follow(self, side: Side, other: Side, target: float) -> None:
        """Makers come up to the fair price, never across the other side; the number of levels stays what it was."""
        rng = self.rng
        front = max(math.ceil(side.sign * target), 1 - other.keys[0])
        if side.keys[0] - front > 1 and rng.random() < 0.7:
            self._change(side, min(front + int(rng.expovariate(0.7)), side.keys[0]), self._lots())
        missing = self._levels - len(side.keys)
        if self.queues is not None:
            missing += self.queues.queued(side)
        if missing < -10:
            self._change(side, self._last(side), 0)
        for _ in range(min(missing, 3)):
            key = front + int(self._levels * self._gap * rng.random() ** 2)
            if key not in side.sizes and side.sign * key > 0:
                self._change(side, key, self._lots())
