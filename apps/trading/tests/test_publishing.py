"""What is committed about an account is told on the bus, once and as text; a bus that is away costs nothing."""

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
import redis

from apps.feeds.drivers.trading import Placed
from apps.feeds.orders import Balance, Balances, OrderStatus
from apps.trading import publishing
from apps.trading.bookkeeping import comparing, recording
from apps.trading.models import FillSource
from apps.trading.tests import told

pytestmark = pytest.mark.django_db


class Listener:
    """Of one channel."""

    def __init__(self, url: str, channel: str) -> None:
        self.client = redis.Redis.from_url(url)
        self.pubsub = self.client.pubsub()
        self.pubsub.subscribe(channel)
        assert self.pubsub.get_message(timeout=60)["type"] == "subscribe"

    def next(self) -> dict:
        return json.loads(self.pubsub.get_message(timeout=60)["data"])

    def nothing_more(self) -> bool:
        return self.pubsub.get_message(timeout=0.05) is None

    def close(self) -> None:
        self.pubsub.close()
        self.client.close()


@pytest.fixture
def order():
    return told.sent()


@pytest.fixture
def heard(redis_url, settings, order) -> Iterator[Listener]:
    settings.REDIS_URL = redis_url
    listener = Listener(redis_url, publishing.channel(order.account_id))
    yield listener
    listener.close()


def answered(order) -> None:
    recording.record_placed(order.pk, Placed(exchange_order_id="x1", client_order_id=None, status=OrderStatus.OPEN))


def test_an_order_and_its_fill_are_told_after_their_commit(order, heard, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answered(order)
        recording.record_fill(order.account_id, told.instrument(order), told.fill(order, "t1"), FillSource.WS)
        assert heard.nothing_more()
    first, fill, then = heard.next(), heard.next(), heard.next()
    assert (first["type"], first["id"], first["status"], first["exchange_order_id"]) == (
        "order",
        order.pk,
        "OPEN",
        "x1",
    )
    assert (fill["type"], fill["order_id"], fill["trade_id"], fill["amount"]) == ("fill", order.pk, "t1", "0.1")
    assert (then["type"], then["status"], then["filled"]) == ("order", "PARTIAL", "0.1")
    assert heard.nothing_more()


def test_what_changes_nothing_is_not_told(order, heard, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answered(order)
        answered(order)
    heard.next()
    assert heard.nothing_more()


def test_holdings_that_change_are_told(order, heard, django_capture_on_commit_callbacks):
    balances = Balances(rows=[Balance(asset="USDT", free=Decimal(1), total=Decimal(1))], whole=True)
    with django_capture_on_commit_callbacks(execute=True):
        comparing.take_balances(order.account_id, balances)
        comparing.take_balances(order.account_id, balances)
    assert heard.next() == {"type": "holdings"}
    assert heard.nothing_more()


def test_a_bus_that_is_away_is_asked_once_and_then_left_alone():
    publisher, before = publishing.Publisher("redis://127.0.0.1:1/0"), publishing.counts.copy()
    assert [publisher.tell(1, {"type": "order"}) for _ in range(3)] == [False, False, False]
    assert publishing.counts["failed"] - before["failed"] >= 1
    assert publishing.counts["failed"] + publishing.counts["rested"] - before["failed"] - before["rested"] == 3


def test_what_waits_is_bounded_and_what_is_too_much_is_counted(monkeypatch):
    publisher, before = publishing.Publisher("redis://127.0.0.1:1/0"), publishing.counts["shed"]
    monkeypatch.setattr(publisher, "_start", lambda: None)  # its thread stands still
    for _ in range(publishing.MOST + 2):
        publisher.publish(1, {"type": "order"})
    assert publishing.counts["shed"] - before == 2


def test_what_is_told_has_plain_numbers(order, heard, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        fill = told.fill(order, "t1", "1E-7", fee=Decimal("0E+18"))
        recording.record_fill(order.account_id, told.instrument(order), fill, FillSource.WS)
    counted = next(each for each in iter(heard.next, None) if each["type"] == "fill")
    assert (counted["amount"], counted["fee"]) == ("0.0000001", "0")
