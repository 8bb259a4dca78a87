"""The exchanges' time as we know it: measured, aged, doubted."""

import pytest

from apps.feeds.errors import Retryable
from apps.feeds.market import MarketType
from apps.trading.execution.gateway.clocks import DRIFT, EVERY_S, FRESH_S, SOON_S, Clock, Clocks, Sample


class Hands:
    """This host's two clocks; tests move them."""

    def __init__(self) -> None:
        self.steady, self.wall = 1_000.0, 1_700_000_000.0

    def clock(self) -> Clock:
        return Clock(steady=lambda: self.steady, wall=lambda: self.wall)

    def wait(self, seconds: float) -> None:
        self.steady += seconds
        self.wall += seconds

    def sample(self, ahead_ms: float = 0.0, trip_s: float = 0.02) -> Sample:
        """The exchange is so much ahead of this host; the answer comes now."""
        middle_ms = (self.wall - trip_s / 2) * 1000
        return Sample(round(middle_ms + ahead_ms), self.steady - trip_s, self.steady)


@pytest.fixture
def hands() -> Hands:
    return Hands()


def test_without_a_measurement_it_is_this_hosts_time_and_nobody_knows_how_wrong(hands: Hands):
    clock = hands.clock()
    assert (clock.now_ms(), clock.error_ms()) == (1_700_000_000_000, None)


@pytest.mark.parametrize("ahead_ms", [0, -100, 500, 2_000, -60_000])
def test_it_is_the_exchanges_time_however_far_that_is_from_ours(hands: Hands, ahead_ms: int):
    clock = hands.clock()
    clock.note(hands.sample(ahead_ms))
    hands.wait(30)
    assert abs(clock.now_ms() - (hands.wall * 1000 + ahead_ms)) <= 1
    assert clock.error_ms() in (13, 14)  # half the way there and back, what a clock may drift in 30 s, rounded up


def test_a_long_way_there_and_back_leaves_it_unsure(hands: Hands):
    clock = hands.clock()
    clock.note(hands.sample(trip_s=0.6))
    assert clock.error_ms() > 250


def test_what_was_measured_too_long_ago_says_nothing(hands: Hands):
    clock = hands.clock()
    clock.note(hands.sample())
    hands.wait(FRESH_S - 1)
    assert clock.error_ms() is not None
    hands.wait(2)
    assert clock.error_ms() is None


@pytest.mark.parametrize("step_s", [-5.0, 2.0, 60.0])
def test_when_this_hosts_time_is_set_nothing_is_known_until_it_is_measured_anew(hands: Hands, step_s: float):
    clock = hands.clock()
    clock.note(hands.sample())
    before = clock.now_ms()
    hands.wall += step_s
    assert (clock.now_ms(), clock.error_ms()) == (before, None)
    clock.note(hands.sample(-step_s * 1000))
    assert clock.now_ms() == pytest.approx(before, abs=1)
    assert clock.error_ms() is not None


def test_time_that_is_slewed_is_no_jump(hands: Hands):
    clock = hands.clock()
    clock.note(hands.sample())
    for _ in range(60):
        hands.steady += 1.0
        hands.wall += 1.0005
    assert clock.error_ms() is not None


def test_a_step_of_the_exchanges_own_time_counts_as_an_error_until_it_is_seen_again(hands: Hands):
    clock = hands.clock()
    clock.note(hands.sample())
    hands.wait(60)
    clock.note(hands.sample(2_000))
    assert clock.error_ms() > 1_900
    hands.wait(1)
    clock.note(hands.sample(2_000))
    assert clock.error_ms() < 50


def test_an_exchange_that_drifts_slowly_is_followed(hands: Hands):
    clock = hands.clock()
    for minute in range(5):
        clock.note(hands.sample(minute * 60 * 1000 * DRIFT / 2))
        assert clock.error_ms() < 50
        hands.wait(60)


def test_who_is_told_to_be_wrong_believes_it_until_he_has_asked_again(hands: Hands):
    clock = hands.clock()
    clock.note(hands.sample())
    clock.doubt()
    assert clock.error_ms() is None
    clock.note(hands.sample())
    assert clock.error_ms() is not None


def test_it_is_asked_every_minute_and_sooner_while_it_is_unsure(hands: Hands):
    clock = hands.clock()
    assert [clock.is_due(), clock.is_due()] == [True, False]
    hands.wait(SOON_S)
    assert clock.is_due()  # nobody has answered
    clock.note(hands.sample())
    hands.wait(EVERY_S - 1)
    assert not clock.is_due()
    hands.wait(1)
    assert clock.is_due()
    clock.note(hands.sample(trip_s=0.5))
    hands.wait(SOON_S)
    assert clock.is_due()


def test_of_several_measurements_the_best_counts(hands: Hands):
    trips = iter([0.5, 0.3, 0.4])
    clocks = Clocks(lambda *_: hands.sample(trip_s=next(trips)), make=hands.clock)
    clock = clocks.measured("binance", MarketType.SPOT)
    assert clock.error_ms() in (150, 151)


def test_an_exchange_that_does_not_answer_leaves_its_clock_to_age(hands: Hands):
    def ask(*_: object) -> Sample:
        raise Retryable("nobody there")

    clocks = Clocks(ask, make=hands.clock)
    clock = clocks.of("binance", MarketType.SPOT)
    clock.note(hands.sample())
    hands.wait(EVERY_S)
    assert clocks.measure_due() == 1
    assert clock.error_ms() is not None
    hands.wait(FRESH_S)
    assert clocks.measure_due() == 1
    assert clock.error_ms() is None


def test_each_market_has_a_clock_of_its_own(hands: Hands):
    clocks = Clocks(lambda *_: hands.sample(), make=hands.clock)
    spot = clocks.of("binance", MarketType.SPOT)
    assert spot is clocks.of("binance", MarketType.SPOT)
    assert spot is not clocks.of("binance", MarketType.FUTURES)
    assert clocks.measure_due() == 2
