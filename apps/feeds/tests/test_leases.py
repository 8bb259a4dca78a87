from datetime import timedelta

import pytest
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.feeds import leases
from apps.feeds.models import Lease

pytestmark = pytest.mark.django_db

A, B = "shard:binance:spot:1", "shard:binance:spot:2"


def run_out(*resources: str) -> None:
    """As if the time to live had passed."""
    Lease.objects.filter(resource__in=resources).update(expires_at=Now())


def test_a_free_lease_is_taken_under_the_first_fence():
    assert leases.acquire(holder="d1", resources=[A, B], ttl_s=10) == {A: 1, B: 1}


def test_a_held_lease_is_nobody_elses():
    leases.acquire(holder="d1", resources=[A], ttl_s=10)
    assert leases.acquire(holder="d2", resources=[A, B], ttl_s=10) == {B: 1}


def test_a_lease_that_ran_out_goes_to_the_next_under_a_higher_fence():
    leases.acquire(holder="d1", resources=[A], ttl_s=10)
    run_out(A)
    assert leases.acquire(holder="d2", resources=[A], ttl_s=10) == {A: 2}
    assert leases.renew(holder="d1", fences={A: 1}, ttl_s=10) == set()


def test_a_released_lease_is_free_at_once():
    leases.acquire(holder="d1", resources=[A], ttl_s=10)
    leases.release(holder="d1", resources=[A])
    assert leases.acquire(holder="d2", resources=[A], ttl_s=10) == {A: 2}


def test_nobody_releases_what_another_holds():
    leases.acquire(holder="d1", resources=[A], ttl_s=10)
    leases.release(holder="d2", resources=[A])
    assert leases.acquire(holder="d2", resources=[A], ttl_s=10) == {}


def test_a_daemon_that_comes_back_takes_its_own_lease_under_a_higher_fence():
    leases.acquire(holder="d1", resources=[A], ttl_s=10)
    assert leases.acquire(holder="d1", resources=[A], ttl_s=10) == {A: 2}
    assert leases.renew(holder="d1", fences={A: 1}, ttl_s=10) == set()


def test_a_renewed_lease_lives_on_under_its_fence():
    leases.acquire(holder="d1", resources=[A], ttl_s=10)
    run_out(A)
    assert leases.renew(holder="d1", fences={A: 1}, ttl_s=10) == {A}
    assert leases.acquire(holder="d2", resources=[A], ttl_s=10) == {}


def test_a_fence_is_lifted_to_what_redis_has_seen_and_never_lowered():
    leases.acquire(holder="d1", resources=[A], ttl_s=10)
    leases.raise_fence(resource=A, fence=41)
    leases.raise_fence(resource=A, fence=7)
    run_out(A)
    assert leases.acquire(holder="d1", resources=[A], ttl_s=10) == {A: 42}


def torn(times: int, *resources: str) -> None:
    """By daemons that die one after the other."""
    for number in range(times):
        run_out(*resources)
        leases.acquire(holder=f"d{number % 2}", resources=resources, ttl_s=10)


def test_a_lease_whose_holders_die_one_after_the_other_flaps():
    leases.acquire(holder="d1", resources=[A, B], ttl_s=10)
    for number in range(1, 5):
        torn(1, A)
        assert leases.flapping([A, B]) == ([A] if number >= leases.FLAPS else []), number


def test_a_daemon_that_dies_and_comes_back_again_and_again_flaps_too():
    for _ in range(leases.FLAPS + 1):
        assert leases.flapping([A]) == []
        leases.acquire(holder="d1", resources=[A], ttl_s=10)
    assert leases.flapping([A]) == [A]


def test_a_lease_that_is_given_from_hand_to_hand_does_not_flap():
    for number in range(10):
        leases.acquire(holder=f"d{number % 2}", resources=[A], ttl_s=10)
        leases.release(holder=f"d{number % 2}", resources=[A])
    assert leases.flapping([A]) == []


def test_holders_that_die_now_and_then_make_no_flapping():
    leases.acquire(holder="d1", resources=[A], ttl_s=10)
    for _ in range(5):
        torn(leases.FLAPS - 1, A)
        Lease.objects.update(torn_at=Now() - timedelta(seconds=leases.FLAP_S + 1))
    assert leases.flapping([A]) == []


STEPS = st.lists(
    st.tuples(st.sampled_from(["acquire", "renew", "release", "run out"]), st.sampled_from(["d1", "d2", "d3"])),
    max_size=20,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=STEPS)
def test_one_holder_at_a_time_and_every_acquisition_under_a_fence_of_its_own(steps: list[tuple[str, str]]):
    Lease.objects.all().delete()
    held: dict[str, int] = {}  # what each daemon believes
    given_out: list[int] = []
    for step, daemon in steps:
        if step == "acquire" and daemon not in held:
            taken = leases.acquire(holder=daemon, resources=[A], ttl_s=10)
            if taken:
                held[daemon] = taken[A]
                given_out.append(taken[A])
        elif step == "renew" and daemon in held:
            if not leases.renew(holder=daemon, fences={A: held[daemon]}, ttl_s=10):
                del held[daemon]
        elif step == "release" and daemon in held:
            leases.release(holder=daemon, resources=[A])
            del held[daemon]
        elif step == "run out":
            run_out(A)
        confirmed = [d for d, fence in held.items() if Lease.objects.filter(holder=d, fence=fence).exists()]
        assert len(confirmed) <= 1
    assert given_out == sorted(set(given_out))
