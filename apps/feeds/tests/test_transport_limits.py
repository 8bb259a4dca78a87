"""Limits, delays and addresses: the parts that need no network."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.feeds.drivers.base import Rate
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.backoff import Backoff
from apps.feeds.transport.limits import Pace, SlidingWindow


def test_what_fits_goes_at_once_and_the_next_waits_for_the_oldest_to_leave_the_window():
    window = SlidingWindow(Rate(2, 10.0), margin=0.0)
    window.take(0.0)
    window.take(3.0)
    assert window.delay(4.0) == 6.0
    assert window.delay(10.0) == 0.0


def test_a_heavy_request_waits_until_enough_weight_has_left():
    window = SlidingWindow(Rate(10, 60.0), margin=0.0)
    for second, weight in ((0, 4), (1, 4), (2, 2)):
        window.take(float(second), weight)
    assert window.delay(5.0, 4) == 55.0
    assert window.delay(5.0, 5) == 56.0


def test_more_weight_than_the_whole_budget_goes_through_an_empty_window():
    window = SlidingWindow(Rate(10, 60.0), margin=0.0)
    window.take(0.0, 1)
    assert window.delay(30.0, 500) == 30.0
    window.take(60.0, 500)
    assert window.delay(60.0) == 60.0


def test_the_margin_makes_the_window_longer_than_the_exchange_counts():
    window = SlidingWindow(Rate(1, 10.0))
    window.take(0.0)
    assert window.delay(0.0) == pytest.approx(11.0)


@given(
    count=st.integers(1, 20),
    per_s=st.floats(0.1, 100.0),
    steps=st.lists(st.tuples(st.floats(0.0, 10.0), st.integers(1, 20)), max_size=80),
)
def test_no_stretch_of_a_window_ever_holds_more_than_the_rate(count, per_s, steps):
    window, now, sent = SlidingWindow(Rate(count, per_s)), 0.0, []
    for pause, weight in steps:
        now += pause
        now += window.delay(now, weight)
        assert window.delay(now, weight) <= 1e-6
        window.take(now, weight)
        sent.append((now, min(weight, count)))
    for start, _ in sent:
        assert sum(weight for at, weight in sent if start <= at < start + per_s) <= count


def test_of_several_windows_the_one_that_asks_for_the_longest_wait_decides():
    pace = Pace([Rate(1, 1.0), Rate(2, 100.0)])
    pace.take(0.0)
    assert pace.delay(0.0) == pytest.approx(1.1)
    pace.take(2.0)
    assert pace.delay(4.0) == pytest.approx(106.0)


def test_delays_are_full_jitter_under_a_ceiling_that_doubles():
    class Highest(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return b

    backoff = Backoff(first_s=0.25, most_s=2.0, rng=Highest())
    assert [backoff.next() for _ in range(5)] == [0.25, 0.5, 1.0, 2.0, 2.0]
    backoff.reset()
    assert backoff.next() == 0.25
    jittered = Backoff(first_s=1.0, most_s=1.0, rng=random.Random(7))
    assert len({jittered.next() for _ in range(20)}) == 20


def test_a_run_on_the_simulator_sends_every_host_to_loopback_and_a_live_run_none():
    simulated = Addresses("http://127.0.0.1:8080")
    assert simulated.ws("wss://ws.okx.com:8443/ws/v5/public") == "ws://127.0.0.1:8080/ws.okx.com/ws/v5/public"
    assert (
        simulated.http("https://api.x.com/depth?symbol=A%26B") == "http://127.0.0.1:8080/api.x.com/depth?symbol=A%26B"
    )
    live = Addresses(None)
    assert live.ws("wss://ws.okx.com:8443/ws/v5/public") == "wss://ws.okx.com:8443/ws/v5/public"
    with pytest.raises(ValueError, match="not an http URL"):
        Addresses("127.0.0.1")
