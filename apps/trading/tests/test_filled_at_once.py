"""What the answer to a new order tells as filled counts at once; its fills come by the stream, later or never."""

from decimal import Decimal

import pytest
from django.db.models import F
from django.db.models.functions import Now

from apps.feeds.market import MarketType, Side
from apps.feeds.orders import NewOrder, OrderStatus, OrderType, TimeInForce
from apps.feeds.tests.trading_stand import EVERY
from apps.trading.bookkeeping import recording
from apps.trading.execution.pretrade import facts, held
from apps.trading.execution.pretrade.facts import Subject
from apps.trading.execution.resolution import resolving
from apps.trading.models import IntentResult, Order, OrderFill, Position
from apps.trading.tests import remote_seat
from apps.trading.tests.remote_seat import Desk

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)
# whose answer to a new order tells what was filled; the others name the order alone
TELLS = {"binance": OrderStatus.EXPIRED, "hyperliquid": OrderStatus.CANCELLED, "coinex": OrderStatus.PARTIAL}
EVERYWHERE = pytest.mark.parametrize("on", EVERY, indirect=True, ids="-".join)
TELLING = pytest.mark.parametrize(
    "on", [("binance", MarketType.FUTURES), ("hyperliquid", MarketType.FUTURES)], indirect=True, ids="-".join
)


def take_more_than_there_is(on: Desk) -> tuple[Order, Decimal]:
    """An IOC order that finds only part of what it asks for, as its answer was recorded; and what it found."""
    offered = on.at_best(Side.SELL)
    row = on.committed(on.intent(amount=offered + on.part, price=on.across(Side.BUY)))
    recording.record_placed(row.pk, on.port.place(ioc(on, row)), on.instrument)
    return read(row), offered


def ioc(on: Desk, row: Order) -> NewOrder:
    return on.new_order(row, tif=TimeInForce.IOC)


def read(row: Order) -> Order:
    return Order.objects.select_related("intent").get(pk=row.pk)


def counted(on: Desk) -> Decimal:
    """Coins that risk counts as held."""
    subject = Subject(
        account_id=on.account.pk,
        pair_id=on.pair.pk,
        trade_id=on.trade.pk,
        exchange=on.exchange,
        lane=f"{on.account.pk}:{on.pair.pk}",
    )
    found = facts.read(subject, now=facts_now(), resumed={})
    return sum((each.amount for each in held.holdings(found, {on.pair.pk: on.instrument})), Decimal(0))


def facts_now():
    return Order.objects.annotate(now=Now()).values_list("now", flat=True).first()


def look_again(on: Desk) -> None:
    """As much later as it takes until orders are due."""
    Order.objects.exclude(next_check_at=None).update(next_check_at=Now())
    resolving.resolve_account(on.executor(), on.account.pk)


@EVERYWHERE
def test_what_an_ioc_order_has_taken_is_counted_with_its_answer(on: Desk):
    row, offered = take_more_than_there_is(on)
    if on.exchange in TELLS:
        assert (row.status, row.filled) == (TELLS[on.exchange], offered)
        assert counted(on) == offered
    else:  # all that it may still fill counts as long
        assert (row.status, row.filled) == (OrderStatus.OPEN, 0)
    look_again(on)
    assert read(row).filled == offered
    assert counted(on) == offered
    assert sum(fill.amount for fill in OrderFill.objects.filter(order=row)) == offered
    assert Position.objects.get(account=on.account, pair=on.pair).amount == offered


@pytest.mark.parametrize("on", [each for each in EVERY if each[0] in TELLS], indirect=True, ids="-".join)
def test_of_a_full_order_the_answer_tells_all(on: Desk):
    row = on.committed(on.intent(amount=on.part, price=on.across(Side.BUY)))
    placed = on.port.place(ioc(on, row))
    assert (placed.status, placed.filled) == (OrderStatus.FILLED, on.part)


@pytest.mark.parametrize("on", [("binance", MarketType.FUTURES), ("binance", MarketType.SPOT)], indirect=True)
def test_what_rests_of_a_partly_filled_order_tells_as_much(on: Desk):
    offered = on.at_best(Side.SELL)
    row = on.committed(on.intent(amount=offered + on.part, price=on.across(Side.BUY)))
    recording.record_placed(row.pk, on.port.place(on.new_order(row)), on.instrument)
    assert (read(row).status, read(row).filled) == (OrderStatus.PARTIAL, offered)
    assert counted(on) == offered


@TELLING
def test_the_intent_of_an_order_that_ended_partly_filled_says_so(on: Desk):
    row, _ = take_more_than_there_is(on)
    assert row.intent.result == IntentResult.PARTIAL_CANCELLED


@TELLING
def test_what_was_sold_is_held_no_more(on: Desk):
    offered = on.at_best(Side.BUY)
    row = on.committed(on.intent(side=Side.SELL, amount=offered + on.part, price=on.across(Side.SELL)))
    recording.record_placed(row.pk, on.port.place(ioc(on, row)), on.instrument)
    assert counted(on) == -offered


@TELLING
def test_fills_that_nobody_pushes_are_asked_for_within_a_second_and_then_no_more(on: Desk):
    row, _ = take_more_than_there_is(on)
    wait = Order.objects.filter(pk=row.pk).values_list(F("next_check_at") - F("ended_at"), flat=True).get()
    assert 0 < wait.total_seconds() <= 1
    look_again(on)
    assert (read(row).next_check_at, read(row).status) == (None, row.status)
    assert sum(fill.fee for fill in OrderFill.objects.filter(order=row)) > 0


@TELLING
def test_fills_that_were_pushed_in_time_are_not_asked_for(on: Desk):
    row, _ = take_more_than_there_is(on)
    for fill in on.port.order_trades(on.ref(row)):
        recording.record_fill(on.account.pk, on.instrument, fill, "ws")
    asked = on.asked
    assert read(row).next_check_at is None
    assert resolving.resolve_account(on.executor(), on.account.pk) == 0
    assert on.asked == asked


@TELLING
def test_fills_that_an_exchange_never_tells_are_left_to_the_sweeps_after_a_minute(on: Desk):
    row, _ = take_more_than_there_is(on)
    on.truth.executions.clear()
    look_again(on)
    assert read(row).next_check_at is not None
    Order.objects.filter(pk=row.pk).update(ended_at=F("ended_at") - resolving.EXPLAINED)
    look_again(on)
    assert read(row).next_check_at is None


@TELLING
def test_a_market_order_counts_as_well(on: Desk):
    row = on.committed(on.intent(type=OrderType.MARKET, amount=on.part, price=None))
    recording.record_placed(
        row.pk, on.port.place(on.new_order(row, type=OrderType.MARKET, price=on.worst(Side.BUY))), on.instrument
    )
    assert (read(row).status, read(row).filled, counted(on)) == (OrderStatus.FILLED, on.part, on.part)
