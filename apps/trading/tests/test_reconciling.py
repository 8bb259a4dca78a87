"""Before an account opens its books are those of the exchange; what cannot be explained stops it, and says why."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from django.db.models.functions import Now

from apps.feeds.errors import FeedError
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import OrderStatus
from apps.trading.bookkeeping import comparing
from apps.trading.collecting import reconciling
from apps.trading.collecting.reconciling import judge, reconcile
from apps.trading.execution.gateway.ports import CannotWork
from apps.trading.halts import halting
from apps.trading.models import Account, Order, Position, RiskState, Wallet
from apps.trading.order_state import FINAL
from apps.trading.risk.view import Scope
from apps.trading.tests import remote_seat
from apps.trading.tests.listened_seat import counted, foreign, halted, placed, read, seat
from apps.trading.tests.remote_seat import Desk, Exchanges
from apps.users.models import Alert
from apps.users.services import Actor
from apps.users.tests.people import person

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
EVERYWHERE = [("binance", SPOT), ("htx", SPOT), ("hyperliquid", FUTURES), ("kucoin", SPOT), ("okx", FUTURES)]


@pytest.fixture
def on(exchanges: Exchanges, tmp_path: Path, settings, monkeypatch, request) -> Iterator[Desk]:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(reconciling, "PAUSE_S", 0.0)
    yield from seat(exchanges, *getattr(request, "param", ("binance", SPOT)), tmp_path)


FEW = [("binance", SPOT), ("hyperliquid", FUTURES)]
in_a_few = pytest.mark.parametrize("on", FEW, indirect=True, ids="-".join)
everywhere = pytest.mark.parametrize("on", EVERYWHERE, indirect=True, ids="-".join)


def gate(on: Desk) -> reconciling.Report:
    return reconcile(on.account.pk, on.executor())


def drift(on: Desk) -> str:
    """The exchange has more than our fills make; the asset."""
    asset = on.instrument.base
    Wallet.objects.filter(account=on.account, asset=asset).update(expected=Decimal(1))
    return asset


def switch(on: Desk) -> str:
    return RiskState.objects.get(scope="account", scope_id=str(on.account.pk)).state


def since(on: Desk, seconds: float) -> None:
    rows = Wallet.objects.filter(account=on.account, mismatch_since__isnull=False)
    assert rows.update(mismatch_since=Now() - timedelta(seconds=seconds)) > 0


@everywhere
def test_an_account_with_open_orders_missed_fills_and_orders_of_others_opens_clean(on: Desk):
    assert gate(on).is_clean
    full = placed(on)
    on.fill(full.exchange_order_id, on.amount)
    part, gone = placed(on), placed(on, on.far(Side.BUY))
    on.fill(part.exchange_order_id, on.part)
    on.port.cancel(on.ref(gone))
    theirs = foreign(on)
    report = gate(on)
    assert report.is_clean, report
    assert (read(full).status, read(part).filled) == (OrderStatus.FILLED, on.part)
    assert Order.objects.get(exchange_order_id=theirs).is_external
    for row in (part, full):
        assert sum((fill.amount for fill in row.fills.all()), Decimal(0)) == read(row).filled
    assert Account.objects.get(pk=on.account.pk).reconciled_at is not None


@in_a_few
def test_a_third_reconcile_writes_no_row(on: Desk):
    gate(on)
    row = placed(on)
    on.fill(row.exchange_order_id, on.part)
    foreign(on)
    gate(on)
    rows = counted()
    assert gate(on).swept.changed == 0
    assert counted() == rows


@in_a_few
def test_what_was_held_before_is_taken_for_what_is_there(on: Desk):
    placed(on)
    gate(on)
    known = Wallet.objects.filter(account=on.account, total__gt=0)
    assert known.exists()
    if on.market is SPOT:
        assert all(row.expected == row.total for row in known)
    assert comparing.compare(on.account.pk) == []


def test_a_difference_that_is_there_when_the_account_opens_halts_it_and_says_why(on: Desk):
    gate(on)
    asset = drift(on)
    report = gate(on)
    assert not report.is_clean
    assert halted(on).startswith(f"MISMATCH: {asset}: the exchange has")
    assert Alert.objects.filter(scope="account", scope_id=str(on.account.pk)).exists()


def test_what_is_filled_while_the_account_is_reconciled_does_not_halt_it(on: Desk, monkeypatch):
    gate(on)
    row = placed(on)
    on.fill(row.exchange_order_id, on.part)
    ask = on.port.balances

    def just_then():
        """The next part is filled after the trades were asked for, and before the balances are."""
        on.fill(row.exchange_order_id, on.part)
        on.port.__dict__.pop("balances")
        return ask()

    on.port.balances = just_then
    assert gate(on).is_clean
    assert read(row).filled == 2 * on.part


def test_a_difference_reduces_the_account_after_half_a_minute_and_halts_it_after_a_minute(on: Desk):
    gate(on)
    drift(on)
    assert [each.lots > 1 for each in judge(on.account.pk)] == [True]
    assert switch(on) == "ACTIVE"
    since(on, 31)
    judge(on.account.pk)
    assert switch(on) == "REDUCING"
    since(on, 61)
    judge(on.account.pk)
    assert switch(on) == "HALTED"


def test_a_hundred_differences_stop_the_account_as_large_and_as_old_as_they_are(on: Desk):
    """R17"""
    placed(on)
    gate(on)
    of, anna = {"scope": Scope.ACCOUNT, "scope_id": str(on.account.pk)}, person("trader", "anna")
    row = Wallet.objects.get(account=on.account, asset=on.instrument.base)
    chance, met = Random(17), Counter[str]()
    for _ in range(100):
        halting.resume(**of, actor=Actor(user="anna", user_id=anna.pk), reason="the next one")
        lots, age_s = Decimal(chance.randint(-30, 30)) / 10, chance.choice((0, 15, 28, 32, 45, 58, 62, 90, 600))
        Wallet.objects.filter(pk=row.pk).update(expected=row.total + lots * on.instrument.lot, mismatch_since=None)
        counts = abs(lots) > 1
        assert [each.lots for each in judge(on.account.pk)] == ([-lots] if counts else [])
        if counts:
            since(on, age_s)
            judge(on.account.pk)
        state = switch(on)
        assert state == (("HALTED" if age_s > 60 else "REDUCING" if age_s > 30 else "ACTIVE") if counts else "ACTIVE")
        met[state] += 1
    assert min(met.values()) >= 10
    assert len(met) == 3


def test_a_difference_that_is_gone_again_stops_nothing(on: Desk):
    gate(on)
    drift(on)
    judge(on.account.pk)
    since(on, 29)
    comparing.accept(on.account.pk)
    assert judge(on.account.pk) == []
    assert switch(on) == "ACTIVE"
    assert not Wallet.objects.filter(account=on.account).exclude(mismatch_since=None).exists()


def test_a_person_who_resumes_has_taken_what_the_exchange_tells_for_what_is_there(on: Desk):
    gate(on)
    drift(on)
    assert not gate(on).is_clean
    anna = person("trader", "anna")
    resumed = {"scope": Scope.ACCOUNT, "scope_id": str(on.account.pk), "actor": Actor(user="anna", user_id=anna.pk)}
    halting.resume(**resumed, reason="a deposit")
    assert gate(on).is_clean
    assert switch(on) == "ACTIVE"


def test_a_person_who_resumes_from_something_else_has_not_looked_at_what_differs(on: Desk):
    gate(on)
    of = {"scope": Scope.ACCOUNT, "scope_id": str(on.account.pk)}
    halting.halt(**of, reason="DAY_LOSS", actor=halting.control("risk"))
    drift(on)
    assert not gate(on).is_clean
    assert halted(on) == "DAY_LOSS"
    anna = person("trader", "anna")
    halting.resume(**of, actor=Actor(user="anna", user_id=anna.pk), reason="a new day")
    assert not gate(on).is_clean
    assert halted(on).startswith("MISMATCH: ")


@pytest.mark.parametrize("on", [("okx", FUTURES)], indirect=True)
def test_a_position_that_somebody_opened_elsewhere_halts_the_account(on: Desk):
    gate(on)
    placed(on)
    Position.objects.create(account=on.account, pair=on.pair, side="net", told_amount=0, amount=on.part)
    assert not gate(on).is_clean
    assert on.pair.pair in halted(on)


def test_a_question_that_fails_is_no_information(on: Desk):
    gate(on)
    row = placed(on)
    on.fill(row.exchange_order_id, on.amount)
    rows = counted()
    on.fault("rate_limit", kind="read", seconds=60)
    with pytest.raises(FeedError):
        gate(on)
    on.fault("rate_limit", count=0)
    assert counted() == rows
    assert (read(row).status, switch(on)) == (OrderStatus.OPEN, "ACTIVE")


def test_an_account_that_nobody_here_can_ask_for_is_not_reconciled(on: Desk):
    with pytest.raises(CannotWork):
        reconcile(on.account.pk + 1, on.executor())


def test_an_order_that_was_lost_is_not_taken_for_failed(on: Desk):
    gate(on)
    row = on.committed()
    on.port.place(on.new_order(row))
    report = gate(on)
    assert (read(row).status, report.unresolved) == (OrderStatus.OPEN, 0)
    other = on.committed()
    assert gate(on).unresolved == 1
    assert read(other).status not in FINAL


def test_many_open_orders_cost_few_queries(on: Desk, django_assert_max_num_queries):
    gate(on)
    for number in range(20):
        placed(on, on.far(Side.BUY) - number * on.step_of(on.instrument))
    gate(on)
    with django_assert_max_num_queries(40):
        assert gate(on).open_orders == 20


def test_the_fees_of_the_account_are_learnt_once_a_day(on: Desk):
    gate(on)
    assert Account.objects.get(pk=on.account.pk).taker_fee is None
    placed(on)
    gate(on)
    row = Account.objects.get(pk=on.account.pk)
    assert row.taker_fee is not None
    gate(on)
    assert Account.objects.get(pk=on.account.pk).fees_at == row.fees_at
