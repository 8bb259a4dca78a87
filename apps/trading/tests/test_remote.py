"""Ports to the simulated exchanges: what is asked and told, in base currency, and what never leaves."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from apps.feeds.errors import ClockSkew, OutcomeUnknown, Refused, RequestExpired, Retryable
from apps.feeds.market import MarketType, Side
from apps.feeds.models import TradePair
from apps.feeds.orders import OrderRef, OrderStatus
from apps.trading.execution.gateway.asking import Nonces
from apps.trading.execution.gateway.ports import InsideTransaction, SendersHalted
from apps.trading.tests import remote_seat
from apps.trading.tests.remote_seat import Desk

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)
SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
SOME = [("binance", SPOT), ("okx", FUTURES), ("hyperliquid", FUTURES), ("kucoin", SPOT)]


some = pytest.mark.parametrize("on", SOME, indirect=True, ids="-".join)
contracts = pytest.mark.parametrize("on", [("okx", FUTURES)], indirect=True, ids="-".join)


@some
def test_an_order_is_placed_looked_up_listed_and_cancelled_in_base_currency(on: Desk):
    row = on.committed()
    placed = on.port.place(on.new_order(row))
    ref = OrderRef(
        instrument=on.instrument, client_order_id=row.client_order_id, exchange_order_id=placed.exchange_order_id
    )
    found = on.port.look_up(ref)
    assert (found.status, found.amount, found.filled) == (OrderStatus.OPEN, on.amount, 0)
    for listed in (on.port.open_orders(on.instrument), on.port.open_orders(None)):
        assert [(each.client_order_id, each.amount) for each in listed] == [(row.client_order_id, on.amount)]
    on.fill(placed.exchange_order_id, on.part)
    assert on.port.look_up(ref).filled == on.part
    trades = on.port.order_trades(ref)
    assert [(each.amount, each.side) for each in trades] == [(on.part, Side.BUY)]
    assert [each.trade_id for each in on.port.own_trades(on.instrument, 0)] == [each.trade_id for each in trades]
    on.port.cancel(ref)
    assert on.port.open_orders(on.instrument) == []


@contracts
def test_what_the_exchange_does_not_list_for_us_is_left_out_of_lists(on: Desk):
    """Its amounts could not be counted."""
    on.port.place(on.new_order(on.committed()))
    assert len(on.port.open_orders(None)) == 1
    TradePair.objects.filter(pk=on.pair.pk).update(symbol="ELSE")
    assert on.port.open_orders(None) == []


@contracts
def test_positions_and_balances_are_told_in_base_currency(on: Desk):
    on.port.place(on.new_order(on.committed(on.intent(price=on.across(Side.BUY)))))
    told = on.port.positions()
    assert ([row.amount for row in told.rows], told.whole) == ([on.amount], True)
    assert {row.asset for row in on.port.balances().rows} >= {on.instrument.settle}


def test_other_orders_trades_are_not_told_as_its_own(on: Desk):
    """Where the list of one order's trades is the list of all."""
    first, second = (on.committed(on.intent(price=on.across(Side.BUY))) for _ in range(2))
    for row in (first, second):
        on.port.place(on.new_order(row))
    ref = on.port.look_up(on.ref(first))
    named = OrderRef(instrument=on.instrument, exchange_order_id=ref.exchange_order_id)
    assert sum((fill.amount for fill in on.port.order_trades(named)), Decimal(0)) == on.amount


# what never leaves


@pytest.mark.parametrize("on", [("bybit", SPOT)], indirect=True)
def test_all_pages_of_an_orders_trades_are_asked_for(on: Desk):
    executions = 120  # a page has 100
    placed = on.port.place(on.new_order(on.committed(on.intent(amount=executions * on.part))))
    for _ in range(executions):
        on.fill(placed.exchange_order_id, on.part)
    trades = on.port.order_trades(OrderRef(instrument=on.instrument, exchange_order_id=placed.exchange_order_id))
    assert [each.amount for each in trades] == executions * [on.part]


