"""Lanes are worked: each intent becomes one order, in order."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.feeds.market import BookKey
from apps.feeds.models import Lease
from apps.feeds.orders import NewOrder
from apps.trading import tasks
from apps.trading.execution.entry.working import MOST, Ended, Worked, sweep, work_lane
from apps.trading.execution.executors.executor import Shut
from apps.trading.models import Order, OrderIntent
from apps.trading.risk.view import Top
from apps.trading.tests import held_lanes, stage
from ctweb.celery import app

SAVEPOINT = 2  # what opens and closes it: elsewhere it is a transaction
TOGETHER = 2 if connection.vendor == "mysql" else 0  # ways that are spared where writes are told in one go
COUNTED = ("Com_begin", "Com_commit", "Com_insert", "Com_select", "Com_set_option", "Com_update")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("long_leases")]


def test_an_intent_becomes_one_order_that_was_committed_before_it_left():
    trade = stage.trade()
    seen = []

    def answer(order: NewOrder):
        row = Order.objects.get(client_order_id=order.client_order_id)
        seen.append((row.status, row.amount, row.price, row.fence, row.build_id, row.intent.state))
        return stage.taken(order)

    port = stage.Exchange(trade.account_id, answer)
    intent = stage.want(trade).intent
    assert work_lane(stage.lane(trade), executor=stage.executor(port)) == Worked(ended=Ended.EMPTY, sent=1)
    assert seen == [("PENDING", intent.amount, intent.price, 1, stage.BUILD, "SENDING")]
    order = Order.objects.get()
    intent.refresh_from_db()
    assert (order.status, intent.state, len(port.accepted)) == ("OPEN", "WORKING", 1)
    assert list(order.events.values_list("kind", flat=True)) == ["placing", "placed"]


def test_a_lane_is_left_to_others_while_its_exchanges_time_is_not_known():
    trade = stage.trade()
    intent = stage.want(trade).intent
    port = stage.Exchange(trade.account_id, error_ms=None)
    assert work_lane(stage.lane(trade), executor=stage.executor(port)) == Worked(ended=Ended.UNSURE)
    intent.refresh_from_db()
    assert intent.state == "NEW"


def test_a_lane_with_much_to_do_makes_room_for_others():
    trade = stage.trade()
    for _ in range(MOST + 1):
        stage.want(trade, amount=Decimal("0.0001"), repeats=True)
    OrderIntent.objects.update(created_at="2026-01-01T00:00:00Z", max_age_ms=1)
    executor = stage.executor(stage.Exchange(trade.account_id))
    assert work_lane(stage.lane(trade), executor=executor) == Worked(ended=Ended.FULL, turned_away=MOST)
    assert work_lane(stage.lane(trade), executor=executor) == Worked(ended=Ended.EMPTY, turned_away=1)


def test_a_lane_that_somebody_takes_first_is_busy():
    trade = stage.trade()
    stage.want(trade)

    class Slow(stage.StillMarket):
        """While its book is read somebody else takes the lane."""

        def top(self, key: BookKey) -> Top | None:
            held_lanes.acquire(stage.lane(trade), stage.executor())
            return super().top(key)

    port = stage.Exchange(trade.account_id)
    executor = stage.executor(port, market=Slow())
    assert work_lane(stage.lane(trade), executor=executor) == Worked(ended=Ended.BUSY)
    assert (port.accepted, Lease.objects.get().holder == executor.holder) == ([], False)


def test_an_order_takes_sixteen_statements_until_its_answer_is_written(django_assert_num_queries):
    """To find its lane 1, T1 8, T2 5, to give the lane back and look once more 2. MariaDB hears what T1 and T2
    write in one go each."""
    trade = stage.trade()
    executor = stage.executor(stage.Exchange(trade.account_id), catalogue=stage.lasting_catalogue())
    lane = stage.lane(trade)
    stage.want(trade)
    work_lane(lane, executor=executor)  # what an executor asks once is known
    stage.want(trade)
    with django_assert_num_queries(1 + (8 - TOGETHER + SAVEPOINT) + (5 - TOGETHER + SAVEPOINT) + 2):
        assert work_lane(lane, executor=executor).sent == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_an_order_takes_three_transactions_from_its_intent_to_its_answer():
    trade = stage.trade()
    executor = stage.executor(stage.Exchange(trade.account_id))
    with CaptureQueriesContext(connection) as asked:
        stage.want(trade)
        assert work_lane(stage.lane(trade), executor=executor).sent == 1
    told = [each["sql"] for each in asked.captured_queries]
    assert told.count("COMMIT") == 3 + 1  # and one that makes the row of its lease, once for each lane


def counts() -> dict[str, int]:
    """What this connection has asked the server for."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Com_%%'", [])
        told = dict(cursor.fetchall())
    return {name: int(told[name]) for name in COUNTED}


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_what_an_order_asks_of_the_server_is_known_to_the_statement():
    trade = stage.trade()
    executor = stage.executor(stage.Exchange(trade.account_id), catalogue=stage.lasting_catalogue())
    lane = stage.lane(trade)
    stage.want(trade)
    work_lane(lane, executor=executor)  # what an executor asks once is known
    stage.want(trade)
    before = counts()
    work_lane(lane, executor=executor)
    asked = {name: number - before[name] for name, number in counts().items()}
    writes = {"Com_insert": 3, "Com_update": 5}
    assert asked == {"Com_begin": 2, "Com_commit": 2, "Com_select": 8, "Com_set_option": 0, **writes}


def test_what_is_no_lane_is_passed_over_and_counted_and_the_lanes_behind_it_have_their_turn():
    first, second = stage.trade(stage.rich_account()), stage.trade(stage.rich_account())
    stage.want(first)
    stage.want(second)
    OrderIntent.objects.filter(account=first.account).update(lane="no lane")
    executor = stage.executor(stage.Exchange(second.account_id))
    assert sweep(executor=executor) == 1
    assert executor.tally.counts()["lanes misnamed"] == 1


def test_a_lane_that_cannot_be_worked_leaves_the_lanes_behind_it_their_turn():
    first, second = stage.trade(stage.rich_account()), stage.trade(stage.rich_account())
    stage.want(first)
    stage.want(second)

    class Broken(stage.Exchange):
        def clock_error_ms(self) -> int | None:
            raise ZeroDivisionError

    port = stage.Exchange(second.account_id)
    assert sweep(executor=stage.executor(Broken(first.account_id), port)) == 1
    assert len(port.accepted) == 1


@pytest.mark.parametrize(("name", "options"), [(task.name, task) for task in (tasks.wake_lane, tasks.wake_cancels)])
def test_hints_are_acknowledged_early_and_dropped_when_they_are_old(name, options):
    assert (options.acks_late, options.reject_on_worker_lost, options.ignore_result) == (False, False, True)
    assert options.expires == 5
    assert app.amqp.router.route({}, name)["queue"].name == "exec.wake"


def test_lanes_of_an_exchange_whose_time_nobody_knows_keep_no_other_lane_from_its_turn():
    unsure, sure = stage.trade(), stage.trade()
    ports = stage.Exchange(unsure.account_id, error_ms=None), stage.Exchange(sure.account_id)
    for trade in (unsure, sure):
        stage.want(trade)
    executor = stage.executor(*ports, shut=Shut(lambda: 0.0))
    assert [sweep(executor=executor, limit=1) for _ in range(2)] == [0, 1]
    assert [len(port.accepted) for port in ports] == [0, 1]
