"""Controls that trip by themselves are carried out, whether anything is being ordered or not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models.functions import Now

from apps.trading.execution.controls import breaking
from apps.trading.execution.controls.breaking import Place, break_due, check, places
from apps.trading.execution.runtime import failing
from apps.trading.halts import halting
from apps.trading.models import (
    Arbitrage,
    LanePause,
    Order,
    OrderIntent,
    Position,
    RiskLimit,
    RiskState,
    RiskUsage,
    Trade,
    Wallet,
)
from apps.trading.risk.limits import MAX_PAUSES
from apps.trading.risk.view import Scope
from apps.trading.tests import key_rows, rows, stage
from apps.users.alerts import ack, raise_alert
from apps.users.models import Alert

pytestmark = pytest.mark.django_db


@pytest.fixture
def trade() -> Trade:
    return stage.trade()


def states(of: Trade) -> dict[str, str]:
    ids = [str(of.account_id), str(of.pk)]
    found = RiskState.objects.filter(scope__in=["account", "trade"], scope_id__in=ids)
    wanted = {("account", ids[0]), ("trade", ids[1])}
    return {row.scope: row.state for row in found if (row.scope, row.scope_id) in wanted}


def reason(of: Trade, scope: Scope) -> str:
    scope_id = str(of.account_id if scope is Scope.ACCOUNT else of.pk)
    return RiskState.objects.get(scope=scope, scope_id=scope_id).reason


def ordered(of: Trade, **values: Any) -> Order:
    intent = rows.intent(of, state="DONE", result="REJECTED")
    return rows.order(intent, **values)


def place(of: Trade) -> Place:
    return Place(of.account_id or 0, rows.pair(of.pair, of.exchange).pk, of.pk)


def test_where_nothing_is_wrong_nothing_is_stopped(trade: Trade):
    ordered(trade, status="FILLED", filled=Decimal("0.5"))
    assert break_due(stage.executor()) == 0
    assert states(trade) == {"account": "ACTIVE", "trade": "ACTIVE"}


def test_the_third_unknown_of_an_account_halts_it(trade: Trade):
    for number in range(3):
        assert break_due(stage.executor()) == 0, number
        ordered(trade, status="UNKNOWN", unknown_at=Now())
    assert break_due(stage.executor()) == 1
    assert (states(trade), reason(trade, Scope.ACCOUNT)) == (
        {"account": "HALTED", "trade": "ACTIVE"},
        "UNKNOWN_BREAKER",
    )
    assert break_due(stage.executor()) == 0
    assert Alert.objects.filter(kind="HALTED").count() == 1


def test_rows_that_cannot_be_reckoned_with_leave_other_accounts_their_breakers(trade: Trade):
    broken = stage.trade(stage.rich_account(), "ETH/USDT")
    Position.objects.create(account=broken.account, pair=rows.pair("ETH/USDT"), amount=1, mismatch_since=Now())
    rows.pair("ETH/USDT").__class__.objects.filter(pair="ETH/USDT").update(lot=0)
    for each in (broken, trade):
        for _ in range(3):
            ordered(each, status="UNKNOWN", unknown_at=Now())
    executor = stage.executor()
    before = failing.counts().get("breakers", 0)
    assert break_due(executor) == 1
    assert (states(trade)["account"], states(broken)["account"]) == ("HALTED", "ACTIVE")
    assert failing.counts()["breakers"] - before == 1


def test_too_many_rejects_rest_the_lane_and_too_many_rests_halt_the_account(trade: Trade):
    for _ in range(6):
        ordered(trade, status="REJECTED", ended_at=Now())
    assert [check(place(trade), stage.StillMarket()) for _ in range(2)] == [1, 0]
    pause = LanePause.objects.get()
    assert (pause.lane, pause.reason) == (stage.lane(trade), "LANE_PAUSED")
    assert pause.until > pause.at
    assert states(trade)["account"] == "ACTIVE"
    for _ in range(MAX_PAUSES - 1):
        LanePause.objects.create(lane=pause.lane, account_id=trade.account_id, until=Now(), reason="before")
    assert check(place(trade), stage.StillMarket()) == 1
    assert (states(trade)["account"], reason(trade, Scope.ACCOUNT)) == ("HALTED", "REJECT_BREAKER")


def test_a_trade_that_executes_too_often_is_halted_and_its_account_goes_on(trade: Trade):
    RiskLimit.objects.filter(name="max_executions").update(value=10)
    for _ in range(10):
        ordered(trade, status="FILLED")
    assert break_due(stage.executor()) == 1
    assert states(trade) == {"account": "ACTIVE", "trade": "HALTED"}
    assert reason(trade, Scope.TRADE) == "REPEATED_EXECUTION"


def test_a_lost_day_halts_an_account_that_orders_nothing(trade: Trade):
    """It only holds something, whose worth falls."""
    pair = rows.pair(trade.pair, trade.exchange)
    Position.objects.create(account=trade.account, pair=pair, amount=Decimal("0.1"), entry_price=60_000)
    RiskUsage.objects.filter(account=trade.account).update(day=datetime.now(UTC).date(), equity=1_000, unrealised=-19)
    assert break_due(stage.executor()) == 0
    RiskUsage.objects.filter(account=trade.account).update(unrealised=Decimal("-20.01"))
    assert break_due(stage.executor()) == 1
    assert (states(trade)["account"], reason(trade, Scope.ACCOUNT)) == ("HALTED", "DAY_LOSS")


@pytest.mark.parametrize(("age_s", "state"), [(20, "ACTIVE"), (31, "REDUCING"), (61, "HALTED")])
def test_a_balance_that_differs_reduces_and_then_halts_an_account_that_does_nothing(
    trade: Trade, age_s: int, state: str
):
    rows.pair(trade.pair, trade.exchange)
    since = Now() - timedelta(seconds=age_s)
    Wallet.objects.filter(account=trade.account, asset="USDT").update(mismatch_since=since)
    break_due(stage.executor())
    assert states(trade)["account"] == state


def test_a_leg_that_nothing_covers_lets_its_trade_only_reduce(trade: Trade):
    ordered(trade, status="FILLED")
    since = Now() - timedelta(seconds=3)
    Arbitrage.objects.create(trade=trade, status="PENDING", unhedged=1, unhedged_since=since)
    assert break_due(stage.executor()) == 1
    assert (states(trade), reason(trade, Scope.TRADE)) == ({"account": "ACTIVE", "trade": "REDUCING"}, "UNHEDGED")


@pytest.mark.parametrize("scope", ["account", "trade"])
def test_an_alert_that_nobody_has_seen_for_five_minutes_halts_its_account(trade: Trade, scope: str):
    """Of a TRADE as well, though it orders nothing any more."""
    of = trade.account_id if scope == "account" else trade.pk
    alert = raise_alert(kind="UNKNOWN", text="a", scope=scope, scope_id=str(of))
    assert break_due(stage.executor()) == 0
    Alert.objects.filter(pk=alert.pk).update(at=Now() - timedelta(seconds=301))
    assert break_due(stage.executor()) == 1
    assert (states(trade)["account"], reason(trade, Scope.ACCOUNT)) == ("HALTED", "ALERT_UNACKED")
    alert.refresh_from_db()
    assert alert.escalated_at is not None


def test_an_alert_that_somebody_has_seen_halts_nothing(trade: Trade):
    rows.pair(trade.pair, trade.exchange)
    anna = key_rows.trader()
    alert = raise_alert(kind="UNKNOWN", text="a", scope="account", scope_id=str(trade.account_id))
    Alert.objects.filter(pk=alert.pk).update(at=Now() - timedelta(seconds=301))
    ack(alert_id=alert.pk, actor=anna)
    assert break_due(stage.executor()) == 0


def test_what_is_halted_already_is_left_as_it_is(trade: Trade):
    halting.halt(scope=Scope.ACCOUNT, scope_id=str(trade.account_id), reason="by hand", actor=key_rows.trader())
    for _ in range(3):
        ordered(trade, status="UNKNOWN", unknown_at=Now())
    assert break_due(stage.executor()) == 0
    assert reason(trade, Scope.ACCOUNT) == "by hand"


def test_each_lane_with_its_trade_is_looked_at_and_quiet_accounts_are_not(trade: Trade):
    ordered(trade)
    other = stage.trade(trade.account, "ETH/USDT")
    ordered(other)
    stage.trade()  # of an account that does nothing
    ordered(stage.trade(), created_at=Now() - timedelta(seconds=breaking.RECENT_S + 1))
    assert places() == [place(trade), place(other)]


def test_a_closed_account_is_not_looked_at(trade: Trade):
    ordered(trade)
    type(trade.account).objects.filter(pk=trade.account_id).update(active=False)
    assert places() == []
    assert OrderIntent.objects.count() == 1


def test_what_tripped_before_a_person_resumed_trips_no_more(trade: Trade):
    for _ in range(3):
        ordered(trade, status="FILLED", unknown_at=Now() - timedelta(seconds=1))
    for _ in range(MAX_PAUSES):
        before = Now() - timedelta(seconds=1)
        LanePause.objects.create(
            lane=stage.lane(trade), account_id=trade.account_id, at=before, until=before, reason="before"
        )
    assert break_due(stage.executor()) == 2  # for two reasons
    halting.resume(scope=Scope.ACCOUNT, scope_id=str(trade.account_id), reason="looked at it", actor=key_rows.trader())
    assert (break_due(stage.executor()), states(trade)["account"]) == (0, "ACTIVE")
    assert stage.want(trade).intent.deny_reason == ""
    for _ in range(3):
        ordered(trade, status="FILLED", unknown_at=Now())
    assert break_due(stage.executor()) == 1