def test_nothing_is_asked_inside_a_transaction(on: Desk):
    row = on.committed()
    asked = on.asked
    for call in (
        lambda: on.port.place(on.new_order(row)),
        lambda: on.port.cancel(on.ref(row)),
        lambda: on.port.look_up(on.ref(row)),
        lambda: on.port.balances(),
    ):
        with transaction.atomic(), pytest.raises(InsideTransaction):
            call()
    assert on.asked == asked


def test_while_the_hosts_signal_file_is_there_no_order_leaves_and_cancels_do(on: Desk):
    row = on.committed()
    on.port.place(on.new_order(row))
    on.halt_file.touch()
    with pytest.raises(SendersHalted):
        on.port.place(on.new_order(on.committed()))
    on.port.cancel(on.ref(row))
    assert [each.order.status for each in on.accepted()] == ["cancelled"]


def test_the_signal_file_is_looked_for_last_of_all(on: Desk):
    """It came while the order waited for its turn."""
    order = on.new_order(on.committed())
    with pytest.raises(SendersHalted):
        on.port.place(order, check=on.halt_file.touch)
    assert on.accepted() == []


class NotNow(Exception):
    pass


def test_what_is_checked_last_of_all_can_hold_an_order_back(on: Desk):
    def check() -> None:
        raise NotNow

    asked = on.asked
    with pytest.raises(NotNow):
        on.port.place(on.new_order(on.committed()), check=check)
    assert (on.asked, on.accepted()) == (asked, [])


@pytest.mark.parametrize("on", [("binance", SPOT), ("hyperliquid", FUTURES)], indirect=True, ids="-".join)
def test_an_order_that_is_too_old_there_is_refused(on: Desk):
    order = on.new_order(on.committed())
    on.fault("clock_drift", seconds=30, account=None)
    with pytest.raises((RequestExpired, ClockSkew, OutcomeUnknown)):
        on.port.place(order)
    assert on.accepted() == []


# time and signatures


@pytest.mark.parametrize("on", [("binance", SPOT), ("okx", FUTURES)], indirect=True, ids="-".join)
def test_who_is_told_that_his_clock_is_wrong_is_unsure_until_he_has_asked(on: Desk):
    assert on.port.clock_error_ms() is not None
    on.fault("clock_drift", seconds=3_600, account=None)
    with pytest.raises(Refused):
        on.port.balances()
    assert on.port.clock_error_ms() is None
    on.measure()
    assert on.port.clock_error_ms() is not None
    on.port.balances()


def test_no_two_signatures_have_the_same_time():
    nonces, gate = Nonces(), threading.Barrier(8)

    def take(_: int) -> list[int]:
        gate.wait(60)
        return [nonces.next_ms(1_000) for _ in range(200)]

    with ThreadPoolExecutor(8) as pool:
        taken = [number for numbers in pool.map(take, range(8)) for number in numbers]
    assert len(set(taken)) == len(taken) == 1_600
    assert nonces.next_ms(1_000_000) == 1_000_000


@pytest.mark.parametrize("on", [("hyperliquid", FUTURES)], indirect=True, ids="-".join)
def test_orders_that_threads_place_at_once_are_all_taken_where_signatures_are_counted(on: Desk):
    orders = [on.new_order(on.committed()) for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        placed = list(pool.map(on.port.place, orders))
    assert len({each.exchange_order_id for each in placed}) == len(on.accepted()) == 12


# answers that do not come


def test_an_answer_that_nobody_waited_for_proves_nothing(on: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("apps.trading.execution.gateway.asking.ANSWER_S", 0.5)
    on.fault("accept_hang", seconds=30)
    with pytest.raises(OutcomeUnknown):
        on.port.place(on.new_order(on.committed()))
    on.fault("accept_hang", seconds=30, kind="read")
    with pytest.raises(Retryable):
        on.port.balances()


def test_a_list_without_end_is_no_list(on: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("apps.trading.execution.gateway.asking.MOST_PAGES", 0)
    with pytest.raises(Retryable):
        on.port.open_orders(on.instrument)


def test_nothing_of_the_key_is_shown(on: Desk):
    shown: list[Any] = [on.port, on.port._seat, vars(on.port), vars(on.port._asking)]
    assert all(secret not in repr(each) for each in shown for secret in (on.keys.key, on.keys.secret))
