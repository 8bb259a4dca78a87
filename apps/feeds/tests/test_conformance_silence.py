"""What every exchange has to pass where nothing comes: who lives is kept, who fell silent is found and replaced.

Each test has a simulator of its own, since pings as often as here would break the limits of some exchanges. Its time
and ours stand still but for what a test sets them forward by: no machine is so slow that an answer comes late.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Callable

import pytest

from apps.feeds.drivers import registry
from apps.feeds.market import BookState, MarketType
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.stand import ANSWER_S, BOOK_MESSAGES_S, PONG_S, QUIET_S, Stand, patience, stand
from apps.feeds.tests.standing_clock import StandingClock
from apps.feeds.transport.link import LinkState

EVERY = [(exchange, market) for exchange in registry.exchange_ids() for market in MarketType]
LONGEST_S = max(QUIET_S + 2 * ANSWER_S, 2 * PONG_S)  # nobody waits longer for a sign of life
START_S, STEP_S = 60.0, 0.1

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.parametrize(("exchange", "market"), EVERY, ids=[f"{one[0]}-{one[1]}" for one in EVERY]),
]


@contextlib.asynccontextmanager
async def in_haste(
    exchange: str, market: MarketType, monkeypatch: pytest.MonkeyPatch, *, asks_often: bool = False
) -> AsyncIterator[tuple[Stand, StandingClock]]:
    """A stand that soon gives up who does not answer, whole in the moment from which the clock stands still."""
    simulator = Simulator(seed=3, rate=BOOK_MESSAGES_S, patience=patience(asks_often=asks_often))
    await simulator.start()
    try:
        async with stand(simulator, exchange, market, hasty=True) as on:
            monkeypatch.setattr(time, "monotonic", clock := StandingClock())
            await let_pass(clock, START_S, lambda: is_whole(on))
            yield on, clock
    finally:
        await simulator.stop()


def is_whole(on: Stand) -> bool:
    """A busy machine may have cost it a socket before."""
    return on.state(on.neighbour) is BookState.LIVE and {link.state for link in on.pool.links()} == {LinkState.OPEN}


async def let_pass(clock: StandingClock, seconds: float, over: Callable[[], bool] = lambda: False) -> None:
    """Step by step, so that questions are answered in between; no longer than until it is `over`."""
    await clock.settle()
    for _ in range(round(seconds / STEP_S)):
        if over():
            return
        clock.skip(STEP_S)
        await clock.settle()


async def test_a_quiet_socket_lives_while_both_sides_answer_each_others_pings(
    exchange: str, market: MarketType, monkeypatch: pytest.MonkeyPatch
):
    async with in_haste(exchange, market, monkeypatch, asks_often=True) as (on, clock):
        before = on.desk.losses.copy()
        await on.fault("mute")
        await let_pass(clock, LONGEST_S)
        clock.run()
        assert on.desk.losses == before
        await on.fault("unmute")
        await on.moved(on.neighbour)


async def test_a_socket_that_fell_silent_is_found_and_replaced(
    exchange: str, market: MarketType, monkeypatch: pytest.MonkeyPatch
):
    async with in_haste(exchange, market, monkeypatch) as (on, clock):
        before, sockets = len(on.desk.losses), len(on.pool.links())
        await on.fault("silence")
        await let_pass(clock, LONGEST_S, lambda: len(on.desk.losses) >= before + sockets)
        clock.run()
        assert len(on.desk.losses) >= before + sockets
        assert all(reason.startswith("no frame ") for reason in on.desk.losses[before:])
        await on.fault("unsilence")
        await on.live(on.neighbour)
        await on.true(on.neighbour)
