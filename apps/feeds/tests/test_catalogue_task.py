"""The catalogue is read over HTTP from the simulator, by the task that Celery runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from apps.feeds import selectors, tasks
from apps.feeds.drivers import registry
from apps.feeds.market import InstrumentStatus, MarketType
from apps.feeds.models import TradePair
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.listings import list_pairs
from apps.feeds.transport import loop

pytestmark = pytest.mark.django_db


@contextmanager
def running(settings, redis_url: str, **options: Any) -> Iterator[Simulator]:
    simulator = Simulator(seed=1, rate=1, **options)
    port = loop.run(simulator.start(), timeout=20)
    settings.CT_SIMULATOR_URL, settings.REDIS_URL = f"http://127.0.0.1:{port}", redis_url
    try:
        yield simulator
    finally:
        loop.run(simulator.stop(), timeout=20)


@pytest.fixture
def exchanges(settings, redis_url) -> Iterator[None]:
    with running(settings, redis_url):
        yield


@pytest.fixture
def recorded(settings, redis_url, captures) -> Iterator[Simulator]:
    """Recordings, which do not hold every market."""
    settings.SOURCE = "replay"
    with running(settings, redis_url, replay=captures) as simulator:
        yield simulator


def test_every_market_of_every_exchange_is_read(exchanges):
    for exchange in registry.exchange_ids():
        for market_type in MarketType:
            assert tasks.refresh_instruments(exchange, market_type.value) > 50
            listed = selectors.catalogue(pairs=["BTC/USDT", "BTC/USDC"])
            found = next(each for key, each in listed.items() if key[:2] == (exchange, market_type))
            assert found.tick > 0
            assert found.volume_24h
    assert all(age is not None for age in selectors.catalogue_age().values())


def test_a_market_is_read_once_in_its_pause(exchanges):
    assert tasks.refresh_instruments("okx", "spot", 60) > 0
    assert tasks.refresh_instruments("okx", "spot", 60) == 0


def test_the_catalogue_of_a_replay_is_what_is_recorded(recorded):
    list_pairs("BTC/USDT", exchange="bybit")  # of another source
    for exchange in registry.exchange_ids():
        for market_type in MarketType:
            tasks.refresh_instruments(exchange, market_type.value)
    found = set(TradePair.objects.exclude(status=InstrumentStatus.DELISTED).values_list("exchange__code", "symbol"))
    listed = {(name, symbol) for name, one in recorded.exchanges.items() for _, symbol in one.listings}
    assert found == listed - {("okx", "UNI-USD-SWAP"), ("htx", "ICP-USD")}  # paid in coins: we list none of those


@pytest.mark.parametrize(
    ("source", "again_s", "status"), [("replay", 3600, "delisted"), ("live", tasks.PAUSE_S, "trading")]
)
def test_an_empty_list_is_believed_of_recordings_alone(settings, redis_url, source, again_s, status):
    settings.SOURCE = source
    list_pairs("BTC/USDT", exchange="bybit")
    with running(settings, redis_url) as simulator:
        simulator.exchanges["bybit"].listings.clear()
        assert tasks.refresh_instruments("bybit", "spot", tasks.FIRST_PAUSE_S) == 0
    assert TradePair.objects.get().status == status
    with redis.Redis.from_url(redis_url) as client:
        assert again_s - 5 < client.ttl("turn:catalogue:bybit:spot") <= again_s + 1
