"""TRADE rows are changed through services: one audit row each, and what cannot run is refused at its field."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection

from apps.feeds.models import Exchange
from apps.feeds.tests.listings import list_pairs
from apps.trading import runnable, trades
from apps.trading.models import RiskState, Trade
from apps.trading.tests import rows
from apps.users.models import Audit
from apps.users.services import Actor
from apps.users.tests.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _listed(settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    list_pairs("BTC/USDT", "ETH/USDT")


@pytest.fixture
def anna() -> Actor:
    return Actor(user="anna", role="trader", user_id=person("trader", "anna").pk)


def refused(field: str, call, **values) -> str:
    with pytest.raises(ValidationError) as error:
        call(**values)
    return " ".join(error.value.message_dict[field])


def test_a_new_row_runs_on_its_account_with_a_switch_of_its_own(anna):
    account = rows.account(mode="testnet")
    row = trades.add(account=account, pair="btc/usdt", strategy="grid", params={"layers": 3}, actor=anna)
    (running,) = runnable.trades().running
    assert (running.trade_id, running.account_id, running.mode, running.params) == (
        row.pk,
        account.pk,
        "testnet",
        {"layers": 3},
    )
    assert RiskState.objects.get(scope="trade", scope_id=str(row.pk)).state == "ACTIVE"
    assert [(one.action, one.user) for one in Audit.objects.all()] == [("trade.add", "anna")]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"pair": "DOGE/USDT"}, "pair"),
        ({"pair": ""}, "pair"),
        ({"priority": 2**31}, "priority"),
        ({"params": {str(number): 1 for number in range(201)}}, "params"),
        ({"params": {"layers": float("nan")}}, "params"),
        ({"params": {"layers": [{"size": float("inf")}]}}, "params"),
        ({"params": {"layers": 2**63}}, "params"),
    ],
)
def test_a_new_row_that_makes_no_sense_is_refused_at_its_field(anna, values, field):
    account = rows.account()
    assert refused(
        field, trades.add, **{"account": account, "pair": "BTC/USDT", "strategy": "grid", **values}, actor=anna
    )
    assert not Trade.objects.exists()
    assert not Audit.objects.exists()


def test_a_strategy_does_not_go_live_by_the_hand_of_one(anna):
    account = rows.account(mode="live")
    text = refused("account", trades.add, account=account, pair="BTC/USDT", strategy="grid", actor=anna)
    assert "second person" in text


def test_orders_by_hand_have_one_row_per_account_and_pair(anna):
    account = rows.account()
    first = trades.manual(account=account, pair="BTC/USDT", actor=anna)
    again = trades.manual(account=account, pair=" btc/usdt", actor=anna)
    other = trades.manual(account=account, pair="ETH/USDT", actor=anna)
    assert first.pk == again.pk != other.pk
    assert first.strategy == "manual"
    assert {trade.trade_id for trade in runnable.trades().running} == {first.pk, other.pk}


def test_a_row_for_orders_by_hand_is_switched_on_again(anna):
    account = rows.account()
    row = trades.manual(account=account, pair="BTC/USDT", actor=anna)
    trades.edit(trade_id=row.pk, values={"enabled": False}, actor=anna)
    assert trades.manual(account=account, pair="BTC/USDT", actor=anna).enabled


class GivenUp:
    """Two who wait for a row while a third holds it: the database gives one of them up, at its first statement."""

    times = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if not self.times and connection.savepoint_ids and "SAVEPOINT" not in sql:
            self.times += 1
            raise OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")
        return execute(sql, params, many, context)


def test_a_row_for_orders_by_hand_is_made_again_where_the_database_gave_it_up(anna):
    account = rows.account()
    with connection.execute_wrapper(given_up := GivenUp()):
        row = trades.manual(account=account, pair="BTC/USDT", actor=anna)
    assert given_up.times == 1
    assert [*Trade.objects.all()] == [row]
    assert [one.action for one in Audit.objects.all()] == ["trade.add"]


def test_what_is_done_to_a_row_is_done_again_where_the_database_gave_it_up(anna):
    row = rows.trade(rows.account())
    done = []
    for act, values in ((trades.edit, {"values": {"priority": 7}}), (trades.delete, {})):
        with connection.execute_wrapper(given_up := GivenUp()):
            act(trade_id=row.pk, actor=anna, **values)
        done.append(given_up.times)
    assert done == [1, 1]
    assert not Trade.objects.exists()
    assert [one.action for one in Audit.objects.order_by("pk")] == ["trade.edit", "trade.delete"]


def test_an_order_by_hand_locks_no_account_once_its_row_is_there(anna, django_assert_num_queries):
    account = rows.account()
    row = trades.manual(account=account, pair="BTC/USDT", actor=anna)
    with django_assert_num_queries(1):
        assert trades.manual(account=account, pair="BTC/USDT", actor=anna) == row


def test_by_hand_on_live_money_the_switch_is_off_until_a_person_turns_it_on(anna):
    row = trades.manual(account=rows.account(mode="live"), pair="BTC/USDT", actor=anna)
    assert RiskState.objects.get(scope="trade", scope_id=str(row.pk)).state == "HALTED"


def test_a_change_leaves_what_was_and_what_is(anna):
    row = rows.trade(rows.account())
    trades.edit(trade_id=row.pk, values={"enabled": False, "priority": 7}, actor=anna, reason="too loud")
    (trace,) = Audit.objects.all()
    assert (trace.action, trace.reason) == ("trade.disable", "too loud")
    assert (trace.before["enabled"], trace.after["enabled"], trace.after["priority"]) == (True, False, 7)
    trades.edit(trade_id=row.pk, values={"priority": 7}, actor=anna)
    assert Audit.objects.count() == 1


def test_a_row_that_cannot_run_is_not_switched_on(anna):
    row = rows.trade(rows.account(active=False, name="a"), enabled=False)
    assert (
        refused("enabled", trades.edit, trade_id=row.pk, values={"enabled": True}, actor=anna) == "account a is closed"
    )
    assert not Trade.objects.get(pk=row.pk).enabled


def test_a_row_that_cannot_run_can_still_be_tuned_and_switched_off(anna):
    row = rows.trade(rows.account())
    Exchange.objects.update(enabled=False)
    trades.edit(trade_id=row.pk, values={"params": {"layers": 2}}, actor=anna)
    trades.edit(trade_id=row.pk, values={"enabled": False}, actor=anna)
    assert Trade.objects.get(pk=row.pk).params == {"layers": 2}


def test_a_row_that_is_not_there_is_named(anna):
    assert "404" in refused("id", trades.edit, trade_id=404, values={"enabled": True}, actor=anna)


def test_a_row_that_traded_is_not_deleted(anna):
    traded, fresh = rows.trade(rows.account()), rows.trade(rows.account())
    rows.intent(traded)
    with pytest.raises(ValidationError, match="switch it off"):
        trades.delete(trade_id=traded.pk, actor=anna)
    trades.delete(trade_id=fresh.pk, actor=anna)
    assert list(Trade.objects.all()) == [traded]
    assert not RiskState.objects.filter(scope="trade", scope_id=str(fresh.pk)).exists()


def test_rows_of_plain_sql_get_their_switch_once():
    paper = Trade.objects.create(exchange="binance", pair="BTC/USDT")
    live = Trade.objects.create(exchange="binance", pair="BTC/USDT", mode="live")
    trades.adopt(trade_ids=[paper.pk, live.pk])
    RiskState.objects.filter(scope="trade", scope_id=str(paper.pk)).update(state="REDUCING")
    trades.adopt(trade_ids=[paper.pk, live.pk, 404])
    states = dict(RiskState.objects.filter(scope="trade").values_list("scope_id", "state"))
    assert states == {str(paper.pk): "REDUCING", str(live.pk): "HALTED"}
