"""The exchange's own timer: kept by executors, and what it leaves when they are gone."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds.drivers import registry
from apps.feeds.market import MarketType
from apps.feeds.tests.trading_stand import credentials
from apps.feeds.tests.waiting import await_that
from apps.trading.execution.controls.dead_men import entries_rest
from apps.trading.halts import halting
from apps.trading.models import Account
from apps.trading.risk.view import Scope
from apps.trading.tests import key_rows, remote_seat, timer_desk
from apps.trading.tests.remote_seat import Desk
from apps.trading.tests.timer_desk import KEPT, LEAST_VOLUME, NOT_OFFERED, deadline, end, is_armed, look, resting, terms
from apps.users.alerts import ack
from apps.users.models import Alert

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(timer_desk.on, params=sorted(KEPT))


def test_it_is_armed_with_the_first_entry_and_taken_off_after_the_last(on: Desk):
    assert (look(on), is_armed(on)) == (0, False)
    row = resting(on)
    assert (look(on), is_armed(on)) == (1, True)
    assert 0 < (deadline(on) or 0) - on.port.now_ms() <= terms(on).timer_ms + 1_000
    assert look(on, terms=replace(terms(on), refresh_ms=terms(on).timer_ms)) == 0  # not due
    end(on, row, on.instrument)
    assert (look(on), is_armed(on), deadline(on)) == (1, False, None)


def test_it_is_refreshed_long_before_it_is_due(on: Desk):
    resting(on)
    look(on)
    before = deadline(on) or 0
    on.go_on(terms(on).refresh_ms / 1000 + 1)
    assert look(on) == 1
    assert (deadline(on) or 0) > before


@pytest.mark.parametrize("values", [{"purpose": "close"}, {"purpose": "hedge"}])
def test_what_protects_a_position_arms_nothing(on: Desk, values: dict[str, str]):
    resting(on, **values)
    assert not entries_rest(on.account.pk)
    assert (look(on), is_armed(on)) == (0, False)


def test_a_process_that_ends_as_it_should_takes_it_off(on: Desk):
    resting(on)
    look(on)
    assert (look(on, stopping=True), is_armed(on), deadline(on)) == (1, False, None)


def test_an_exchange_that_does_not_answer_is_told_again(on: Desk):
    resting(on)
    on.fault("error_not_placed", kind="any", count=5)
    assert (look(on), is_armed(on)) == (0, False)
    on.fault("error_not_placed", count=0)
    assert look(on) == 1


def test_one_that_may_run_though_nobody_heard_of_it_is_taken_off_after_the_last_entry(on: Desk):
    row = resting(on)
    on.fault("accept_reset", kind="any", count=1)
    assert (look(on), is_armed(on)) == (0, True)
    end(on, row, on.instrument)
    assert (look(on), is_armed(on), deadline(on)) == (1, False, None)


def test_one_that_may_run_though_nobody_heard_of_it_is_told_again_at_once(on: Desk):
    resting(on)
    on.fault("accept_reset", kind="any", count=1)
    assert [look(on), look(on), look(on)] == [0, 1, 0]


def test_one_whose_process_died_when_it_was_told_is_taken_off_by_the_next(on: Desk, monkeypatch: pytest.MonkeyPatch):
    row, tell = resting(on), type(on.port).dead_man

    def die(*told: Any) -> None:
        tell(*told)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(type(on.port), "dead_man", die)
        with pytest.raises(KeyboardInterrupt):
            look(on)
    on.port = on.port_by(on.client)
    end(on, row, on.instrument)
    assert (look(on), is_armed(on), deadline(on)) == (1, False, None)


def test_when_everybody_is_gone_the_exchange_cancels_and_the_account_rests_until_a_person_resumes(
    on: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("apps.feeds.simulator.trading.dead_men.PACE", 0.001)
    resting(on)
    assert look(on) == 1
    await_that(lambda: not on.accepted()[0].order.is_open)
    on.go_on(90)
    assert look(on) == 0
    row = Account.objects.get(pk=on.account.pk)
    assert (row.dead_man_ms, row.dead_man_fired_at is not None) == (None, True)
    assert Alert.objects.filter(kind="DEAD_MAN", scope_id=str(on.account.pk)).count() == 1
    resting(on)
    assert look(on) == 0  # it waits for a person
    of = {"scope": Scope.ACCOUNT, "scope_id": str(on.account.pk)}
    halting.resume(**of, reason="looked at it", actor=key_rows.trader())
    assert look(on) == 1


@pytest.mark.parametrize("on", ["hyperliquid-futures"], indirect=True)
def test_an_account_that_is_refused_a_timer_has_none_and_is_asked_for_it_much_later(
    on: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(LEAST_VOLUME, Decimal(1_000_000))
    resting(on)
    before = on.asked
    assert [look(on) for _ in range(3)] == [0, 0, 0]
    assert (on.asked, deadline(on), is_armed(on)) == (before + 1, None, False)
    monkeypatch.setattr("apps.trading.execution.controls.dead_men.AGAIN_S", 0.0)
    assert (look(on), on.asked) == (0, before + 2)
    monkeypatch.setattr(LEAST_VOLUME, Decimal(0))
    assert (look(on), is_armed(on)) == (1, True)


@pytest.mark.parametrize("on", ["okx-futures", "binance-futures"], indirect=True)
def test_a_refused_timer_is_told_once_halts_nothing_and_is_over_once_there_is_one(
    on: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("apps.trading.execution.controls.dead_men.AGAIN_S", 0.0)
    resting(on)
    on.fault("reject", kind="any", count=3)
    assert [look(on) for _ in range(2)] == [0, 0]
    ack(alert_id=Alert.objects.get().pk, actor=key_rows.trader())
    assert look(on) == 0
    alert = Alert.objects.get()
    assert (alert.kind, alert.scope, alert.scope_id, alert.escalates) == (
        "NO_TIMER",
        "account",
        str(on.account.pk),
        False,
    )
    on.fault("reject", kind="any", count=0)
    assert (look(on), is_armed(on), Alert.objects.filter(cleared_at=None).count()) == (1, True, 0)


@pytest.mark.parametrize("on", ["hyperliquid-futures"], indirect=True)
def test_a_timer_that_runs_and_is_refused_another_time_is_asked_for_until_it_is_due(
    on: Desk, monkeypatch: pytest.MonkeyPatch
):
    resting(on)
    look(on)
    due_ms = deadline(on)
    monkeypatch.setattr(LEAST_VOLUME, Decimal(1_000_000))
    on.go_on(terms(on).refresh_ms / 1000 + 1)
    before = on.asked
    assert [look(on) for _ in range(2)] == [0, 0]
    assert (on.asked, deadline(on), due_ms is None) == (before + 2, due_ms, False)


@pytest.mark.parametrize("on", ["okx-spot"], indirect=True)
def test_a_refusal_for_the_time_of_the_request_says_nothing_of_the_timer(on: Desk):
    resting(on)
    on.fault("clock_drift", seconds=100, account=None)
    assert look(on) == 0
    on.measure()
    assert look(on) == 1


def test_which_exchanges_have_one_is_known():
    have = {
        f"{exchange}-{market}"
        for exchange in registry.trader_ids()
        for market in MarketType
        if registry.trader(exchange).dead_man_terms(credentials(exchange, "anna"), market) is not None
    }
    assert have == KEPT
    everywhere = {f"{exchange}-{market}" for exchange in registry.trader_ids() for market in MarketType}
    assert everywhere - have == set(NOT_OFFERED)
