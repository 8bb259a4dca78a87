"""The catalogue is read over HTTP from the simulator, by the task that Celery runs."""

from collections.abc import Iterator

import pytest

from apps.feeds import selectors, tasks
from apps.feeds.drivers import registry
from apps.feeds.market import MarketType
from apps.feeds.simulator.server import Simulator
from apps.feeds.transport import loop

pytestmark = pytest.mark.django_db


@pytest.fixture
def exchanges(settings, redis_url) -> Iterator[None]:
    simulator = Simulator(seed=1, rate=1)
    port = loop.run(simulator.start(), timeout=20)
    settings.CT_SIMULATOR_URL, settings.REDIS_URL = f"http://127.0.0.1:{port}", redis_url
    yield
    loop.run(simulator.stop(), timeout=20)


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
