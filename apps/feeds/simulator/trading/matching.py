"""Price-time priority in one market, between the orders of accounts and the market's own anonymous volume.

Prices are in ticks, sizes in lots. The sides are those that the channels show: their sizes count everybody's volume.
A level has a queue only while an order of an account rests in it; all other levels are anonymous as a whole, so a
market without such orders pays nothing. Anonymous volume that was there first is ahead; what is added later stands
behind, and what is cancelled leaves from behind.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from apps.feeds.simulator.market import Side

SelfTrade = Literal["", "taker", "maker", "both"]  # who gives way when an account meets itself; "": they trade
Put = Callable[[Side, int, int], None]


@dataclass(slots=True, eq=False)
class Resting:
    """A place in a level's queue; `account` None: anonymous volume."""

    side: Side
    key: int
    left: int
    account: object = None
    order: Any = None


class Match(NamedTuple):
    maker: Resting | None  # None: anonymous
    price: int
    size: int


@dataclass(slots=True)
class Taken:
    """What a taker did; `left` lots found nobody."""

    left: int
    matches: list[Match] = field(default_factory=list)
    pulled: list[Resting] = field(default_factory=list)  # makers that gave way to their own account
    stopped: bool = False  # the taker gave way


class MatchBook:
    def __init__(self, bids: Side, asks: Side, put: Put) -> None:
        """`put(side, key, size)` sets a level of the shown book."""
        self.bids = bids
        self.asks = asks
        self._put = put
        self._queues: dict[int, dict[int, deque[Resting]]] = {bids.sign: {}, asks.sign: {}}

    def __bool__(self) -> bool:
        """Whether any account has an order here."""
        return any(self._queues.values())

    def queued(self, side: Side) -> int:
        """Levels of a side that hold orders of accounts."""
        return len(self._queues[side.sign])

    def has_queue(self, side: Side, key: int) -> bool:
        return key in self._queues[side.sign]

    def take(
        self,
        side: Side,
        size: int,
        *,
        limit: int | None = None,
        account: object = None,
        self_trade: SelfTrade = "",
    ) -> Taken:
        """Trade with what rests on `side`, best first, up to the key `limit`."""
        taken = Taken(size)
        while taken.left and side.keys and not taken.stopped:
            key = side.keys[0]
            if limit is not None and key > limit:
                break
            self._eat(side, key, taken, account, self_trade)
        return taken

    def eat(self, side: Side, key: int, size: int) -> list[Match]:
        """Let an anonymous taker trade at one level."""
        taken = Taken(size)
        self._eat(side, key, taken, None, "")
        return taken.matches

    def rest(self, resting: Resting) -> None:
        """Put an order at the end of its level's queue; it must have taken before, so that it crosses nothing."""
        side, key = resting.side, resting.key
        queue = self._queues[side.sign].get(key)
        there = side.sizes.get(key, 0)
        if queue is None:
            queue = self._queues[side.sign][key] = deque()
            if there:
                queue.append(Resting(side, key, there))
        queue.append(resting)
        self._put(side, key, there + resting.left)

    def cancel(self, resting: Resting) -> None:
        side, key = resting.side, resting.key
        queue = self._queues[side.sign][key]
        queue.remove(resting)
        self._settle(side, key, queue, side.sizes[key] - resting.left)

    def anonymous(self, side: Side, key: int, size: int) -> int:
        """Set the anonymous volume of a level; returns what the level then holds in all, for the caller to show."""
        queue = self._queues[side.sign].get(key)
        if queue is None:
            return size
        have = sum(place.left for place in queue if place.account is None)
        if size > have:
            queue.append(Resting(side, key, size - have))
        elif size < have:
            _cut(queue, have - size)
        return sum(place.left for place in queue)

    def ahead(self, resting: Resting) -> int:
        """Lots that trade before the order does."""
        side = resting.side
        better = sum(side.sizes[key] for key in side.keys if key < resting.key)
        for place in self._queues[side.sign][resting.key]:
            if place is resting:
                break
            better += place.left
        return better

    def _eat(self, side: Side, key: int, taken: Taken, account: object, self_trade: SelfTrade) -> None:
        queue = self._queues[side.sign].get(key)
        there = side.sizes[key]
        if queue is None:
            size = min(taken.left, there)
            taken.left -= size
            taken.matches.append(Match(None, side.sign * key, size))
            self._put(side, key, there - size)
            return
        while queue and taken.left and not taken.stopped:
            first = queue[0]
            if self_trade and account is not None and first.account is account:
                there -= _give_way(queue, taken, self_trade)
                continue
            size = min(taken.left, first.left)
            first.left -= size
            taken.left -= size
            there -= size
            taken.matches.append(Match(None if first.account is None else first, side.sign * key, size))
            if not first.left:
                queue.popleft()
        self._settle(side, key, queue, there)

    def _settle(self, side: Side, key: int, queue: deque[Resting], size: int) -> None:
        """Show the level; it needs no queue once it is anonymous again."""
        if all(place.account is None for place in queue):
            del self._queues[side.sign][key]
        self._put(side, key, size)


def _give_way(queue: deque[Resting], taken: Taken, self_trade: SelfTrade) -> int:
    """Part an account from itself at the head of the queue; returns the lots that left the level."""
    taken.stopped = self_trade != "maker"
    if self_trade == "taker":
        return 0
    pulled = queue.popleft()
    taken.pulled.append(pulled)
    return pulled.left


def _cut(queue: deque[Resting], size: int) -> None:
    """Take anonymous volume away from behind."""
    for place in reversed(list(queue)):
        if place.account is not None or not size:
            continue
        part = min(size, place.left)
        place.left -= part
        size -= part
        if not place.left:
            queue.remove(place)
