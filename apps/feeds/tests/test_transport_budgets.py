"""Limits that all processes keep together: never above the rate in any stretch of time (P8 of the plan of tests).

The script that counts in Redis runs on a clock of the test's own, so that requests which are long on their way and
processes that die are tried by the thousand. CT_EXAMPLES multiplies the number of runs.
"""

import asyncio
import sys
from uuid import uuid4

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.feeds.bus.meter import ENTER, LEAVE, LOST_MS, SHUT
from apps.feeds.drivers.base import Rate
from apps.feeds.drivers.trading import TradeLimits
from apps.feeds.market import MarketType
from apps.feeds.tests.gate_process import ALONE
from apps.feeds.tests.toy import ToyDriver
from apps.feeds.transport.budgets import account_rates, rates, stricter
from tests.sizes import examples

EXAMPLES = examples(500)
PER_MS = 1_000
COUNT, SPARE = 10, 2
PROCESSES = 3

# who, what, weight, and how long after the last
STEPS = st.lists(
    st.tuples(
        st.integers(0, PROCESSES - 1),
        st.sampled_from(["order", "order", "cancel", "arrive", "arrive", "die"]),
        st.integers(1, 8),
        st.sampled_from([0, 0, 1, 37, 499, 999, 1_000, 1_001, 31_000]),
    ),
    min_size=10,
    max_size=60,
)


def on_a_clock_of_ours(script: str) -> str:
    """The last argument is the time in milliseconds."""
    return script.replace("redis.call('TIME')", "{math.floor(ARGV[#ARGV] / 1000), ARGV[#ARGV] % 1000 * 1000}")


class Counted:
    """The counter in Redis, and when each request entered and arrived, as far as anybody can know."""

    def __init__(self, server: redis.Redis) -> None:
        self._enter = server.register_script(on_a_clock_of_ours(ENTER))
        self._leave = server.register_script(on_a_clock_of_ours(LEAVE))
        self._keys = [f"meter:{uuid4().hex}"]
        self.sent: list[list[int]] = []  # [weight, entered, arrived at the latest, urgent]
        self._on_the_way: list[list[tuple[str, list[int]]]] = [[] for _ in range(PROCESSES)]

    def enter(self, who: int, weight: int, now: int, *, urgent: bool) -> bool:
        ticket = uuid4().hex
        [wait] = self._enter(keys=self._keys, args=[ticket, COUNT, PER_MS, weight, 0 if urgent else SPARE, now])
        if wait > 0:
            return False
        self.sent.append([weight, now, now + LOST_MS, urgent])
        self._on_the_way[who].append((f"{weight}:{ticket}", self.sent[-1]))
        return True

    def arrive(self, who: int, now: int) -> None:
        if self._on_the_way[who]:
            member, row = self._on_the_way[who].pop(0)
            if now <= row[2]:
                self._leave(keys=self._keys, args=[member, now])
                row[2] = now

    def die(self, who: int) -> None:
        self._on_the_way[who].clear()

    def within(self, begin: int, end: int, *, urgent_only: bool = False) -> int:
        """The most weight that can have arrived in begin..end, the end left out."""
        rows = [row for row in self.sent if row[1] < end and row[2] >= begin]
        return sum(row[0] for row in rows if row[3] or not urgent_only)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_no_stretch_of_time_ever_holds_more_than_the_rate_whoever_sends_hangs_or_dies(redis_url: str, steps):
    with redis.Redis.from_url(redis_url) as server:
        counted, now = Counted(server), 1_000_000
        for who, what, weight, pause in steps:
            now += pause
            if what == "arrive":
                counted.arrive(who, now)
            elif what == "die":
                counted.die(who)
            elif what == "order":
                counted.enter(who, weight, now, urgent=False)
            else:
                fits = counted.within(now - PER_MS + 1, now + 1, urgent_only=True) + weight <= SPARE
                entered = counted.enter(who, weight, now, urgent=True)
                assert entered or not fits, "what is reserved is free for cancels"
        for _, _, arrived, _ in counted.sent:
            assert counted.within(arrived, arrived + PER_MS) <= COUNT
        assert counted.enter(0, 8, now + LOST_MS + PER_MS, urgent=False), "in the end everybody has a turn"


async def test_processes_together_keep_the_rate(redis_url: str):
    """Tried again where the machine was so busy that a process gave Redis up."""
    rate, number = Rate(6, 0.5), 8
    for _ in range(5):
        moments = await sent_together(redis_url, rate, number)
        if moments is not None:
            break
    assert moments is not None
    assert len(moments) == PROCESSES * number
    assert all(late - early >= rate.per_s for early, late in zip(moments, moments[rate.count :], strict=False))


async def sent_together(redis_url: str, rate: Rate, number: int) -> list[float] | None:
    """When several processes sent; None where one kept the limit by itself."""
    arguments = [redis_url, f"trade:{uuid4().hex}", str(rate.count), str(rate.per_s), str(number)]
    command = [sys.executable, "-m", "apps.feeds.tests.gate_process", *arguments]
    processes = [
        await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE) for _ in range(PROCESSES)
    ]
    async with asyncio.timeout(200):
        told = [await process.communicate() for process in processes]
    if any(process.returncode == ALONE for process in processes):
        return None
    assert [process.returncode for process in processes] == [0] * PROCESSES
    return sorted(float(line) for out, _ in told for line in out.split())


def test_a_longer_time_to_stay_away_is_not_cut_short_by_a_shorter_one(redis_url: str):
    with redis.Redis.from_url(redis_url) as server:
        shut, door = server.register_script(SHUT), f"meter:{uuid4().hex}:shut"
        for ms in (600_000, 1_000):
            shut(keys=[door], args=[ms])
        assert server.pttl(door) > 570_000


# which budgets there are


def test_hosts_of_an_exchange_keep_the_stricter_of_its_rates():
    class TwoRates(ToyDriver):
        def limits(self, market_type: MarketType):
            limits = super().limits(market_type)
            return limits if market_type is MarketType.SPOT else type(limits)(
                pairs_per_connection=1, topics_per_frame=1, commands=Rate(1, 1.0), connects=Rate(1, 1.0),
                rest_weight=Rate(10, 1.0),
            )  # fmt: skip

    assert rates(TwoRates()) == {"rest.toy.test": Rate(10, 1.0)}


def test_budgets_of_one_name_are_one_budget_and_others_are_apart():
    class Trader:
        def trade_limits(self, market_type: MarketType) -> TradeLimits:
            spot = {"orders": Rate(10, 1.0), "spot reads": Rate(5, 1.0)}
            futures = {"orders": Rate(20, 4.0)}
            return TradeLimits(budgets=spot if market_type is MarketType.SPOT else futures, private_sockets=1)

    assert account_rates(Trader()) == {"orders": Rate(20, 4.0), "spot reads": Rate(5, 1.0)}


@pytest.mark.parametrize(("one", "other"), [(Rate(1, 1.0), Rate(10, 5.0)), (Rate(10, 10.0), Rate(5, 1.0))])
def test_the_stricter_rate_is_the_slower_one(one: Rate, other: Rate):
    assert stricter(one, other) == stricter(other, one) == one
