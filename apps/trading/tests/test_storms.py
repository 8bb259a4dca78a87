"""Controls that trip, met as they are in life: one wish after the other through the whole way of an order, while the
breakers look. How many requests leave before it is over. CT_FAULTS sets how many accounts lose money."""

import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db.models import F

from apps.feeds.drivers.trading import Placed
from apps.feeds.errors import InvalidOrder, OutcomeUnknown
from apps.feeds.orders import NewOrder
from apps.trading.execution.controls.breaking import break_due
from apps.trading.execution.entry.working import work_lane
from apps.trading.execution.executors.executor import Executor
from apps.trading.halts import halting
from apps.trading.models import LanePause, Order, OrderFill, Position, RiskLimit, RiskState, RiskUsage, Trade
from apps.trading.risk.limits import MAX_PAUSES, MAX_REJECTS
from apps.trading.risk.view import Scope
from apps.trading.tests import key_rows, rows, stage
from apps.users.models import Alert

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("long_leases")]

FALLS = 20 * int(os.environ.get("CT_FAULTS", "1"))
WISHES = 30
AFTER_A_PAUSE = timedelta(seconds=61)
PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


def told_by(error: Exception) -> Callable[[NewOrder], Placed]:
    def answer(order: NewOrder) -> Placed:
        raise error

    return answer


def wish(trade: Trade, executor: Executor, times: int = WISHES) -> Counter[str]:
    """So many, worked and looked at each; why they were refused."""
    reasons: Counter[str] = Counter()
    for _ in range(times):
        wanted = stage.want(trade).intent
        work_lane(stage.lane(trade), executor=executor)
        break_due(executor)
        wanted.refresh_from_db()
        reasons[wanted.deny_reason] += 1
    return reasons


def switch(scope: Scope, scope_id: int | None) -> tuple[str, str]:
    row = RiskState.objects.get(scope=scope, scope_id=str(scope_id))
    return row.state, row.reason


def resume(scope: Scope, scope_id: int | None) -> None:
    halting.resume(scope=scope, scope_id=str(scope_id), reason="looked at it", actor=key_rows.trader())


def test_r11_of_a_strategy_that_runs_away_ten_orders_leave_until_a_person_comes_and_ten_again():
    trade = stage.trade()
    RiskLimit.objects.filter(name="max_executions").update(value=10)
    port = stage.Exchange(trade.account_id or 0)
    refused = wish(trade, stage.executor(port))
    assert len(port.accepted) == 10
    assert refused == {"": 10, "HALTED": WISHES - 10}
    assert switch(Scope.TRADE, trade.pk) == ("HALTED", "REPEATED_EXECUTION")
    assert switch(Scope.ACCOUNT, trade.account_id)[0] == "ACTIVE"
    resume(Scope.TRADE, trade.pk)
    wish(trade, stage.executor(port))
    assert len(port.accepted) == 20


def test_r15_where_no_answer_comes_one_request_leaves_in_each_lane_and_the_third_halts_the_account():
    """V2 and V3: the exchange takes it, or not, and hangs up."""
    account = stage.rich_account()
    trades = [stage.trade(account, pair) for pair in PAIRS]
    port = stage.Exchange(account.pk, told_by(OutcomeUnknown("hung up")))
    executor = stage.executor(port)
    refused = [wish(trade, executor, 5) for trade in trades]
    assert [order.instrument.pair for order in port.accepted] == [*PAIRS]
    assert refused == [{"": 1, "LANE_UNKNOWN": 4}] * 2 + [{"": 1, "HALTED": 4}]
    assert switch(Scope.ACCOUNT, account.pk) == ("HALTED", "UNKNOWN_BREAKER")
    assert Counter(Order.objects.values_list("status", flat=True)) == {"UNKNOWN": len(PAIRS)}


def test_r16_where_all_is_refused_six_requests_leave_before_each_rest_and_the_third_rest_halts_the_account():
    """V7"""
    trade = stage.trade()
    port = stage.Exchange(trade.account_id or 0, told_by(InvalidOrder("no")))
    for turn in range(1, MAX_PAUSES + 1):
        refused = wish(trade, stage.executor(port), 10)
        assert len(port.accepted) == turn * (MAX_REJECTS + 1)
        assert refused[""] == MAX_REJECTS + 1
        assert LanePause.objects.count() == turn
        LanePause.objects.update(at=F("at") - AFTER_A_PAUSE, until=F("until") - AFTER_A_PAUSE)
        Order.objects.update(ended_at=F("ended_at") - AFTER_A_PAUSE)
    assert switch(Scope.ACCOUNT, trade.account_id) == ("HALTED", "REJECT_BREAKER")


def test_r9_of_accounts_that_fall_exactly_those_that_fall_too_far_are_halted_at_the_next_look():
    """Looks come twice a second."""
    chance, too_far = Random(9), dict[int, bool]()
    rows.pair()
    for _ in range(FALLS):
        equity, fall = Decimal(chance.randint(100, 20_000)), Decimal(chance.randint(0, 20_000)) / 100
        account = stage.rich_account()
        worth = {"day": datetime.now(UTC).date(), "equity": equity, "unrealised": -fall}
        RiskUsage.objects.filter(account=account).update(**worth)
        Position.objects.create(account=account, pair=rows.pair(), amount=Decimal("0.1"), entry_price=60_000)
        too_far[account.pk] = fall >= min(equity / 50, Decimal(100))
    stopped = break_due(stage.executor())
    assert {pk: switch(Scope.ACCOUNT, pk)[0] == "HALTED" for pk in too_far} == too_far
    assert stopped == sum(too_far.values())
    assert set(too_far.values()) == {True, False}
    assert Alert.objects.filter(kind="HALTED").count() == stopped


def test_r13_who_has_lost_its_memory_of_fills_sends_no_more_than_the_whole():
    """Knight: what was done is read of the orders themselves."""
    trade = stage.trade()
    port = stage.Exchange(trade.account_id or 0)
    executor = stage.executor(port)
    whole = rows.intent(trade, amount=Decimal("0.001"), state="WORKING")
    for _ in range(WISHES // 3):
        stage.want(trade, parent=whole, amount=Decimal("0.0004"), repeats=True)
        work_lane(stage.lane(trade), executor=executor)
        Order.objects.filter(status="OPEN").update(status="FILLED", filled=F("amount"), told=F("amount"))
    assert not OrderFill.objects.exists()
    assert not Position.objects.exists()
    assert sum(order.amount for order in port.accepted) == Decimal("0.0008")
