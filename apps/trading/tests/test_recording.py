"""Rows of orders move on by evidence, once each, whoever brings it and in whatever order."""

import re
from decimal import Decimal

import pytest
from django.db import connection

from apps.feeds import selectors as feeds
from apps.feeds.client_ids import ClientIds
from apps.feeds.drivers.trading import IdForm, Placed
from apps.feeds.errors import InsufficientFunds, OutcomeUnknown
from apps.feeds.orders import Fill, OrderStatus
from apps.trading import records
from apps.trading.bookkeeping import recording
from apps.trading.execution.pretrade import guards
from apps.trading.models import (
    FillSource,
    Order,
    OrderEvent,
    OrderFill,
    OrderIntent,
    RiskState,
    StrayFill,
    TradeHistory,
    Wallet,
)
from apps.trading.not_placed import Look
from apps.trading.order_state import CancelState
from apps.trading.tests import rows, told
from apps.users.models import Alert

pytestmark = pytest.mark.django_db

WS, REST = FillSource.WS, FillSource.REST
SAVEPOINT = 2  # what opens and closes it: elsewhere it is a transaction
TOGETHER = 2 if connection.vendor == "mysql" else 0  # ways that are spared where writes are told in one go
KEY = "a key of this deployment, for tests"
OPEN, PARTIAL, FILLED = OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.FILLED


