"""A book that is served is the true book at its id, whatever a connection loses, repeats, reorders or cuts off.

CT_EXAMPLES multiplies the number of runs per rule.
"""

from collections.abc import Iterator
from itertools import chain, repeat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.feeds.book.builder import BookBuilder, NeedSnapshot
from apps.feeds.tests.book_servers import (
    ChainServer,
    Event,
    ExactlyPlusOneServer,
    FuturesServer,
    PlusOneServer,
    PreviousSequenceServer,
    PushedRangeServer,
    Server,
    SpotServer,
    VersionRangeServer,
    WholeServer,
)
from tests.sizes import examples

STEPS, BYTES_PER_STEP = 50, 8
SERVERS = [
    SpotServer, FuturesServer, PlusOneServer, PushedRangeServer, ChainServer, WholeServer, PreviousSequenceServer,
    ExactlyPlusOneServer, VersionRangeServer,
]  # fmt: skip


class Connection:
    """Carries a server's messages to a builder, badly; after each step the builder is judged."""

    def __init__(self, kind: type[Server], chance: Iterator[int]) -> None:
        self.chance = chance
        self.server = kind(chance)
        self.builder = BookBuilder("X", self.server.rule, max_held=5)
        self.delayed: list[Event] = []
        self.sent: list[Event] = []

    def step(self) -> None:
        faults = [self.deliver] * 5 + [
            self.lose, self.repeat, self.delay, self.arrive_late, self.send_old, self.rest_or_push, self.rest_or_push,
            self.odd, self.reconnect,
        ]  # fmt: skip
        faults[next(self.chance) % len(faults)]()
        self.judge()

    def receive(self, event: Event) -> None:
        outcome = self.builder.apply(event)
        if isinstance(outcome, NeedSnapshot):
            assert self.builder.book is None, "dropped before anybody is told"

    def deliver(self) -> None:
        self.sent.append(self.server.event())
        self.receive_newest(self.sent[-1])

    def receive_newest(self, event: Event) -> None:
        """Whoever hears the newest event is up to date with it, or knows that he is not."""
        self.receive(event)
        assert self.builder.book is None or self.builder.seq == self.server.seq

    def lose(self) -> None:
        self.server.event()

    def repeat(self) -> None:
        self.deliver()
        self.receive(self.sent[-1])

    def delay(self) -> None:
        self.delayed.append(self.server.event())

    def arrive_late(self) -> None:
        if self.delayed:
            self.receive(self.delayed.pop(next(self.chance) % len(self.delayed)))

    def send_old(self) -> None:
        if self.sent:
            self.receive(self.sent[next(self.chance) % len(self.sent)])

    def odd(self) -> None:
        self.receive_newest(self.server.oddity())

    def rest_or_push(self) -> None:
        """A snapshot comes: by REST it may be of any moment, by push it is of now."""
        known = list(self.server.truths)
        seq = known[-1 - next(self.chance) % min(len(known), 12)] if self.server.rule.holds else None
        self.receive(self.server.snapshot(seq))

    def reconnect(self) -> None:
        self.builder.reset()
        assert self.builder.book is None
        self.delayed.clear()
        if not self.server.rule.holds:
            self.receive(self.server.snapshot())

    def heal(self) -> None:
        """A new socket without faults: the book must come back to the present truth."""
        self.builder.reset()
        if self.server.rule.holds:
            self.deliver()
        self.receive(self.server.snapshot())
        self.deliver()

    def judge(self) -> None:
        book = self.builder.book
        if book is None:
            assert self.builder.seq is None
            return
        assert self.builder.seq is not None
        bids, asks = self.server.truths[self.builder.seq]
        for depth in (20, 50):
            assert book.top(depth) == (bids[:depth], asks[:depth])
        assert book.top(0) == (bids, asks)
        assert not book.crossed


@pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.__name__)
@given(script=st.binary(min_size=STEPS * BYTES_PER_STEP, max_size=STEPS * BYTES_PER_STEP))
@settings(
    max_examples=examples(2_000),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large],
)
def test_a_served_book_is_the_true_book_at_its_id(kind: type[Server], script: bytes) -> None:
    connection = Connection(kind, chain(script, repeat(0)))
    for _ in range(STEPS):
        connection.step()
    connection.heal()
    connection.judge()
    assert connection.builder.seq == connection.server.seq
