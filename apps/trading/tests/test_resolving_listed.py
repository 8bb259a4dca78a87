"""Many open orders, which one list tells of: they cost one request, and nobody waits behind them."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from msgspec.structs import replace

from apps.feeds.errors import FeedError, InvalidOrder, UnknownSymbol
from apps.feeds.orders import OrderStatus, OrderUpdate
from apps.feeds.tests.trading_stand import EVERY
from apps.trading.bookkeeping import recording
from apps.trading.execution.resolution import due, listing, resolving
from apps.trading.models import Order, OrderEvent
from apps.trading.tests import remote_seat
from apps.trading.tests.remote_seat import Desk

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)
SOON, LATER = timedelta(seconds=resolving.LOOK_S + 1), timedelta(seconds=listing.FOUND_S - 5)


def open_orders(on: Desk, number: int) -> list[Order]:
    """At the exchange, and due."""
    made = [on.committed() for _ in range(number)]
    for row in made:
        recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    fall_due()
    return [Order.objects.get(pk=row.pk) for row in made]


def fall_due() -> None:
    Order.objects.update(next_check_at=Now() - timedelta(seconds=1))


def waits(row: Order) -> timedelta:
    at = Order.objects.get(pk=row.pk).next_check_at
    assert at is not None
    return at - timezone.now()


@dataclass
class Counted:
    """The desk's port; `listed` may change what is listed."""

    on: Desk
    lists: int = 0
    looks: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.on.port, name)

    def open_orders(self, instrument: Any) -> list[OrderUpdate]:
        told = [self.listed(update) for update in self.on.port.open_orders(instrument)]
        self.lists += 1
        return told

    def look_up(self, ref: Any) -> OrderUpdate:
        self.looks += 1
        return self.on.port.look_up(ref)

    def listed(self, update: OrderUpdate) -> OrderUpdate:
        return update


def resolve(on: Desk, port: Counted, limit: int = 20) -> int:
    executor = on.executor()
    executor.ports._port = port
    return resolving.resolve_account(executor, on.account.pk, limit)


@pytest.mark.parametrize("on", EVERY, indirect=True, ids="-".join)
def test_open_orders_are_passed_over_when_they_are_listed_as_they_are(on: Desk):
    made, port, events = open_orders(on, 3), Counted(on), OrderEvent.objects.count()
    on.fill(made[0].exchange_order_id or "", on.part)
    assert resolve(on, port, limit=2) == 3
    assert (port.lists, port.looks) == (1, 1)  # the one that was filled in part is asked for by name
    assert OrderEvent.objects.count() > events
    fall_due()
    events = OrderEvent.objects.count()
    assert resolve(on, port, limit=2) == 3
    assert (port.lists, port.looks, OrderEvent.objects.count()) == (2, 1, events)
    assert min(waits(row) for row in made) > LATER
    assert due.accounts_due() == []


def test_what_open_orders_cost_does_not_grow_with_their_number(on: Desk):
    statements = []
    for number in (10, 30):
        open_orders(on, number)
        port = Counted(on)
        with CaptureQueriesContext(connection) as asked:
            resolve(on, port, limit=5)
        assert (port.lists, port.looks) == (1, 0)
        statements.append(len(asked))
    assert statements[0] == statements[1]


def test_an_order_whose_fate_nobody_has_told_does_not_wait_behind_those_that_are_open(on: Desk):
    class Silent(Counted):
        def open_orders(self, instrument: Any) -> list[OrderUpdate]:
            raise FeedError("no lists today")

    open_orders(on, 4)
    lost = on.committed(status="UNKNOWN", next_check_at=Now() - timedelta(milliseconds=1))
    on.port.place(on.new_order(lost))
    resolve(on, Silent(on), limit=2)
    assert Order.objects.get(pk=lost.pk).status == "OPEN"


def test_accounts_are_looked_at_in_the_order_of_how_long_their_orders_have_waited(on: Desk):
    later = open_orders(on, 1)[0]
    other = Desk(on.exchanges, "binance", on.market, on.halt_file.parent)
    try:
        first = other.committed(status="UNKNOWN", next_check_at=Now() - timedelta(seconds=9))
    finally:
        other.close()
    assert due.accounts_due() == [first.account_id, later.account_id]
    Order.objects.filter(pk=later.pk).update(next_check_at=Now() - timedelta(seconds=20))
    assert due.accounts_due() == [later.account_id, first.account_id]


def test_an_order_that_is_being_cancelled_is_looked_at_again_sooner(on: Desk):
    made = open_orders(on, 2)
    Order.objects.filter(pk=made[0].pk).update(cancel_state="SENT")
    assert resolve(on, Counted(on)) == 2
    assert waits(made[0]) < SOON
    assert waits(made[1]) > LATER


def test_an_order_that_was_missed_and_is_listed_was_not_missed(on: Desk):
    made = open_orders(on, 2)
    Order.objects.filter(pk=made[0].pk).update(misses=1)
    assert resolve(on, Counted(on)) == 2
    assert Order.objects.get(pk=made[0].pk).misses == 0


OTHERWISE = [
    {"client_order_id": "of somebody else"},
    {"symbol": "ETHUSDT"},
    {"filled": Decimal("0.0001")},
    {"status": OrderStatus.PARTIAL},
]


@pytest.mark.parametrize("told", OTHERWISE, ids=lambda told: next(iter(told)))
def test_what_is_listed_otherwise_than_it_is_known_is_not_passed_over(on: Desk, told: dict[str, Any]):
    made = open_orders(on, 2)
    changed = made[0].exchange_order_id

    class Other(Counted):
        def listed(self, update: OrderUpdate) -> OrderUpdate:
            return replace(update, **told) if update.exchange_order_id == changed else update

    passed = listing.pass_over(on.account.pk, listing.listed(Other(on), made))
    assert passed == {made[1].pk}


@pytest.mark.parametrize("is_delisted", [False, True], ids=["", "one delisted"])
def test_where_one_pair_is_told_at_a_time_each_is_asked_for(on: Desk, is_delisted: bool):
    made = open_orders(on, 2)
    Order.objects.filter(pk=made[1].pk).update(pair=on.other_pair)

    class OneByOne(Counted):
        def open_orders(self, instrument: Any) -> list[OrderUpdate]:
            if instrument is None:
                raise InvalidOrder("by symbol only")
            if is_delisted and instrument == on.other:
                raise UnknownSymbol("delisted")
            return [each for each in super().open_orders(None) if each.symbol == instrument.symbol]

        def listed(self, update: OrderUpdate) -> OrderUpdate:
            is_other = update.exchange_order_id == made[1].exchange_order_id
            return replace(update, symbol=on.other.symbol) if is_other else update

    told = listing.listed(OneByOne(on), due.rows_due(on.account.pk, 20))
    known = made[:1] if is_delisted else made
    assert listing.pass_over(on.account.pk, told) == {row.pk for row in known}
