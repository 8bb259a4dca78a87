"""An exchange that keeps us away hears nothing from us until the time is over, and no other exchange notices.

Time is skipped, not slept away: client and simulator read the same clock, which stands still but for what these tests
set it forward by. So a window is looked at up to its last moment, however slow the machine.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Request
from apps.feeds.errors import Refused, Retryable
from apps.feeds.market import MarketType
from apps.feeds.simulator.server import Simulator
from apps.feeds.subscriptions import Diff, Subscription
from apps.feeds.tests.standing_clock import StandingClock
from apps.feeds.tests.toy import Notes, running
from apps.feeds.tests.waiting import until
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.http import AT_ONCE, Http
from apps.feeds.transport.pool import Pool
from apps.feeds.transport.timing import Timing

EXCHANGES = registry.exchange_ids()
CASES = 10  # of each exchange
CALLERS = 6
SECONDS = (1, 600)  # as the exchanges' Retry-After
INSTANT_S = 0.001
LONGEST_LIMIT_S = 70.0  # every window of requests is empty after so long


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StandingClock:
    made = StandingClock()
    monkeypatch.setattr(time, "monotonic", made)
    return made


class Stand:
    """One simulator, and a client of all exchanges."""

    def __init__(self, simulator: Simulator, http: Http, session: aiohttp.ClientSession, clock: StandingClock) -> None:
        self.simulator = simulator
        self.http = http
        self._session = session
        self._clock = clock

    def asked(self, exchange: str, what: str = "rest") -> int:
        """Requests that have reached the exchange."""
        return self.simulator.exchanges[exchange].asked[what]

    async def skip(self, seconds: float) -> None:
        """Let so much time pass, and everything happen that was due in it and came of that.

        On loopback an answer to us means that whatever was sent before has arrived: the second one that also what the
        first turn of the event loop set off has.
        """
        self._clock.skip(seconds)
        for _ in range(3):
            async with self._session.get("/_sim/health") as answer:
                assert answer.status == 200

    async def fault(self, op: str, exchange: str, **more: Any) -> None:
        async with self._session.post("/_sim/fault", json={"op": op, "exchange": exchange, **more}) as answer:
            assert answer.status == 200, await answer.text()

    async def ask(self, exchange: str, count: int) -> list[Retryable | bytes]:
        """What becomes of so many different requests at one time."""
        requests = _requests(exchange)
        calls = [self.http.fetch(exchange, requests[n % len(requests)]) for n in range(count)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert not [each for each in results if not isinstance(each, bytes | Retryable | Refused)]
        return [each for each in results if isinstance(each, bytes | Retryable)]


def _requests(exchange: str) -> list[Request]:
    driver = registry.driver(exchange)
    lists = [driver.instruments_request(market) for market in MarketType]
    return [*lists, *(driver.volumes_request(market) for market in MarketType)]


@pytest.fixture
async def stand(clock: StandingClock) -> AsyncIterator[Stand]:
    simulator = Simulator(seed=5)
    await simulator.start()
    drivers = {name: registry.driver(name) for name in EXCHANGES}
    async with (
        aiohttp.ClientSession(simulator.url, connector=aiohttp.TCPConnector(force_close=True)) as session,
        Http(drivers=drivers, addresses=Addresses(simulator.url)) as http,
    ):
        yield Stand(simulator, http, session, clock)
        clock.run()
    await simulator.stop()


def _moments(window_s: float) -> list[float]:
    """Steps that lead to the last moment before the end of a window."""
    return [0.0, *[0.1 * window_s] * 9, 0.1 * window_s - INSTANT_S]


@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_nothing_is_asked_while_an_exchange_keeps_us_away_and_others_are(exchange: str, stand: Stand):
    """Refused with 429 first and, where it is the exchange's habit, with 418 or 403 then."""
    chance = random.Random(exchange)
    other = EXCHANGES[EXCHANGES.index(exchange) - 1]
    for _ in range(CASES):
        await stand.fault("ban", exchange, seconds=chance.randint(*SECONDS), count=chance.randint(1, AT_ONCE))
        for turn in range(2):  # an exchange that does not say how long refuses again
            before = stand.asked(exchange)
            refusals = await stand.ask(exchange, CALLERS)
            if not all(isinstance(each, Retryable) for each in refusals):
                assert turn == 1
                break
            asked = stand.asked(exchange)
            assert asked - before <= AT_ONCE
            for step_s in _moments(max(each.after_s for each in refusals if isinstance(each, Retryable))):
                await stand.skip(step_s)
                assert all(isinstance(each, Retryable) for each in await stand.ask(exchange, CALLERS))
                assert stand.asked(exchange) == asked
            await stand.skip(LONGEST_LIMIT_S)
        assert all(isinstance(each, bytes) for each in await stand.ask(other, 1))
        await stand.fault("unban", exchange)
        await stand.skip(SECONDS[1] + LONGEST_LIMIT_S)
        assert [type(each) for each in await stand.ask(exchange, 1)] == [bytes]
    assert stand.simulator.world.breaches.report() == {}


@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_no_socket_is_tried_while_an_exchange_turns_us_away_and_others_are(
    exchange: str, stand: Stand, clock: StandingClock
):
    other = EXCHANGES[EXCHANGES.index(exchange) - 1]
    sink = Notes()
    pool = Pool(
        drivers={name: registry.driver(name) for name in (exchange, other)},
        sink=sink,
        addresses=Addresses(stand.simulator.url),
        fetch=stand.http.fetch,
        pairs_per_connection=1,
        max_connections=20,
        timing=Timing(backoff_first_s=0.01, backoff_most_s=0.02),
    )
    wanted = await _some(stand, exchange, 2)
    await stand.fault("turn_away", exchange, seconds=SECONDS[1])
    async with running(pool):
        pool.apply(Diff(add=wanted, remove=[]))
        await sink.until(lambda: len(sink.losses) == len(wanted))
        pool.apply(Diff(add=await _some(stand, other, 1), remove=[]))
        await sink.until(lambda: [link.exchange for link in sink.opened_links] == [other])
        knocks = stand.asked(exchange, "handshakes")
        assert knocks <= len(wanted)
        for step_s in _moments(_turned_away_s(exchange)):
            await stand.skip(step_s)
            assert stand.asked(exchange, "handshakes") == knocks
        await stand.fault("let_in", exchange)
        clock.run()
        await until(lambda: {link.exchange for link in sink.opened_links} == {exchange, other})


def _turned_away_s(exchange: str) -> float:
    """As the handshake's answer says, or as the driver has it where it does not say so in words of that exchange."""
    away_s = registry.driver(exchange).retry_after(429, {"Retry-After": str(SECONDS[1])}, b"")
    assert away_s is not None
    return away_s


async def _some(stand: Stand, exchange: str, count: int) -> list[Subscription]:
    driver = registry.driver(exchange)
    listed = await stand.http.fetch_instruments(driver, MarketType.SPOT)
    trading = [each for each in listed if each.status == "trading"]
    return [Subscription(instrument=each, depth=20) for each in trading[:count]]
