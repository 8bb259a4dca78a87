"""Guards that hold when several processes write at once: each thread has a connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connections

from apps.feeds.orders import OrderStatus
from apps.trading import trades
from apps.trading.models import Order, OrderIntent, Trade
from apps.trading.tests import rows
from apps.users.services import SYSTEM

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

AT_ONCE = 8


def together(call: Callable[[int], Any]) -> list[Any]:
    """What `call` of each thread's number answers, all started at the same moment; a refused row is None."""
    start = Barrier(AT_ONCE)

    def one(number: int) -> Any:
        try:
            start.wait(timeout=60)
            return call(number)
        except IntegrityError:
            return None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(one, range(AT_ONCE)))


def test_of_intents_with_one_key_one_is_written():
    trade = rows.trade(rows.account())
    rows.pair()
    made = together(lambda _: rows.intent(trade, intent_key="the same"))
    assert [row is None for row in made].count(False) == 1
    assert OrderIntent.objects.count() == 1


def test_of_first_attempts_of_an_intent_one_is_written():
    intent = rows.intent(rows.trade(rows.account()))
    made = together(lambda _: rows.order(intent))
    assert [row is None for row in made].count(False) == 1
    assert Order.objects.count() == 1


def test_of_those_who_move_an_order_on_from_one_state_one_succeeds():
    order = rows.order(rows.intent(rows.trade(rows.account())))
    statuses = [OrderStatus.OPEN, OrderStatus.REJECTED]

    def move(number: int) -> bool:
        status = statuses[number % 2]
        return Order.objects.advance(order.pk, was=OrderStatus.PENDING, filled=Decimal(0), status=status)

    assert together(move).count(True) == 1


def test_a_fill_that_is_told_several_times_at_once_is_kept_once():
    order = rows.order(rows.intent(rows.trade(rows.account())))
    made = together(lambda _: rows.fill(order, trade_id="7"))
    assert [row is None for row in made].count(False) == 1


def test_orders_by_hand_that_come_at_once_share_their_row(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    account = rows.account()
    rows.pair()
    found = together(lambda _: trades.manual(account=account, pair="BTC/USDT", actor=SYSTEM).pk)
    assert len(set(found)) == 1
    assert Trade.objects.count() == 1
