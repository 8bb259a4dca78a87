"""What every exchange has to pass where nothing comes: who lives is kept, who fell silent is found and replaced.

Each test has a simulator of its own, since pings as often as here would break the limits of some exchanges. Its time
and ours stand still but for what a test sets them forward by: no machine is so slow that an answer comes late.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Callable

import pytest

from apps.feeds.drivers import registry
from apps.feeds.market import MarketType
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.stand import ANSWER_S, BOOK_MESSAGES_S, PONG_S, QUIET_S, Stand, patience, stand
from apps.feeds.tests.standing_clock import StandingClock

EVERY = [(exchange, market) for exchange in registry.exchange_ids() for market in MarketType]
LONGEST_S = max(QUIET_S + 2 * ANSWER_S, 2 * PONG_S)  # nobody waits longer for a sign of life
STEP_S = 0.1

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.parametrize(("exchange", "market"), EVERY, ids=[f"{one[0]}-{one[1]}" for one in EVERY]),
]


@contextlib.asynccontextmanager
async def in_haste(exchange: str, market: MarketType, *, asks_often: bool = False) -> AsyncIterator[Stand]:
    """A stand that soon gives up who does not answer."""
    simulator = Simulator(seed=3, rate=BOOK_MESSAGES_S, patience=patience(asks_often=asks_often))
    await simulator.start()
    try:
        async with stand(simulator, exchange, market, hasty=True) as made:
            yield made
    finally:
        await simulator.stop()


async def let_pass(clock: StandingClock, seconds: float, over: Callable[[], bool] = lambda: False) -> None:
    """Step by step, so that questions are answered in between; no longer than until it is `over`."""
    for _ in range(round(seconds / STEP_S)):
        if over():
            return
        clock.skip(STEP_S)
        await clock.settle()


async def test_a_quiet_socket_lives_while_both_sides_answer_each_others_pings(
    exchange: str, market: MarketType, monkeypatch: pytest.MonkeyPatch
):
    async with in_haste(exchange, market, asks_often=True) as on:
        await on.fault("mute")
        monkeypatch.setattr(time, "monotonic", clock := StandingClock())
        await let_pass(clock, LONGEST_S)
        clock.run()
        assert on.desk.losses == []
        await on.fault("unmute")
        await on.moved(on.neighbour)


async def test_a_socket_that_fell_silent_is_found_and_replaced(
    exchange: str, market: MarketType, monkeypatch: pytest.MonkeyPatch
):
    async with in_haste(exchange, market) as on:
        sockets = len(on.pool.links())
        await on.fault("silence")
        monkeypatch.setattr(time, "monotonic", clock := StandingClock())
        await let_pass(clock, LONGEST_S, lambda: len(on.desk.losses) >= sockets)
        clock.run()
        assert len(on.desk.losses) >= sockets
        assert all(reason.startswith("no frame ") for reason in on.desk.losses)
        await on.fault("unsilence")
        await on.live(on.neighbour)
        await on.true(on.neighbour)
