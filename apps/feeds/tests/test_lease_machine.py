"""P5: three who want the same lease, who stand still, wake up and write late; a clock that nobody can trust.

The database's time is moved by moving what is written in it. CT_EXAMPLES multiplies the number of runs.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import chain, repeat

import pytest
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.feeds import leases
from apps.feeds.models import Lease
from tests.sizes import examples

pytestmark = pytest.mark.django_db

EXAMPLES = examples(500)
STEPS = 30
LANE = "lane:1:1"
TTL_S, MARGIN_S = 6.0, 2.0  # trusted no longer than TTL - MARGIN, by a clock that only goes forward


class Resource:
    """What is written to takes a fence, and none below the highest that it has seen."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, str]] = []

    def write(self, fence: int, who: str) -> bool:
        if self.taken and fence < self.taken[-1][0]:
            return False
        self.taken.append((fence, who))
        return True


class Actor:
    """`wall_s` is its clock of the wall, which is set at random; nothing may depend on it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fence: int | None = None
        self.trusts_until_s = 0.0
        self.wall_s = 0.0
        self.writing: int | None = None  # the fence of a write that has begun and not arrived

    def trusts(self, now_s: float) -> bool:
        return self.fence is not None and now_s < self.trusts_until_s


class Machine:
    def __init__(self, chance: Iterator[int]) -> None:
        Lease.objects.all().delete()
        self.chance = chance
        self.now_s = 0.0
        self.resource = Resource()
        self.actors = [Actor(f"host:{number}:boot:{number}") for number in range(3)]
        self.given: list[int] = []
        self.late = 0
        self.steps: list[Callable[[Actor], None]] = [
            self.acquire,
            self.acquire,
            self.renew,
            self.release,
            self.begin,
            self.begin,
            self.arrive,
            self.arrive,
            self.wait,
            self.set_clock,
        ]

    def step(self) -> None:
        actor = self.actors[next(self.chance) % len(self.actors)]
        self.steps[next(self.chance) % len(self.steps)](actor)
        self.judge()

    def acquire(self, actor: Actor) -> None:
        if actor.trusts(self.now_s):
            return
        asked_s = self.now_s  # before the question: its answer may take long
        taken = leases.acquire(holder=actor.name, resources=[LANE], ttl_s=TTL_S)
        actor.fence = taken.get(LANE)
        if actor.fence is not None:
            actor.trusts_until_s = asked_s + TTL_S - MARGIN_S
            self.given.append(actor.fence)

    def renew(self, actor: Actor) -> None:
        if actor.fence is None:
            return
        asked_s = self.now_s
        if leases.renew(holder=actor.name, fences={LANE: actor.fence}, ttl_s=TTL_S):
            actor.trusts_until_s = asked_s + TTL_S - MARGIN_S
        else:
            actor.fence = None

    def release(self, actor: Actor) -> None:
        if actor.fence is not None:
            leases.release(holder=actor.name, resources=[LANE])
            actor.fence = None

    def begin(self, actor: Actor) -> None:
        """Whoever stands still between its last look and the write is not stopped by its own clock."""
        if actor.trusts(self.now_s):
            actor.writing = actor.fence

    def arrive(self, actor: Actor) -> None:
        if actor.writing is not None:
            self.late += not self.resource.write(actor.writing, actor.name)
            actor.writing = None

    def wait(self, actor: Actor) -> None:
        self.pass_s(next(self.chance) % 80 / 10)

    def pass_s(self, passed_s: float) -> None:
        """For all of them and for the database."""
        self.now_s += passed_s
        Lease.objects.update(expires_at=F("expires_at") - timedelta(seconds=passed_s))

    def set_clock(self, actor: Actor) -> None:
        actor.wall_s += next(self.chance) * 60 - 7_680

    def judge(self) -> None:
        assert sum(actor.trusts(self.now_s) for actor in self.actors) <= 1
        assert self.given == sorted(set(self.given)), "a fence was given out twice, or fell"
        fences = [fence for fence, _ in self.resource.taken]
        assert fences == sorted(fences)
        assert len(set(fences)) == len(set(self.resource.taken)), "two wrote under one fence"


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(script=st.binary(min_size=3 * STEPS, max_size=3 * STEPS))
def test_one_trusts_at_a_time_and_one_writes_under_each_fence(script: bytes):
    machine = Machine(chain(script, repeat(0)))
    for _ in range(STEPS):
        machine.step()


def test_who_slept_over_a_takeover_is_refused_by_its_fence():
    machine = Machine(repeat(0))
    slow, quick, _ = machine.actors
    machine.acquire(slow)
    machine.begin(slow)
    machine.pass_s(TTL_S + 1)
    machine.acquire(quick)
    machine.begin(quick)
    machine.arrive(quick)
    machine.arrive(slow)
    assert machine.late == 1
    assert [who for _, who in machine.resource.taken] == [quick.name]
