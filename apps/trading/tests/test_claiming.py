"""T1: the next intent of a lane becomes an order that is committed before its request leaves, or is turned away."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from apps.feeds.drivers.trading import Expiry, ExpiryCheck, IdForm
from apps.feeds.market import BookState
from apps.feeds.models import Lease
from apps.feeds.orders import OrderStatus
from apps.trading import records
from apps.trading.execution.entry.claiming import Claim, TurnedAway, claim
from apps.trading.execution.executors import lanes
from apps.trading.execution.executors.lanes import HeldLane, LaneLost
from apps.trading.models import Order, OrderIntent, Position, RiskLimit, RiskState, Trade, TradingSwitch, Wallet
from apps.trading.tests import held_lanes, rows, stage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("long_leases")]


SAVEPOINT = 2  # what opens and closes it: elsewhere it is a transaction
TOGETHER = 2 if connection.vendor == "mysql" else 0  # ways that are spared where writes are told in one go


class Lane:
    """One that is held, with an executor and an exchange."""

    def __init__(self, of: Trade, **changes) -> None:
        self.port = stage.Exchange(of.account_id)
        self.executor = stage.executor(self.port, **changes)
        held = held_lanes.acquire(stage.lane(of), self.executor)
        assert held is not None
        self.held: HeldLane = held

    def claim(self) -> Claim | TurnedAway | None:
        return claim(self.held, executor=self.executor, port=self.port)

    def reason(self) -> str:
        """Why the head is turned away."""
        turned = self.claim()
        assert isinstance(turned, TurnedAway), turned
        row = OrderIntent.objects.get(pk=turned.intent_id)
        assert (row.state, row.result, row.deny_reason) == ("DONE", turned.result, turned.reason)
        assert (row.reserved_amount, row.reserved_notional) == (0, 0)
        assert row.done_at is not None
        assert not row.attempts.filter(status="PENDING").exists()
        return turned.reason or turned.result


def aged(seconds: float) -> None:
    """All intents were written so long before."""
    OrderIntent.objects.update(created_at=F("created_at") - timedelta(seconds=seconds))


def test_the_head_becomes_a_pending_order_with_all_that_proves_its_fate():
    trade = stage.trade()
    intent = stage.want(trade).intent
    lane = Lane(trade, expiry_ms=2_000)
    before_ms = lane.port.now_ms()
    made = lane.claim()
    assert isinstance(made, Claim)
    order = Order.objects.get(pk=made.order_id)
    expires_ms = made.order.expires_ms
    assert before_ms + 2_000 <= expires_ms <= lane.port.now_ms() + 2_000
    assert (order.status, order.intent_id, order.attempt, order.fence) == ("PENDING", intent.pk, 0, lane.held.fence)
    assert (order.client_order_id, order.build_id) == (made.order.client_order_id, stage.BUILD)
    assert (order.amount, order.price, order.side, order.type) == (intent.amount, intent.price, "buy", "limit")
    assert records.milliseconds(order.request_expires_at) == expires_ms
    assert order.next_check_at > order.created_at
    assert order.exchange.code == "binance"
    assert list(order.events.values_list("seq", "kind", "to_status")) == [(1, "placing", "PENDING")]
    intent.refresh_from_db()
    assert (intent.state, intent.attempt) == ("SENDING", 1)
    assert records.order_of(order, []).status is OrderStatus.PENDING


@pytest.mark.parametrize("form", list(IdForm))
def test_the_id_is_a_function_of_the_attempt(form):
    trade = stage.trade()
    intent = stage.want(trade).intent
    lane = Lane(trade)
    lane.port.id_form = form
    made = lane.claim()
    assert isinstance(made, Claim)
    assert made.order.client_order_id == stage.IDS.make(
        form, account_id=trade.account_id, intent_id=intent.pk, attempt=0
    )


def test_intents_are_claimed_in_the_order_in_which_they_were_written():
    trade = stage.trade()
    wanted = [stage.want(trade).intent.pk for _ in range(3)]
    lane = Lane(trade)
    claimed = []
    while made := lane.claim():
        assert isinstance(made, Claim)
        claimed.append(made.intent_id)
        Order.objects.update(status="OPEN")
    assert claimed == wanted


def test_other_lanes_are_left_alone():
    account = stage.rich_account()
    stage.want(stage.trade(account, "ETH/USDT"))
    assert Lane(stage.trade(account)).claim() is None


# the lease


def test_a_lane_that_was_taken_over_is_lost():
    trade = stage.trade()
    stage.want(trade)
    lane = Lane(trade)
    Lease.objects.update(expires_at=Now() - timedelta(seconds=1))
    assert held_lanes.acquire(stage.lane(trade), stage.executor(lane.port)) is not None
    with pytest.raises(LaneLost):
        lane.claim()
    assert not Order.objects.exists()


def test_a_lane_that_was_taken_over_and_given_back_is_lost_all_the_same():
    trade = stage.trade()
    stage.want(trade)
    lane = Lane(trade)
    Lease.objects.update(fence=F("fence") + 1)
    with pytest.raises(LaneLost):
        lane.claim()


def test_a_lane_of_another_holder_under_the_same_fence_is_lost():
    trade = stage.trade()
    stage.want(trade)
    lane = Lane(trade)
    Lease.objects.update(holder="somebody else")
    with pytest.raises(LaneLost):
        lane.claim()


@pytest.mark.parametrize(("left_s", "is_lost"), [(2.4, True), (60, False)])
def test_a_lease_must_outlast_the_request(left_s, is_lost):
    trade = stage.trade()
    stage.want(trade)
    lane = Lane(trade, expiry_ms=2_000)
    Lease.objects.update(expires_at=Now() + timedelta(seconds=left_s))
    if is_lost:
        with pytest.raises(LaneLost):
            lane.claim()
    assert is_lost or isinstance(lane.claim(), Claim)


def test_a_shorter_expiry_of_the_exchange_needs_less():
    trade = stage.trade()
    stage.want(trade)
    lane = Lane(trade, expiry_ms=60_000)
    lane.port.expiry = Expiry(check=ExpiryCheck.MATCHER, longest_ms=100)
    made = lane.claim()
    assert isinstance(made, Claim)
    assert made.order.expires_ms <= lane.port.now_ms() + 100


def test_where_requests_carry_no_expiry_the_order_is_unproven_as_long_as_its_signature_is_good():
    trade = stage.trade()
    stage.want(trade)
    lane = Lane(trade, expiry_ms=2_000)
    lane.port.expiry = Expiry(check=ExpiryCheck.NONE, longest_ms=300_000)
    made = lane.claim()
    assert isinstance(made, Claim)
    final_ms = records.milliseconds(Order.objects.get().request_expires_at)
    assert final_ms - made.order.expires_ms == 298_000


# what has changed since T0


@pytest.mark.parametrize("scope", ["global", "exchange", "account", "trade"])
def test_a_halt_between_t0_and_t1_stops_it(scope):
    trade = stage.trade()
    stage.want(trade)
    RiskState.objects.filter(scope=scope).update(state="HALTED")
    assert Lane(trade).reason() == "HALTED"


def test_a_limit_that_was_lowered_meanwhile_holds():
    trade = stage.trade()
    stage.want(trade)
    RiskLimit.objects.create(scope="account", scope_id=str(trade.account_id), name="max_order_usdt", value=1)
    assert Lane(trade).reason() == "ORDER_TOO_LARGE"


def test_another_build_sends_nothing():
    trade = stage.trade()
    stage.want(trade)
    TradingSwitch.objects.update(allowed_build="b2")
    assert Lane(trade).reason() == "BUILD"


@pytest.mark.parametrize(("error_ms", "reason"), [(None, "MISSING"), (251, "CLOCK_UNSURE")])
def test_without_the_exchanges_time_nothing_is_sent(error_ms, reason):
    trade = stage.trade()
    stage.want(trade)
    lane = Lane(trade)
    lane.port.error_ms = error_ms
    assert lane.reason() == reason


def test_a_book_that_is_no_longer_live_stops_it():
    trade = stage.trade()
    stage.want(trade)
    assert Lane(trade, market=stage.StillMarket(state=BookState.DOWN)).reason() == "BOOK_NOT_LIVE"


def test_a_book_grows_old_while_locks_are_waited_for():
    trade = stage.trade()
    stage.want(trade)
    lane = Lane(trade)
    times = iter([0.0, 4.995])  # when the book is read, when it is used
    lane.executor = replace(lane.executor, monotonic=lambda: next(times))
    assert lane.reason() == "BOOK_TOO_OLD"


def test_a_closed_account_sends_nothing():
    trade = stage.trade()
    stage.want(trade)
    type(trade.account).objects.update(active=False)
    assert Lane(trade).reason() == "MISSING"


def test_what_is_too_old_is_not_sent():
    trade = stage.trade()
    stage.want(trade, max_age_ms=1_000)
    aged(2)
    assert Lane(trade).reason() == "EXPIRED"


def test_what_is_young_enough_is_sent():
    trade = stage.trade()
    stage.want(trade, max_age_ms=600_000)
    aged(100)
    assert isinstance(Lane(trade).claim(), Claim)


# what somebody left behind


@pytest.mark.parametrize("status", ["PENDING", "UNKNOWN"])
def test_beside_an_order_without_an_answer_only_reducing_ones_are_sent(status):
    trade = stage.trade()
    other = rows.order(rows.intent(trade, state="SENDING", lane="elsewhere"), status=status, amount=Decimal("0.001"))
    OrderIntent.objects.filter(pk=other.intent_id).update(amount=Decimal("0.001"))
    Position.objects.create(account=trade.account, pair=other.pair, amount=Decimal(1), entry_price=stage.MID)
    Order.objects.update(status="OPEN")
    stage.want(trade)
    stage.want(trade, side="sell", price=stage.MID + 100)
    Order.objects.update(status=status)
    lane = Lane(trade)
    assert lane.reason() == "LANE_UNKNOWN"
    assert isinstance(lane.claim(), Claim)


def test_an_order_that_is_open_holds_nothing_up():
    trade = stage.trade()
    rows.order(rows.intent(trade, state="WORKING"), status="OPEN", amount=Decimal("0.001"))
    stage.want(trade)
    assert isinstance(Lane(trade).claim(), Claim)


def test_money_of_an_order_without_an_answer_is_not_free():
    trade = stage.trade()
    stage.want(trade)
    stage.want(trade)
    lane = Lane(trade)
    assert isinstance(lane.claim(), Claim)
    Order.objects.update(status="OPEN")  # and the wallet is told of it later
    Wallet.objects.filter(asset="USDT").update(free=Decimal(100), updated_at=Now() - timedelta(seconds=60))
    assert lane.reason() == "BALANCE"


def test_an_earlier_attempt_counts_against_the_intent():
    trade = stage.trade()
    intent = stage.want(trade, purpose="close", repeats=True).intent
    made = Lane(trade)
    assert isinstance(made.claim(), Claim)
    Order.objects.update(status="NOT_PLACED", ended_at=Now())
    OrderIntent.objects.update(state="NEW")
    again = made.claim()
    assert isinstance(again, Claim)
    assert list(Order.objects.order_by("attempt").values_list("attempt", flat=True)) == [0, 1]
    Order.objects.filter(attempt=1).update(status="CANCELLED", filled=Decimal("0.0005"))
    OrderIntent.objects.filter(pk=intent.pk).update(state="NEW")
    assert made.reason() == "EXCEEDS_PARENT"


def test_claiming_takes_eight_statements(django_assert_num_queries):
    trade = stage.trade()
    stage.want(trade)
    stage.want(trade)
    lane = Lane(trade, catalogue=stage.lasting_catalogue())
    lane.claim()
    Order.objects.update(status="OPEN")
    with django_assert_num_queries(8 - TOGETHER + SAVEPOINT):
        assert isinstance(lane.claim(), Claim)


# a lane that was found


def found(of: Trade) -> Lane:
    """One that is free yet."""
    lane = Lane(of, catalogue=stage.lasting_catalogue())
    lanes.release(lane.held)
    held = lanes.find(stage.lane(of), lane.executor)
    assert held is not None
    lane.held = held
    return lane


def test_a_lane_that_was_found_is_taken_with_its_first_order_in_eight_statements(django_assert_num_queries):
    trade = stage.trade()
    for _ in range(2):
        stage.want(trade)
    Lane(trade).claim()  # what an executor asks once is known
    Lease.objects.update(expires_at=Now() - timedelta(seconds=1))
    Order.objects.update(status="OPEN")
    lane = found(trade)
    lane.executor.catalogue([rows.pair().pk])
    lane.executor.catalogue.exchange_id("binance")
    with django_assert_num_queries(8 - TOGETHER + SAVEPOINT):
        assert isinstance(lane.claim(), Claim)
    lease = Lease.objects.get()
    assert (lease.holder, lease.fence) == (lane.held.holder, lane.held.fence) == (lane.executor.holder, 3)
    assert Order.objects.get(status="PENDING").fence == lease.fence


def test_a_lane_that_was_found_and_is_taken_by_somebody_else_is_lost():
    trade = stage.trade()
    stage.want(trade)
    lane = found(trade)
    other = held_lanes.acquire(stage.lane(trade), stage.executor(lane.port))
    assert other is not None
    with pytest.raises(LaneLost):
        lane.claim()
    assert (Lease.objects.get().holder, Order.objects.count()) == (other.holder, 0)


def test_a_lane_that_was_taken_and_given_back_since_it_was_found_is_lost():
    trade = stage.trade()
    stage.want(trade)
    lane = found(trade)
    other = held_lanes.acquire(stage.lane(trade), stage.executor(lane.port))
    assert other is not None
    lanes.release(other)
    with pytest.raises(LaneLost):
        lane.claim()


def test_a_lane_whose_holder_has_prolonged_it_since_it_was_found_stays_his():
    """Under the same fence."""
    trade = stage.trade()
    stage.want(trade)
    lane = found(trade)
    Lease.objects.update(holder="somebody", expires_at=Now() + timedelta(seconds=60))
    with pytest.raises(LaneLost):
        lane.claim()
    assert (Lease.objects.get().holder, Order.objects.count()) == ("somebody", 0)


def test_a_lane_that_was_found_long_ago_is_not_taken_and_stays_free():
    trade = stage.trade()
    stage.want(trade)
    lane = found(trade)
    assert lane.held.seen is not None
    lane.held = replace(lane.held, seen=lane.held.seen - timedelta(seconds=lanes.TTL_S - 60))
    with pytest.raises(LaneLost):  # its request may be under way for as long
        lane.claim()
    assert (Lease.objects.get().holder, Order.objects.count()) == ("", 0)


@pytest.mark.parametrize("number", [1, 2])
def test_whoever_claims_is_told_whether_others_wait(number):
    trade = stage.trade()
    for _ in range(number):
        stage.want(trade)
    made = Lane(trade).claim()
    assert isinstance(made, Claim)
    assert made.more is (number > 1)