@pytest.fixture(autouse=True)
def no_bus(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


def placed(order_id: str = "x1", status: OrderStatus = OPEN, **changes) -> Placed:
    return Placed(exchange_order_id=order_id, client_order_id=None, status=status, **changes)


def read(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def intent(order: Order) -> OrderIntent:
    return OrderIntent.objects.get(pk=order.intent_id)


def just_now(order: Order, trade_id: str) -> Fill:
    """Fills of the day before cost a statement more."""
    return told.fill(order, trade_id, exchange_ms=records.milliseconds(guards.clock()))


def hear(order: Order, *events) -> None:
    for event in events:
        record = recording.record_fill if hasattr(event, "trade_id") else recording.record_update
        record(order.account_id, told.instrument(order), event, WS)


def look(asked_ms: int, **found: bool) -> Look:
    nothing = {"order_found": False, "among_open": False, "among_trades": False}
    return Look(asked_ms=asked_ms, **{**nothing, **found})


def lost() -> Order:
    order = told.sent()
    recording.record_loss(order.pk, OutcomeUnknown("reset", code="104"))
    return order


def never_placed() -> Order:
    order = lost()
    for wait_ms in (20_000, 22_000):
        recording.record_miss(order.pk, look(told.EXPIRES_MS + wait_ms))
    assert read(order).status == OrderStatus.NOT_PLACED
    return order


def test_the_answer_of_the_exchange_opens_the_order_and_its_intent():
    order = told.sent()
    recording.record_placed(order.pk, placed())
    now = read(order)
    assert (now.status, now.exchange_order_id, intent(order).state) == (OPEN, "x1", "WORKING")
    assert now.next_check_at is not None
    assert [(event.seq, event.kind, event.to_status) for event in OrderEvent.objects.all()] == [(1, "placed", OPEN)]


def test_the_answer_takes_five_statements(django_assert_num_queries):
    order = told.sent()
    with django_assert_num_queries(5 - TOGETHER + SAVEPOINT):
        recording.record_placed(order.pk, placed())


@pytest.mark.parametrize("number", [1, 3])
def test_an_answer_with_fills_takes_eleven_statements_however_many_they_are(django_assert_num_queries, number):
    order = told.sent()
    holds(order, "BTC", "USDT")
    hear(order, told.fill(order, "0"))
    Order.objects.update(status=OrderStatus.PENDING, exchange_order_id=None, filled=0)
    fills, instrument = tuple(just_now(order, str(each + 1)) for each in range(number)), told.instrument(order)
    with django_assert_num_queries(11 - TOGETHER + SAVEPOINT):
        recording.record_placed(order.pk, placed(fills=fills), instrument)


def test_a_fill_that_is_pushed_takes_ten_statements(django_assert_num_queries):
    order = told.sent()
    holds(order, "BTC", "USDT")
    hear(order, told.fill(order, "0"))
    fill, instrument = just_now(order, "1"), told.instrument(order)
    with django_assert_num_queries(10 - min(TOGETHER, 1) + SAVEPOINT):
        recording.record_fill(order.account_id, instrument, fill, WS)


@pytest.mark.parametrize(("fail", "number"), [(recording.record_refusal, 4), (recording.record_loss, 3)])
def test_a_failure_takes_few_statements(django_assert_num_queries, fail, number):
    order = told.sent()
    with django_assert_num_queries(number - min(TOGETHER, number - 2) + SAVEPOINT):
        fail(order.pk, InsufficientFunds("too poor", code="-2010"))


def test_fills_that_came_before_are_looked_for_once_the_id_is_written(django_assert_num_queries):
    """Whoever keeps a fill meanwhile then finds the order: one of the two sees what the other has written."""
    order = told.sent()
    with django_assert_num_queries(5 - TOGETHER + SAVEPOINT) as asked:
        recording.record_placed(order.pk, placed())
    texts = [each["sql"] for each in asked.captured_queries]
    [written] = [at for at, text in enumerate(texts) if re.search("UPDATE .ORDERS. SET .*EXTERNAL_ORDER_ID", text)]
    [looked] = [at for at, text in enumerate(texts) if "stray_fill" in text]
    assert written < looked


def test_what_follows_from_a_fill_is_of_the_orders_own_pair_whatever_is_told():
    order = told.sent()
    other = feeds.instrument(rows.pair("ETH/USDT"))
    recording.record_placed(order.pk, placed(fills=(told.fill(order, "1"),)), other)
    assert [row.pair for row in TradeHistory.objects.all()] == [order.pair.pair]


def holds(order: Order, *assets: str) -> None:
    """Balances of its account were told."""
    for asset in assets:
        Wallet.objects.create(account_id=order.account_id, asset=asset, total=9, expected=9)


def test_the_same_answer_again_writes_nothing():
    order = told.sent()
    recording.record_placed(order.pk, placed())
    recording.record_placed(order.pk, placed())
    assert OrderEvent.objects.count() == 1


def test_an_answer_that_tells_of_fills_keeps_them():
    order = told.sent()
    fills = (told.fill(order, "1", "0.2"), told.fill(order, "2", "0.3"))
    recording.record_placed(order.pk, placed(status=FILLED, fills=fills))
    assert (read(order).status, read(order).filled, OrderFill.objects.count()) == (FILLED, Decimal("0.5"), 2)
    assert (intent(order).state, intent(order).result) == ("DONE", "FILLED")


def test_a_refusal_ends_the_intent_and_frees_what_was_set_aside():
    order = told.sent()
    OrderIntent.objects.update(reserved_asset="USDT", reserved_amount=30_000, reserved_notional=30_000)
    recording.record_refusal(order.pk, InsufficientFunds("too poor", code="-2010"))
    now, done = read(order), intent(order)
    assert (now.status, now.last_error_code, now.last_error) == ("REJECTED", "-2010", "InsufficientFunds: too poor")
    assert (done.state, done.result, done.reserved_amount, done.reserved_notional) == ("DONE", "REJECTED", 0, 0)
    assert now.ended_at is not None


def test_a_lost_request_is_unknown_and_looked_for():
    now = read(lost())
    assert (now.status, now.last_error_code, intent(now).state) == ("UNKNOWN", "104", "SENDING")
    assert now.next_check_at is not None
    assert now.unknown_at is not None


def test_a_loss_that_is_told_after_the_exchange_spoke_takes_nothing_back():
    order = told.sent()
    hear(order, told.update(order, OPEN))
    recording.record_loss(order.pk, OutcomeUnknown("late"))
    recording.record_refusal(order.pk, InsufficientFunds("late"))
    assert read(order).status == OPEN


def test_two_misses_after_the_wait_prove_that_it_was_never_placed():
    order = lost()
    recording.record_miss(order.pk, look(told.EXPIRES_MS + 20_000))
    assert (read(order).status, read(order).misses) == ("UNKNOWN", 1)
    recording.record_miss(order.pk, look(told.EXPIRES_MS + 22_000))
    assert (read(order).status, intent(order).result) == ("NOT_PLACED", "NOT_PLACED")


def test_an_intent_that_may_be_tried_again_is_new_after_the_proof():
    order = lost()
    OrderIntent.objects.update(reserved_asset="USDT", reserved_amount=30_000)
    for wait_ms in (20_000, 22_000):
        recording.record_miss(order.pk, look(told.EXPIRES_MS + wait_ms), retry=True)
    again = intent(order)
    assert (again.state, again.result, again.attempt, again.reserved_amount) == ("NEW", None, 1, 30_000)


def test_what_somebody_wants_cancelled_is_not_tried_again():
    order = lost()
    recording.record_cancel(order.pk, CancelState.REQUESTED)
    for wait_ms in (20_000, 22_000):
        recording.record_miss(order.pk, look(told.EXPIRES_MS + wait_ms), retry=True)
    assert (intent(order).state, intent(order).result) == ("DONE", "NOT_PLACED")


def test_a_fill_of_an_order_that_was_never_placed_opens_it_again_and_halts_the_account():
    order = never_placed()
    hear(order, told.fill(order, "1"))
    now = read(order)
    assert (now.status, now.filled, now.alarms) == (PARTIAL, Decimal("0.1"), "PROOF_BROKEN")
    assert (intent(order).state, intent(order).result) == ("WORKING", None)
    assert now.ended_at is None
    switch = RiskState.objects.get(scope="account", scope_id=str(order.account_id))
    assert switch.state == "HALTED"
    assert "PROOF_BROKEN" in switch.reason


def test_an_order_that_counted_as_cancelled_and_is_there_is_cancelled_anew_and_halts_the_account():
    order = lost()
    for step in (CancelState.REQUESTED, CancelState.SENT):
        recording.record_cancel(order.pk, step)
    for wait_ms in (20_000, 22_000):
        recording.record_miss(order.pk, look(told.EXPIRES_MS + wait_ms))
    assert (read(order).status, intent(order).state) == ("CANCELLED", "DONE")
    hear(order, told.update(order, OPEN))
    now = read(order)
    assert (now.status, now.cancel_state, now.alarms) == (OPEN, "REQUESTED", "PROOF_BROKEN")
    assert (intent(order).state, intent(order).result, now.ended_at) == ("WORKING", None, None)
    assert RiskState.objects.get(scope="account", scope_id=str(order.account_id)).state == "HALTED"


def test_what_an_earlier_attempt_comes_to_does_not_end_an_intent_that_has_a_later_one():
    first = told.sent()
    OrderIntent.objects.update(attempt=2)
    second = told.attempt(first.intent, attempt=1)
    hear(first, told.update(first, OrderStatus.CANCELLED))
    assert intent(first).state == "SENDING"
    hear(second, told.update(second, OPEN, exchange_order_id="x2"))
    assert intent(first).state == "WORKING"


def test_a_fill_is_kept_once_with_its_line_of_history():
    order = told.sent()
    hear(order, told.fill(order, "1"), told.fill(order, "1"))
    assert (OrderFill.objects.count(), TradeHistory.objects.count()) == (1, 1)
    assert (read(order).status, read(order).filled) == (PARTIAL, Decimal("0.1"))
    line = TradeHistory.objects.get()
    assert (line.exchange, line.pair, line.side, line.order) == ("binance", "BTC/USDT", "BUY", order.client_order_id)


def test_a_fill_that_comes_before_the_answer_is_counted_and_the_answer_takes_nothing_back():
    order = told.sent()
    hear(order, told.fill(order, "1", "0.5"))
    assert read(order).status == FILLED
    recording.record_placed(order.pk, placed())
    assert (read(order).status, intent(order).result) == (FILLED, "FILLED")


def test_a_fill_that_names_only_the_exchanges_id_waits_for_the_answer():
    order = told.sent()
    hear(order, told.fill(order, "1", client_order_id=None))
    assert (OrderFill.objects.count(), StrayFill.objects.count()) == (0, 1)
    recording.record_placed(order.pk, placed())
    assert (read(order).status, read(order).filled) == (PARTIAL, Decimal("0.1"))
    assert StrayFill.objects.get().order_id == order.pk


def test_a_fill_that_waits_is_kept_once():
    order = told.sent()
    hear(order, *2 * [told.fill(order, "1", client_order_id=None)])
    assert StrayFill.objects.count() == 1


def test_an_update_that_names_both_ids_brings_the_waiting_fills_along():
    order = told.sent()
    hear(order, told.fill(order, "1", client_order_id=None), told.update(order, OPEN))
    assert read(order).filled == Decimal("0.1")


def test_one_trade_id_with_two_contents_is_an_alarm():
    order = told.sent()
    hear(order, told.fill(order, "1"), told.fill(order, "1", price=61_000))
    assert read(order).alarms == "FILLS_DIFFER"
    assert OrderFill.objects.count() == 1
    assert RiskState.objects.get(scope="account", scope_id=str(order.account_id)).state == "HALTED"


def test_a_trade_with_oneself_is_two_fills():
    buy = told.sent()
    sell = told.sent(buy.account, side="sell")
    hear(buy, told.fill(buy, "1"))
    hear(sell, told.fill(sell, "1", side="sell", exchange_order_id="x2"))
    assert OrderFill.objects.count() == 2


def test_an_order_of_somebody_else_is_recorded_as_external_once_and_has_no_intent():
    order = told.sent()
    foreign = told.update(order, OPEN, exchange_order_id="y1", client_order_id="somebody")
    hear(order, foreign, foreign)
    other = Order.objects.get(is_external=True)
    assert (other.exchange_order_id, other.client_order_id, other.intent_id, other.status) == ("y1", None, None, OPEN)
    assert other.trade.strategy == "external"
    assert other.trade.enabled is False
    assert read(order).status == OrderStatus.PENDING


def test_fills_of_an_external_order_are_kept():
    order = told.sent()
    hear(order, told.update(order, OPEN, exchange_order_id="y1", client_order_id="somebody"))
    hear(order, told.fill(order, "1", "0.5", exchange_order_id="y1", client_order_id=None))
    hear(order, told.update(order, FILLED, "0.5", exchange_order_id="y1", client_order_id="somebody"))
    other = Order.objects.get(is_external=True)
    assert (other.status, other.filled, other.fills.count()) == (FILLED, Decimal("0.5"), 1)


def test_fills_that_came_before_an_external_order_was_told_are_attached_to_it():
    order = told.sent()
    hear(order, told.fill(order, "1", exchange_order_id="y1", client_order_id=None))
    hear(order, told.update(order, OPEN, exchange_order_id="y1", client_order_id="somebody"))
    other = Order.objects.get(is_external=True)
    assert (other.status, other.filled) == (PARTIAL, Decimal("0.1"))
    assert StrayFill.objects.get().order_id == other.pk


def test_an_order_of_somebody_else_is_as_large_as_it_is_told_to_be_though_a_fill_came_first():
    order = told.sent()
    theirs = {"exchange_order_id": "y1", "client_order_id": "somebody"}
    hear(order, told.fill(order, "1", "0.1", **theirs))
    assert Order.objects.get(is_external=True).amount == Decimal("0.1")
    hear(order, told.update(order, PARTIAL, "0.1", **theirs, price=Decimal(60_000)))
    other = Order.objects.get(is_external=True)
    assert (other.amount, other.price, other.filled) == (Decimal("0.5"), 60_000, Decimal("0.1"))
    steps = other.events_told
    hear(order, told.update(order, PARTIAL, "0.1", **theirs, price=Decimal(60_000)))
    assert read(other).events_told == steps


def test_what_is_alarming_about_an_order_of_somebody_else_is_told_once():
    order = told.sent()
    theirs = {"exchange_order_id": "y1", "client_order_id": "somebody"}
    hear(order, told.fill(order, "1", "0.1", **theirs))
    other = told.fill(order, "1", "0.2", **theirs)
    hear(order, other)
    steps = Order.objects.get(is_external=True).events_told
    hear(order, other)
    row = Order.objects.get(is_external=True)
    assert (row.events_told, row.alarms) == (steps, "FILLS_DIFFER")


def test_an_order_without_an_id_of_ours_waits_while_one_of_ours_has_no_answer():
    order = told.sent()
    nameless = told.update(order, OPEN, client_order_id=None)
    hear(order, nameless)
    assert not Order.objects.filter(is_external=True).exists()
    recording.record_placed(order.pk, placed())
    hear(order, nameless, told.update(order, OPEN, client_order_id=None, exchange_order_id="y1"))
    assert Order.objects.filter(is_external=True).count() == 1


def test_an_order_that_was_taken_for_external_and_is_ours_gives_its_fills_back():
    order = told.sent()
    hear(order, told.update(order, OPEN, client_order_id="mangled"), told.fill(order, "1", client_order_id=None))
    recording.record_placed(order.pk, placed())
    assert (read(order).exchange_order_id, read(order).filled, read(order).status) == ("x1", Decimal("0.1"), PARTIAL)
    other = Order.objects.get(is_external=True)
    assert (other.exchange_order_id, other.filled, other.status) == (None, 0, "CANCELLED")
    assert OrderFill.objects.get().order_id == order.pk


def test_a_second_order_of_the_exchange_under_our_id_is_an_alarm():
    order = told.sent()
    hear(order, told.update(order, OPEN), told.update(order, OPEN, exchange_order_id="x2"))
    assert read(order).alarms == "TWO_ORDERS"


def test_a_wish_to_cancel_goes_its_steps():
    order = told.sent()
    recording.record_placed(order.pk, placed())
    for state in (CancelState.REQUESTED, CancelState.SENT, CancelState.UNKNOWN, CancelState.SENT):
        recording.record_cancel(order.pk, state)
    assert (read(order).cancel_state, read(order).cancel_attempts) == ("SENT", 2)
    assert read(order).cancel_requested_at is not None
    hear(order, told.update(order, OrderStatus.CANCELLED))
    assert (read(order).cancel_state, intent(order).result) == ("CONFIRMED", "CANCELLED")


def test_a_cancel_after_a_part_was_filled_ends_the_intent_as_partly_done():
    order = told.sent()
    hear(order, told.fill(order, "1"), told.update(order, OrderStatus.CANCELLED, "0.1"))
    assert (read(order).status, intent(order).result) == ("CANCELLED", "PARTIAL_CANCELLED")


def test_a_refusal_that_names_no_order_of_theirs_is_no_second_order():
    order = told.sent()
    hear(order, told.update(order, OPEN), told.update(order, OrderStatus.REJECTED, exchange_order_id=""))
    assert (read(order).exchange_order_id, read(order).alarms, read(order).status) == ("x1", "", "CANCELLED")


def test_amounts_of_waiting_fills_are_kept_as_the_exchange_counts_them():
    order = told.sent(rows.account(market_type="futures"))
    type(order.pair).objects.filter(pk=order.pair_id).update(contract_size=Decimal("0.01"))
    order.pair.refresh_from_db()
    hear(order, told.fill(order, "1", "0.1", client_order_id=None))
    assert StrayFill.objects.get().amount == 10
    recording.record_placed(order.pk, placed())
    assert read(order).filled == Decimal("0.1")


def made_like_ours(order: Order, **changes) -> str:
    named = {"account_id": order.account_id, "intent_id": 77, "attempt": 0, **changes}
    return ClientIds("0", KEY.encode()).make(IdForm.TEXT, **named)


@pytest.mark.parametrize(
    ("changes", "why"),
    [({}, "is not in our books"), ({"account_id": 999_999}, "was not made with our key")],
    ids=["genuine", "forged"],
)
def test_an_order_that_carries_an_id_like_ours_and_is_none_halts_the_account(settings, changes, why):
    settings.CT_ID_KEY = KEY
    order = told.sent()
    hear(order, told.update(order, OPEN, exchange_order_id="y1", client_order_id=made_like_ours(order, **changes)))
    switch = RiskState.objects.get(scope="account", scope_id=str(order.account_id))
    assert switch.state == "HALTED"
    assert why in switch.reason
    assert Alert.objects.filter(scope="account", scope_id=str(order.account_id)).count() == 1
    assert Order.objects.filter(is_external=True).count() == 1


def test_an_order_with_an_id_of_another_deployment_is_external(settings):
    settings.CT_ID_KEY = KEY
    order = told.sent()
    other = ClientIds("1", KEY.encode()).make(IdForm.TEXT, account_id=order.account_id, intent_id=1, attempt=0)
    hear(order, told.fill(order, "1", exchange_order_id="y1", client_order_id=other))
    assert RiskState.objects.get(scope="account", scope_id=str(order.account_id)).state == "ACTIVE"
    assert Order.objects.get(is_external=True).filled == Decimal("0.1")
