"""An account is reconciled within the budgets that its driver names: what has no room yet waits for it."""

import time
from dataclasses import replace

import pytest

from apps.feeds.drivers import registry
from apps.feeds.market import MarketType, Side
from apps.feeds.tests.trading_stand import TIMEOUT_S
from apps.feeds.transport import loop
from apps.feeds.transport.gate import RESERVE, Gates
from apps.feeds.transport.orders import OrderClient
from apps.trading.collecting.reconciling import reconcile
from apps.trading.models import Order
from apps.trading.tests import listened_seat, remote_seat
from apps.trading.tests.listened_seat import SOMEBODY
from apps.trading.tests.remote_seat import Desk

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(listened_seat.on)
# six reads in two seconds for the whole host, and three pages of orders; pages of fifty orders
TIGHT = [(("mexc", MarketType.FUTURES), 250), (("bybit", MarketType.SPOT), 120)]
WINDOW_S = 2.5  # the exchange forgets what was asked for until then


def within_limits(on: Desk) -> OrderClient:
    """As a daemon's."""
    return OrderClient(
        drivers={on.exchange: registry.driver(on.exchange)},
        traders={on.exchange: registry.trader(on.exchange)},
        addresses=on.exchanges.addresses,
        timeout_s=TIMEOUT_S,
        gates=Gates(reserve=RESERVE),
    )


def many_open(on: Desk, orders: int) -> None:
    """Somebody else's, put straight into the book: nobody has asked for anything by then."""
    row = on.committed()
    named = SOMEBODY.make(on.port.id_form, account_id=1, intent_id=row.pk, attempt=0)
    on.port.place(on.new_order(row, client_order_id=named, amount=on.part, price=on.far(Side.BUY)))
    Order.objects.filter(pk=row.pk).update(status="CANCELLED")
    [accepted] = on.accepted()
    for number in range(1, orders):
        other = SOMEBODY.make(on.port.id_form, account_id=1, intent_id=row.pk + number, attempt=0)
        on.desk.place(on.truth, replace(accepted.order.ticket, client_id=other, expires_ms=None))


@pytest.mark.parametrize(("on", "orders"), TIGHT, indirect=["on"], ids=["mexc-futures", "bybit-spot"])
def test_an_account_with_many_open_orders_is_reconciled_and_no_limit_is_broken(on: Desk, orders: int):
    many_open(on, orders)
    time.sleep(WINDOW_S)
    client = within_limits(on)
    try:
        on.port = on.port_by(client)
        reports = [reconcile(on.account.pk, on.executor()) for _ in range(2)]  # the second has nothing to write
    finally:
        loop.run(client.close(), remote_seat.ANSWER_S)
    assert [(report.is_clean, report.external) for report in reports] == [(True, orders)] * 2
    assert on.simulator.world.breaches.report() == {}
