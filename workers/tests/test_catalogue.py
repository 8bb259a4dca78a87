import pytest

from apps.feeds.drivers import registry
from apps.feeds.selectors import catalogue_age
from apps.feeds.simulator.server import Simulator
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.http import Http
from workers.catalogue import Bootstrap
from workers.database import Database


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
async def test_a_market_that_lists_nothing_is_asked_once():
    """Recordings do not hold every market."""
    simulator, drivers = Simulator(), {name: registry.driver(name) for name in ("bybit", "okx")}
    simulator.exchanges["bybit"].listings.clear()
    await simulator.start()
    http, database = Http(drivers=drivers, addresses=Addresses(simulator.url)), Database("test", answer_s=60.0)
    catalogue = Bootstrap(database=database, http=http, drivers=drivers)
    assert await catalogue.look()
    asked = {name: simulator.exchanges[name].asked["rest"] for name in drivers}
    assert await catalogue.look()
    assert {name: simulator.exchanges[name].asked["rest"] for name in drivers} == asked
    ages = await database.call(catalogue_age)
    assert {name for (name, _), read_at in ages.items() if read_at is None and name in drivers} == {"bybit"}
    await catalogue.close()
    await http.close()
    await simulator.stop()
