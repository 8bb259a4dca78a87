"""Real processes that trade: stopped under load, killed, and started again on what is left."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.conf import settings as configured
from django.db import connection
from django.db.models import QuerySet

from apps.feeds.market import Side
from apps.feeds.models import Lease
from apps.feeds.tests.waiting import await_that
from apps.trading.execution.pretrade.market import RedisMarket
from apps.trading.models import IntentState, Order, OrderFill, OrderIntent, Trade
from apps.trading.order_state import FINAL
from workers.tests.deployed import System, accepts
from workers.tests.trading import KEY, below, prepare, want

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

T = TypeVar("T")
SETTLES_S = 30.0  # I14
TRIES = 20
BUILD = "b1"


def shared_database() -> str:
    """The URL of this test's own database, for processes."""
    named = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{named['NAME']}"
    return f"mysql://root@localhost/{named['NAME']}?unix_socket={named['OPTIONS']['unix_socket']}"


class Trading(System):
    """A simulator, and a daemon that watches and trades, on the database of the test."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        super().__init__(folder, redis_url)
        self.environment |= {
            "DATABASE_URL": shared_database(),
            "CT_BUILD_ID": BUILD,
            "CT_ID_KEY": "k" * 40,
        }
        self.market = RedisMarket.at(redis_url)
        self.start("simulator")
        await_that(lambda: accepts(self.port))
        configured.CT_SIMULATOR_URL, configured.REDIS_URL = self.environment["CT_SIMULATOR_URL"], redis_url
        self.account_id = prepare(BUILD)
        Trade.objects.create(exchange=KEY.exchange, market_type=KEY.market_type, pair=KEY.pair)

    def trade(self, **changed: str) -> "subprocess.Popen[str]":
        """A daemon that is ready."""
        daemon = self.start("both", **changed)
        await_that(lambda: daemon.poll() is None and self.market.mid(KEY) and self.is_open(), 120)
        return daemon

    def mid(self) -> Decimal:
        """Once Redis tells it: a busy machine's is late now and then."""
        told: Decimal | None = None

        def asked() -> Decimal | None:
            nonlocal told
            told = self.market.mid(KEY)
            return told

        await_rows(asked)
        assert told is not None
        return told

    def is_open(self) -> bool:
        from apps.trading.execution.gateway.opened import is_open

        return is_open(self.account_id)

    def want(self, number: int, price: Decimal | None) -> OrderIntent:
        return want(self.account_id, f"wish {number}", Side.BUY, Decimal("0.0001"), price, self.market)

    def sent(self, first: int, price: Decimal | None) -> Order:
        """Of the first wish from `first` on that risk lets pass: books of a busy machine are too old now and then."""
        for number in range(first, first + TRIES):
            intent = self.want(number, price and price - number)
            await_rows(lambda: not waiting().filter(pk=intent.pk).exists())  # noqa: B023 (asked before the next one)
            if order := Order.objects.filter(intent=intent).first():
                return order
        raise AssertionError(f"none of {TRIES} wishes was sent: {list(OrderIntent.objects.values())}")

    def orders(self, *statuses: str) -> list[Order]:
        return list(Order.objects.filter(status__in=statuses).order_by("id"))


@pytest.fixture
def system(transactional_db: None, tmp_path: Path, redis_url: str, settings: Any) -> Iterator[Trading]:
    made = Trading(tmp_path, redis_url)
    yield made
    made.stop()


def waiting() -> QuerySet[OrderIntent]:
    return OrderIntent.objects.filter(state__in=[IntentState.NEW, IntentState.SENDING])


def await_rows(read: Callable[[], T]) -> None:
    await_that(read, 120)


def test_a_stop_under_load_ends_in_time_with_entries_cancelled_and_nothing_held(system: Trading):
    daemon = system.trade()
    mid = system.mid()
    for first in (10, 30, 50):
        system.sent(first, below(mid))
    await_rows(lambda: len(system.orders("OPEN")) == 3)
    for number in range(3, 9):
        system.want(number, below(mid) - number)
    daemon.send_signal(signal.SIGTERM)
    await_that(lambda: daemon.poll() is not None, SETTLES_S)
    _, log = daemon.communicate(timeout=60)
    assert daemon.returncode == 0, log
    assert system.orders("OPEN", "PARTIAL") == []
    sent = set(Order.objects.values_list("intent", flat=True))
    for intent in OrderIntent.objects.all():
        assert (intent.pk in sent) is (intent.state != IntentState.NEW)
    assert not Lease.objects.exclude(holder="").exists()


def test_after_a_kill_everything_is_found_before_anything_new_is_sent(system: Trading):
    daemon = system.trade()
    mid = system.mid()
    system.sent(10, None)
    rests = system.sent(30, below(mid))
    await_rows(lambda: len(system.orders("OPEN")) == len(system.orders("FILLED")) == 1)
    for number in range(3, 6):
        system.want(number, below(mid) - number)
    daemon.kill()
    daemon.wait()
    system.want(6, below(mid) - 6)
    filled = list(OrderFill.objects.values_list("trade_id", "amount", "price"))

    system.trade()
    await_rows(lambda: not waiting().exists())
    again = Order.objects.get(pk=rests.pk)
    assert (again.status, again.exchange_order_id) == ("OPEN", rests.exchange_order_id)
    assert list(OrderFill.objects.values_list("trade_id", "amount", "price")) == filled
    assert set(Order.objects.values_list("attempt", flat=True)) == {0}
    assert not Order.objects.filter(alarms__gt="").exists()
    last = Order.objects.filter(intent__intent_key="wish 6").first() or system.sent(50, below(mid))
    assert last.fence > 0
    assert {row.status for row in Order.objects.exclude(status="OPEN")} <= {str(status) for status in FINAL}
