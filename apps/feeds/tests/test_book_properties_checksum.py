"""A book that only checksums prove, against an exchange that tells the best levels of a plain book.

Whatever a connection loses, repeats, reorders or cuts off: what is served is the exchange's view at the last push.
"""

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.feeds.book.builder import BookBuilder, Dropped, NeedSnapshot
from apps.feeds.book.checksum import SideAfterSide
from apps.feeds.book.continuity import ChecksumOnly
from apps.feeds.market import BookDelta, BookSnapshot, Levels
from tests.sizes import examples

STEPS, BYTES_PER_STEP = 40, 6

Event = TypeVar("Event", BookDelta, BookSnapshot)
Texts = list[tuple[str, str]]
View = tuple[Texts, Texts]


def numbers(levels: Texts) -> Levels:
    return [(float(price), float(amount)) for price, amount in levels]


class Exchange:
    """Tells the changes between two views of its best levels, not of those that were pushed off the far end."""

    def __init__(self, levels: int, chance: Iterator[int]) -> None:
        self.levels, self.chance = levels, chance
        self.sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.told = self.view()

    def view(self) -> View:
        bids, asks = ([(str(price), str(side[price])) for price in sorted(side)] for side in self.sides)
        return bids[::-1][: self.levels], asks[: self.levels]

    def change(self) -> None:
        for _ in range(1 + next(self.chance) % 3):
            where, amount = next(self.chance) % 24, next(self.chance) % 3
            side, price = self.sides[where // 12], where + 1
            if amount:
                side[price] = amount
            else:
                side.pop(price, None)

    def push(self) -> tuple[BookDelta, View]:
        self.change()
        (bids, asks), self.told = self.told, self.view()
        now_bids, now_asks = self.told
        changed = (
            self.difference(bids, now_bids, lambda gone, worst: gone > worst),
            self.difference(asks, now_asks, lambda gone, worst: gone < worst),
        )
        return event(BookDelta, changed, self.told), self.told

    def difference(self, before: Texts, after: Texts, inside: Callable[[float, float], bool]) -> Texts:
        gone = [price for price, _ in before if price not in dict(after)]
        if len(after) == self.levels:
            gone = [price for price in gone if inside(float(price), float(after[-1][0]))]
        return [level for level in after if level not in before] + [(price, "0") for price in gone]

    def whole(self) -> tuple[BookSnapshot, View]:
        self.told = self.view()
        return event(BookSnapshot, self.told, self.told), self.told


def event(kind: type[Event], told: View, after: View) -> Event:
    """Says `told`, proves `after`."""
    proof = SideAfterSide()
    proof.update(*after)
    return kind(
        symbol="X",
        seq=None,
        bids=numbers(told[0]),
        asks=numbers(told[1]),
        received_ns=0,
        checksum=proof.crc32(),
        raw_bids=told[0],
        raw_asks=told[1],
    )


class Connection:
    """Carries pushes to a builder, badly; after each the builder is judged."""

    def __init__(self, levels: int, chance: Iterator[int]) -> None:
        self.chance = chance
        self.exchange = Exchange(levels, chance)
        self.builder = BookBuilder("X", ChecksumOnly(levels))
        self.sent: list[tuple[BookDelta, View]] = []
        self.delayed: list[tuple[BookDelta, View]] = []

    def step(self) -> None:
        faults = [self.deliver] * 6 + [self.lose, self.again, self.delay, self.arrive_late, self.renew, self.reconnect]
        faults[next(self.chance) % len(faults)]()

    def receive(self, push: BookDelta | BookSnapshot, view: View) -> None:
        outcome = self.builder.apply(push)
        book = self.builder.book
        assert (book is None) == isinstance(outcome, NeedSnapshot | Dropped)
        if book is not None:
            assert book.top(0) == tuple(numbers(side) for side in view)

    def deliver(self) -> None:
        self.sent.append(self.exchange.push())
        self.receive(*self.sent[-1])

    def lose(self) -> None:
        self.exchange.push()

    def again(self) -> None:
        """Twice in a row is harmless; long after, it is right or it is found out."""
        self.deliver()
        self.receive(*self.sent[-1 - next(self.chance) % min(len(self.sent), 3)])

    def delay(self) -> None:
        self.delayed.append(self.exchange.push())

    def arrive_late(self) -> None:
        if self.delayed:
            self.receive(*self.delayed.pop(next(self.chance) % len(self.delayed)))

    def renew(self) -> None:
        self.receive(*self.exchange.whole())

    def reconnect(self) -> None:
        self.builder.reset()
        self.delayed.clear()
        self.renew()


@pytest.mark.parametrize("levels", [3, 20])
@given(script=st.binary(min_size=STEPS * BYTES_PER_STEP, max_size=STEPS * BYTES_PER_STEP))
@settings(
    max_examples=examples(1_000),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large],
)
def test_a_served_book_is_what_the_last_push_proved(levels: int, script: bytes) -> None:
    connection = Connection(levels, chain(script, repeat(0)))
    for _ in range(STEPS):
        connection.step()
    connection.reconnect()
    connection.deliver()
    assert connection.builder.book is not None, "a whole book heals everything"
