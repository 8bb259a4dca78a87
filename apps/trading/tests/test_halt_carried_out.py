"""What executors make of a halt at the simulated exchanges: all that rests is cancelled, what is held is closed."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db.models.functions import Now

from apps.feeds.errors import OutcomeUnknown
from apps.feeds.market import BookKey, BookState, MarketType, Side
from apps.feeds.orders import OrderStatus, OrderType
from apps.trading.bookkeeping import recording
from apps.trading.execution.cancels import cancelling
from apps.trading.execution.controls import flattening
from apps.trading.execution.entry.working import work_lane
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.executors.lanes import lane_of
from apps.trading.execution.pretrade.market import mid_of
from apps.trading.execution.resolution import resolving
from apps.trading.execution.runtime import failing
from apps.trading.halts import halting
from apps.trading.models import (
    Account,
    HaltMode,
    IntentState,
    Order,
    OrderFill,
    OrderIntent,
    Position,
    RiskState,
    TradingSwitch,
    Wallet,
)
from apps.trading.risk.view import Scope, Top
from apps.trading.tests import key_rows, remote_seat, stage
from apps.trading.tests.looks import resolve_due
from apps.trading.tests.remote_seat import Desk
from apps.users.models import Alert
from apps.users.services import SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("long_leases")]
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)
SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
ALL_DIALECTS = [
    *(("binance", SPOT), ("bybit", FUTURES), ("okx", FUTURES), ("kucoin", SPOT)),
    *(("coinex", FUTURES), ("htx", FUTURES), ("mexc", SPOT), ("hyperliquid", FUTURES)),
]


def open_order(on: Desk, **values: Any) -> Order:
    row = on.committed(on.intent(**values))
    recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    return row


def carry_out(on: Desk, executor: Executor) -> Any:
    """What the threads of executors do, again and again, until all is confirmed."""
    told = None
    for ahead_s in remote_seat.LOOKS_S:
        on.go_on(ahead_s)
        cancelling.cancel_due(executor)
        Order.objects.filter(account=on.account, status__in=["OPEN", "PARTIAL", "UNKNOWN"]).update(next_check_at=Now())
        resolve_due(executor, limit=100)
        told = halting.report(scope=Scope.ACCOUNT, scope_id=str(on.account.pk))
        if told is not None and told.is_done:
            break
    return told


def halt(on: Desk, mode: HaltMode = HaltMode.CANCEL) -> None:
    of = {"scope": Scope.ACCOUNT, "scope_id": str(on.account.pk)}
    actor = key_rows.trader() if mode is HaltMode.FLATTEN else SYSTEM
    halting.halt(**of, reason="enough", actor=actor, mode=mode, confirmed=mode is HaltMode.FLATTEN)


def left(on: Desk) -> list[str]:
    return [each.order.status for each in on.accepted() if each.order.is_open]


@pytest.mark.parametrize("on", ALL_DIALECTS, indirect=True, ids="-".join)
def test_all_that_rests_is_cancelled_and_each_order_confirmed(on: Desk):
    """On spot and futures, whatever the exchange offers for it."""
    next_to_be_filled = on.near(Side.BUY)
    made = [open_order(on, price=next_to_be_filled) for _ in range(4)]
    on.fill(on.accepted()[0].order.id, on.part)
    halt(on)
    told = carry_out(on, on.executor())
    assert (left(on), told.unconfirmed) == ([], 0)
    assert {line.verdict for line in told.lines} == {"confirmed"}
    assert sorted(line.order_id for line in told.lines) == [row.pk for row in made]
    assert sum(fill.amount for fill in OrderFill.objects.filter(order__in=made)) == on.part


@pytest.mark.parametrize("on", [("binance", SPOT), ("kucoin", SPOT)], indirect=True, ids="-".join)
def test_an_order_whose_request_was_still_under_way_is_cancelled_when_it_appears(on: Desk):
    """It was committed before the halt, and reached the matcher after it: some look at expiries at the gateway only."""
    row = on.committed()
    halt(on)
    cancelling.cancel_due(on.executor())
    assert Order.objects.get(pk=row.pk).cancel_state == "UNKNOWN"  # nothing to cancel yet
    recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    assert left(on) == ["open"]
    Order.objects.filter(pk=row.pk).update(cancel_requested_at="2026-01-01T00:00:00Z")
    assert carry_out(on, on.executor()).is_done
    assert left(on) == []


def test_an_order_without_an_answer_is_listed_until_it_is_proven(on: Desk):
    row = on.committed()
    recording.record_loss(row.pk, OutcomeUnknown("no answer"))
    halt(on)
    executor = on.executor()
    cancelling.cancel_due(executor)
    told = halting.report(scope=Scope.ACCOUNT, scope_id=str(on.account.pk))
    assert [(line.verdict, line.why[:26]) for line in told.lines] == [("unconfirmed", "its request is unresolved ")]
    told = carry_out(on, executor)
    assert (told.is_done, Order.objects.get(pk=row.pk).status) == (True, OrderStatus.CANCELLED)  # its cancel had left


def test_an_exchange_that_is_away_leaves_its_orders_listed_with_the_reason(on: Desk):
    open_order(on)
    halt(on)
    on.fault("error_not_placed", kind="any", count=100)
    cancelling.cancel_due(on.executor())
    told = halting.report(scope=Scope.ACCOUNT, scope_id=str(on.account.pk))
    [line] = told.lines
    assert (line.verdict, "OutcomeUnknown" in line.why) == ("unconfirmed", True)
    on.fault("error_not_placed", count=0)


def test_a_halt_that_only_stops_cancels_nothing(on: Desk):
    open_order(on)
    halt(on, HaltMode.STOP)
    assert cancelling.cancel_due(on.executor()) == 0
    assert left(on) == ["open"]


def test_a_halt_of_one_trade_leaves_the_accounts_other_orders(on: Desk):
    mine = open_order(on)
    other = Order.objects.get(pk=open_order(on).pk)
    elsewhere = stage.trade(on.account, on.instrument.pair)
    OrderIntent.objects.filter(pk=other.intent_id).update(trade=elsewhere)
    Order.objects.filter(pk=other.pk).update(trade=elsewhere)
    halting.halt(scope=Scope.TRADE, scope_id=str(on.trade.pk), reason="enough", actor=SYSTEM)
    cancelling.cancel_due(on.executor())
    found = {row.pk: row.cancel_state for row in Order.objects.filter(account=on.account)}
    assert (found[mine.pk], found[other.pk]) == ("SENT", "NONE")


# closing what is held


class TrueMarket:
    """The simulated book itself."""

    def __init__(self, on: Desk) -> None:
        self._on = on

    def top(self, key: BookKey) -> Top | None:
        depth = Decimal(1_000)
        return Top(
            state=BookState.LIVE,
            age_ms=10,
            owner_is_current=True,
            bid=self._on.best(Side.BUY),
            ask=self._on.best(Side.SELL),
            bid_depth=depth,
            ask_depth=depth,
        )

    def mid(self, key: BookKey) -> Decimal | None:
        return mid_of(self.top(key))


def holding(on: Desk, side: Side = Side.BUY) -> Executor:
    """Something was bought (or sold); the executor that is to close it."""
    stage.open_doors(on.exchange)
    for asset in {on.instrument.base, on.instrument.quote, on.instrument.settle} - {""}:
        rich = {"free": stage.RICH, "total": stage.RICH, "expected": stage.RICH}
        Wallet.objects.get_or_create(account=on.account, asset=asset, defaults=rich)
    row = open_order(on, side=side, price=on.across(side))
    resolving.resolve(row.pk, on.port)
    amount = on.amount if side is Side.BUY else -on.amount
    position, _ = Position.objects.get_or_create(account=on.account, pair=on.pair)
    Position.objects.filter(pk=position.pk).update(amount=amount, entry_price=row.price, told_amount=amount, leverage=1)
    return replace(on.executor(), build_id=stage.BUILD, market=TrueMarket(on))


def test_a_halt_of_a_trade_that_was_deleted_holds_up_no_other(on: Desk):
    executor = holding(on)
    RiskState.objects.create(scope=Scope.TRADE, scope_id="999999999", state="HALTED", mode=HaltMode.FLATTEN)
    halt(on, HaltMode.FLATTEN)
    before = dict(failing.counts())
    assert flattening.flatten_due(executor) > 0
    assert failing.counts() == before


def at_exchange(on: Desk) -> Decimal:
    """What all our orders there have come to, in base currency."""
    signed = {"buy": 1, "sell": -1}
    lots = sum(each.order.filled * signed[each.order.side] for each in on.accepted())
    return lots * on.listing.size.step * on.listing.contract


@pytest.mark.parametrize(
    ("on", "side"),
    [(("okx", FUTURES), Side.BUY), (("okx", FUTURES), Side.SELL), (("binance", SPOT), Side.BUY)],
    indirect=["on"],
    ids=["long", "short", "spot"],
)
def test_what_is_held_is_closed_at_the_market_once_nothing_else_works(on: Desk, side: Side):
    executor = holding(on, side)
    assert abs(at_exchange(on)) == on.amount
    open_order(on)
    halt(on, HaltMode.FLATTEN)
    assert flattening.flatten_due(executor) == 0  # an order still works
    carry_out(on, executor)
    written = flattening.flatten_due(executor)
    assert written > 1  # more than one order may be worth
    assert flattening.flatten_due(executor) == 0
    pieces = OrderIntent.objects.filter(purpose="flatten")
    assert {(each.deny_reason, each.reduce_only, each.type) for each in pieces} == {
        ("", on.market is FUTURES, OrderType.MARKET)
    }
    left = on.amount - sum(each.amount for each in pieces)
    assert left == (0 if on.market is FUTURES else on.lot)  # of the last one the fee was taken
    assert work_lane(lane_of(on.account.pk, on.pair.pk), executor=executor).sent == written
    assert at_exchange(on) == left


def test_a_closing_order_goes_no_further_from_the_market_than_its_collar(on: Desk):
    executor = holding(on)
    halt(on, HaltMode.FLATTEN)
    flattening.flatten_due(executor)
    best = on.best(Side.BUY)
    work_lane(lane_of(on.account.pk, on.pair.pk), executor=executor)
    closing = Order.objects.filter(intent__purpose="flatten")
    assert all(best * Decimal("0.989") < each.price < best for each in closing)
    assert {each.tif.lower() for each in closing} == {"ioc"}


def test_nothing_is_closed_without_a_confirmed_halt(on: Desk):
    executor = holding(on)
    halt(on)
    carry_out(on, executor)
    assert flattening.flatten_due(executor) == 0


def test_what_is_left_is_closed_again_and_a_person_called_when_that_does_not_help(on: Desk):
    executor = holding(on)
    halt(on, HaltMode.FLATTEN)
    for _ in range(flattening.MOST_TRIES):
        flattening.flatten_due(executor)
        long_ago = {"state": IntentState.DONE, "result": "CANCELLED", "done_at": "2026-01-01T00:00:00Z"}
        OrderIntent.objects.filter(purpose="flatten").update(**long_ago)
    assert flattening.flatten_due(executor) == 0
    assert OrderIntent.objects.filter(purpose="flatten").count() >= flattening.MOST_TRIES
    assert Alert.objects.filter(kind="FLATTEN", scope_id=str(on.account.pk)).count() == 1
    assert Account.objects.filter(pk=on.account.pk).exists()


def test_positions_of_other_accounts_are_left_alone(on: Desk):
    executor = holding(on)
    other = stage.trade()
    halting.halt(
        scope=Scope.ACCOUNT,
        scope_id=str(other.account_id),
        reason="enough",
        actor=key_rows.trader(),
        mode=HaltMode.FLATTEN,
        confirmed=True,
    )
    assert flattening.flatten_due(executor) == 0
    assert RiskState.objects.get(scope="account", scope_id=str(on.account.pk)).state == "ACTIVE"
    assert TradingSwitch.objects.count() == 1


@pytest.mark.parametrize(
    ("amount", "most", "parts"),
    [
        ("1", "5", ["1"]),
        ("5", "2", ["1.6", "1.6", "1.8"]),
        ("10", "1", ["1", "1", "1", "1"]),
        ("0.3", "0.05", ["0.1", "0.1", "0.1"]),  # no finer than the grid
        ("0.25", "0.2", ["0.1", "0.15"]),  # risk brings the last onto it
    ],
)
def test_a_position_is_closed_in_parts(amount: str, most: str, parts: list[str]):
    made = flattening.pieces(Decimal(amount), Decimal(most), Decimal("0.1"))
    assert made == [Decimal(part) for part in parts]
