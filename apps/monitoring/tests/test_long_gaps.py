"""A person is called for what has been missing for more than a minute, once for each outage of an exchange."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from msgspec.structs import replace

from apps.monitoring import long_gaps, tasks
from apps.monitoring.gaps import Gap
from apps.monitoring.ledger import record_gaps
from apps.monitoring.tests.events import STREAM
from apps.users.models import Alert

pytestmark = pytest.mark.django_db


def gap(began_s: float, lasted_s: float | None, **changes: Any) -> Gap:
    """It began so many seconds ago; without `lasted_s` it is not over."""
    from_ns = int((timezone.now() - timedelta(seconds=began_s)).timestamp() * 10**9)
    values = {
        "exchange": "binance",
        "market_type": "spot",
        "pair": "BTC/USDT",
        "stream": STREAM,
        "epoch": 7,
        "from_ns": from_ns,
        "to_ns": None if lasted_s is None else from_ns + int(lasted_s * 10**9),
        "reason": "socket lost",
        "daemon": "d1",
        **changes,
    }
    return Gap(**values)


def called() -> list[tuple[str, str]]:
    return list(Alert.objects.filter(kind="GAP").order_by("id").values_list("scope", "scope_id"))


def test_a_gap_that_goes_on_for_a_minute_calls_a_person_and_a_younger_one_does_not():
    record_gaps(gaps=[gap(-60, None)])
    tasks.watch_gaps()
    assert called() == []
    record_gaps(gaps=[gap(90, None, pair="ETH/USDT")])
    tasks.watch_gaps()
    assert called() == [("exchange", "binance")]
    assert "ETH/USDT" in Alert.objects.get().text


@pytest.mark.parametrize(("lasted_s", "calls"), [(59, 0), (61, 1)])
def test_a_gap_that_is_told_when_it_is_over_calls_if_it_was_long(lasted_s: float, calls: int):
    """The daemon was away: nobody could say so meanwhile."""
    record_gaps(gaps=[gap(7_200, lasted_s)])
    assert len(called()) == calls


def test_an_outage_of_many_books_is_one_alert_and_stays_one_when_it_ends():
    many = [gap(90 + number, None, pair=f"P{number}/USDT") for number in range(50)]
    record_gaps(gaps=many)
    for _ in range(3):
        tasks.watch_gaps()
    Alert.objects.update(acked_at=timezone.now())
    tasks.watch_gaps()
    record_gaps(gaps=[replace(one, to_ns=one.from_ns + 89 * 10**9) for one in many])
    assert len(called()) == 1


def test_exchanges_are_called_for_apart_and_a_later_outage_anew():
    record_gaps(gaps=[gap(90, None), gap(90, None, exchange="okx")])
    assert long_gaps.watch() == 2
    long_ago = timezone.now() - timedelta(seconds=1_000)
    Alert.objects.update(at=long_ago, acked_at=long_ago)
    assert (long_gaps.watch(), len(called())) == (2, 4)
