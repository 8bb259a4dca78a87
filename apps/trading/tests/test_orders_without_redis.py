"""O8 by counting: an order takes the same statements and the same request whether Redis answers or stands still, and
of all that is sent while it does only the first waits for it, see `bus.meter.WAIT_S`."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.feeds.bus.meter import Meter
from apps.feeds.market import MarketType, Side
from apps.feeds.tests.redis_process import RedisProcess
from apps.feeds.tests.trading_stand import WideGates
from apps.feeds.transport import loop
from apps.trading.execution.entry.working import work_lane
from apps.trading.models import Order, Wallet
from apps.trading.tests import remote_seat, stage
from apps.trading.tests.remote_seat import ANSWER_S, Desk, Exchanges

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("long_leases")]
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
ORDERS, PATIENTLY_S = 12, 60.0


class Asked(Meter):
    """Counts how often a request has to wait for what Redis says."""

    times = 0

    async def _ask(self, *args: Any) -> Any:
        self.times += not self.is_away
        return await super()._ask(*args)


@pytest.fixture
def bus(settings) -> Iterator[RedisProcess]:
    server = RedisProcess()
    server.start()
    settings.REDIS_URL = server.url
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def on(exchanges: Exchanges, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(exchanges, "binance", MarketType.SPOT, tmp_path)
    stage.open_doors(desk.exchange)
    for asset in (desk.instrument.base, desk.instrument.quote):
        Wallet.objects.create(account=desk.account, asset=asset, free=stage.RICH, total=stage.RICH, expected=stage.RICH)
    yield desk
    desk.close()


@pytest.fixture
def meters(bus: RedisProcess) -> Iterator[tuple[Asked, Asked]]:
    """Of one that answers, however slow the machine is, and of one that will not."""
    made = Asked(bus.url, wait_s=PATIENTLY_S), Asked(bus.url)
    yield made
    for meter in made:
        loop.run(meter.close(), ANSWER_S)


def statements_of_orders(on: Desk, meter: Meter, amounts: Iterator[Decimal]) -> list[list[str]]:
    """Of each order but the first, which finds no lane: from the wish to the answer, without what is in them."""
    client = on.exchanges.client(gates=WideGates(meter))
    port, price = on.port_by(client), on.near(Side.BUY)
    market = stage.StillMarket(bid=price, ask=price + on.instrument.tick)
    executor = replace(stage.executor(port), market=market, catalogue=stage.lasting_catalogue())
    found = []
    for _ in range(ORDERS):
        with CaptureQueriesContext(connection) as captured:
            stage.want(on.trade, market, amount=next(amounts), price=price)
            assert work_lane(stage.lane(on.trade), executor=executor).sent == 1
        found.append([query["sql"].partition(" ")[0] for query in captured])
    loop.run(client.close(), ANSWER_S)
    return found[1:]


def test_an_order_needs_the_same_while_redis_stands_still_and_only_the_first_waits_for_it(
    on: Desk, bus: RedisProcess, meters: tuple[Asked, Asked]
):
    answering, standing = meters
    amounts = count(Decimal("0.0005"), on.instrument.lot)
    with_redis = statements_of_orders(on, answering, amounts)
    bus.pause()
    without = statements_of_orders(on, standing, amounts)
    bus.resume()
    assert without == with_redis
    assert all(each == with_redis[0] for each in with_redis)
    assert Order.objects.filter(status="OPEN").count() == len(on.accepted()) == 2 * ORDERS
    assert answering.times == 2 * ORDERS  # room was asked for, and what was sent reported
    assert standing.times == 1
