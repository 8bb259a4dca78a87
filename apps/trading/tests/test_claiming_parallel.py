"""Executors that work at the same time: each intent is claimed once, each limit holds, and a halt cuts off."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Event, Thread

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from apps.feeds.models import Lease
from apps.trading.execution.entry.claiming import Claim, claim
from apps.trading.execution.entry.intake import KeyConflict
from apps.trading.execution.entry.working import work_lane
from apps.trading.execution.executors import lanes
from apps.trading.execution.executors.lanes import LaneLost
from apps.trading.models import Account, Order, OrderIntent, RiskState, Trade, TradingSwitch, Wallet
from apps.trading.tests import held_lanes, stage
from apps.trading.tests.threads import WAIT_S, closing, together

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.usefixtures("long_leases")]

AT_ONCE = 8


def test_of_the_same_wish_in_parallel_one_row_is_written():
    trade = stage.trade()
    made = together(AT_ONCE, lambda _: stage.want(trade, key="k", price=Decimal(60_000)))
    assert [each.created for each in made].count(True) == 1
    assert len({each.intent.pk for each in made}) == OrderIntent.objects.count() == 1


def test_of_different_wishes_under_one_key_one_is_written():
    trade = stage.trade()

    def one(number: int) -> bool:
        try:
            return stage.want(trade, key="k", price=Decimal(60_000 + number % 2)).created
        except KeyConflict:
            return False

    assert together(AT_ONCE, one).count(True) == 1
    assert OrderIntent.objects.count() == 1


def test_wishes_in_parallel_never_reserve_more_than_there_is():
    trade = stage.trade()
    Wallet.objects.filter(asset="USDT").update(free=Decimal(200), total=Decimal(200), expected=Decimal(200))
    reasons = together(AT_ONCE, lambda _: stage.want(trade).intent.deny_reason)
    assert Counter(reasons) == {"": 3, "BALANCE": AT_ONCE - 3}


def test_executors_that_work_one_lane_together_send_each_intent_once_and_in_order():
    trade = stage.trade()
    wanted = [stage.want(trade).intent.pk for _ in range(12)]
    port = stage.Exchange(trade.account_id)

    def work(_: int) -> None:
        executor = stage.executor(port)
        while lanes.has_waiting(stage.lane(trade)):
            work_lane(stage.lane(trade), executor=executor)

    together(4, work)
    sent = [Order.objects.get(client_order_id=order.client_order_id).intent_id for order in port.accepted]
    assert sent == wanted


def test_of_two_who_believe_that_they_hold_the_lane_the_former_sends_nothing():
    trade = stage.trade()
    stage.want(trade)
    port = stage.Exchange(trade.account_id)
    first, second = stage.executor(port), stage.executor(port)
    former = held_lanes.acquire(stage.lane(trade), first)
    Lease.objects.update(expires_at=Now() - timedelta(seconds=1))
    owner = held_lanes.acquire(stage.lane(trade), second)
    assert former is not None
    assert owner is not None
    believers = [(former, first), (owner, second)]

    def one(number: int) -> str:
        held, executor = believers[number % 2]
        try:
            made = claim(held, executor=executor, port=port)
        except LaneLost:
            return "lost"
        return "claimed" if isinstance(made, Claim) else "nothing"

    told = together(AT_ONCE, one)
    assert told[::2] == ["lost"] * (AT_ONCE // 2)
    assert Counter(told[1::2])["claimed"] == 1
    assert Order.objects.count() == 1


class Pause:
    """Ids that are made when the test lets them: in the middle of T1, after everything was read."""

    def __init__(self) -> None:
        self.reached, self.go_on = Event(), Event()

    def make(self, *args, **kwargs) -> str:
        self.reached.set()
        assert self.go_on.wait(WAIT_S)
        return stage.IDS.make(*args, **kwargs)


class Halfway:
    """A thread that stands in the middle of T1 while entered; then it goes on to its commit."""

    def __init__(self, trade: Trade) -> None:
        stage.want(trade)
        port, self._pause = stage.Exchange(trade.account_id), Pause()
        executor = replace(stage.executor(port), ids=self._pause)
        self._thread = Thread(target=closing(work_lane), args=(stage.lane(trade),), kwargs={"executor": executor})

    def __enter__(self) -> None:
        self._thread.start()
        assert self._pause.reached.wait(WAIT_S)

    def __exit__(self, *_) -> None:
        self._pause.go_on.set()
        self._thread.join(WAIT_S)


@pytest.mark.mariadb
@pytest.mark.parametrize("scope", ["global", "exchange", "account", "trade"])
def test_a_halt_waits_for_whoever_has_read_the_switch(scope):
    trade = stage.trade()
    named = {"global": "", "exchange": "binance", "account": str(trade.account_id), "trade": str(trade.pk)}
    row = RiskState.objects.get(scope=scope, scope_id=named[scope])
    with Halfway(trade), pytest.raises(OperationalError, match="1205"), transaction.atomic():
        RiskState.objects.select_for_update(nowait=True).get(pk=row.pk)
    assert Order.objects.count() == 1
    with transaction.atomic():
        RiskState.objects.select_for_update(nowait=True).get(pk=row.pk)


@pytest.mark.mariadb
def test_another_build_or_live_money_is_allowed_only_between_orders():
    trade = stage.trade()
    with Halfway(trade), pytest.raises(OperationalError, match="1205"), transaction.atomic():
        TradingSwitch.objects.select_for_update(nowait=True).get()


@pytest.mark.mariadb
def test_one_account_is_decided_upon_at_a_time():
    trade = stage.trade()
    with Halfway(trade), pytest.raises(OperationalError, match="1205"), transaction.atomic(), connection.cursor() as c:
        c.execute("SELECT 1 FROM risk_usage WHERE account_id = %s FOR UPDATE NOWAIT", [trade.account_id])


@pytest.mark.mariadb
def test_the_lane_cannot_be_taken_over_in_the_middle():
    trade = stage.trade()
    with Halfway(trade), pytest.raises(OperationalError, match="1205"), transaction.atomic():
        Lease.objects.select_for_update(nowait=True).get()


@pytest.mark.mariadb
def test_an_account_is_closed_only_between_orders():
    trade = stage.trade()
    with Halfway(trade), pytest.raises(OperationalError, match="1205"), transaction.atomic():
        Account.objects.select_for_update(nowait=True).get(pk=trade.account_id)


@pytest.mark.mariadb
def test_an_intent_that_is_being_claimed_cannot_be_cancelled():
    trade = stage.trade()
    with Halfway(trade), pytest.raises(OperationalError, match="1205"), transaction.atomic():
        OrderIntent.objects.select_for_update(nowait=True).get()


def test_lanes_of_one_account_never_send_more_than_its_limits_together():
    account = stage.rich_account()
    trades = [stage.trade(account, name) for name in ("BTC/USDT", "ETH/USDT")]
    Wallet.objects.filter(asset="USDT").update(free=Decimal(1_000), total=Decimal(1_000), expected=Decimal(1_000))
    for trade in trades * 2:
        stage.want(trade)
    Wallet.objects.filter(asset="USDT").update(free=Decimal(250), total=Decimal(250), expected=Decimal(250))
    port = stage.Exchange(account.pk)
    together(2, lambda number: work_lane(stage.lane(trades[number]), executor=stage.executor(port)))
    assert sum(order.amount * order.price for order in port.accepted) * Decimal("1.002") <= 250
