import pytest

from workers.meters import HOUR_S, LastHour, Latencies, Rate


def test_quantiles_are_right_within_a_twentieth():
    latencies = Latencies()
    for milliseconds in range(1, 1001):
        latencies.add(100.0, milliseconds * 1_000_000)
    p50, p99 = latencies.quantiles_ms(100.0, 0.5, 0.99)
    assert p50 == pytest.approx(500, rel=0.05)
    assert p99 == pytest.approx(990, rel=0.05)


def test_what_is_older_than_a_minute_does_not_count():
    latencies = Latencies()
    latencies.add(100.0, 900_000_000)
    latencies.add(150.0, 1_000_000)
    assert latencies.quantiles_ms(159.0, 1.0)[0] == pytest.approx(900, rel=0.05)
    assert latencies.quantiles_ms(160.0, 1.0)[0] == pytest.approx(1, rel=0.05)
    assert latencies.quantiles_ms(300.0, 1.0) == [None]


def test_a_clock_that_stepped_back_gives_no_nonsense():
    latencies = Latencies()
    latencies.add(5.0, -1)
    assert latencies.quantiles_ms(5.0, 0.5)[0] == pytest.approx(0.001, rel=0.05)


def test_a_rate_is_the_mean_of_the_last_five_seconds():
    rate = Rate()
    counts = [0, 100, 200, 300, 400, 500, 500, 500]
    readings = [rate.read(float(second), count) for second, count in enumerate(counts)]
    assert readings == [0.0, 100.0, 100.0, 100.0, 100.0, 100.0, 80.0, 60.0]


def test_the_last_hour_forgets_and_is_bounded():
    values = LastHour(most=3)
    for second in range(5):
        values.add(float(second), float(second))
    assert values.count(4.0) == 3
    assert values.quantile(4.0, 0.95) == 4.0
    assert values.count(HOUR_S + 3.5) == 1
    assert values.quantile(3 * HOUR_S, 0.95) is None
