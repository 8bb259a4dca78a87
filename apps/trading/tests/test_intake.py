"""T0: an intent is written once for its key, with what it reserves or with why it is refused."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.feeds.market import BookState, Side
from apps.feeds.orders import OrderType
from apps.trading.execution.entry.intake import KeyConflict, cancel_intent, record_intent
from apps.trading.execution.runtime import waking
from apps.trading.models import OrderIntent, RiskLimit, RiskState, RiskUsage, Trade, TradingSwitch, Wallet
from apps.trading.risk import limits
from apps.trading.tests import rows, stage
from apps.users.tests.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def woken(monkeypatch):
    """The lanes that hints were given for."""
    lanes = []
    monkeypatch.setattr(waking, "_wake", lanes.append)
    return lanes


def denied(of: Trade, **values) -> str:
    """Why risk refuses it; empty: it does not."""
    recorded = stage.want(of, **values)
    row = OrderIntent.objects.get(pk=recorded.intent.pk)
    assert (row.state, row.result) == (("DONE", "RISK_DENIED") if row.deny_reason else ("NEW", None))
    assert bool(row.done_at) == bool(row.deny_reason)
    return row.deny_reason


def test_an_intent_is_written_with_what_it_reserves():
    trade = stage.trade()
    recorded = stage.want(trade, price=Decimal(60_000))
    assert recorded.created
    row = OrderIntent.objects.get(pk=recorded.intent.pk)
    assert (row.state, row.attempt, row.lane) == ("NEW", 0, stage.lane(trade))
    assert (row.reserved_asset, row.reserved_amount, row.reserved_notional) == ("USDT", Decimal("60.12"), Decimal(60))
    assert row.created_at == recorded.intent.created_at


def test_the_lane_is_woken_once_the_intent_is_committed(woken, django_capture_on_commit_callbacks):
    trade = stage.trade()
    with django_capture_on_commit_callbacks(execute=True):
        stage.want(trade)
        assert woken == []
    assert woken == [stage.lane(trade)]


def test_nobody_is_woken_for_what_risk_refuses(woken, django_capture_on_commit_callbacks):
    trade = stage.trade()
    with django_capture_on_commit_callbacks(execute=True):
        assert denied(trade, amount=Decimal(1)) == "ORDER_TOO_LARGE"
    assert woken == []


def test_the_same_wish_under_the_same_key_is_the_same_intent():
    trade = stage.trade()
    first = stage.want(trade, key="k", price=Decimal(60_000))
    again = stage.want(trade, key="k", price=Decimal("60000.00"), amount=Decimal("0.00100"))
    assert (first.intent.pk, True, False) == (again.intent.pk, first.created, again.created)
    assert OrderIntent.objects.count() == 1


def test_a_refused_wish_stays_refused_under_its_key():
    trade = stage.trade()
    first = stage.want(trade, key="k", amount=Decimal(1), price=Decimal(60_000))
    again = stage.want(trade, key="k", amount=Decimal(1), price=Decimal(60_000))
    assert (again.intent.pk, again.intent.deny_reason) == (first.intent.pk, "ORDER_TOO_LARGE")


@pytest.mark.parametrize(
    "other",
    [
        {"side": Side.SELL},
        {"amount": Decimal("0.002")},
        {"price": Decimal(59_999)},
        {"repeats": True},
        {"reduce_only": True},
        {"max_age_ms": 1},
        {"type": OrderType.MARKET, "price": None},
    ],
    ids=str,
)
def test_another_wish_under_the_same_key_is_refused(other):
    trade = stage.trade()
    stage.want(trade, key="k", price=Decimal(60_000))
    with pytest.raises(KeyConflict, match="'k'"):
        stage.want(trade, **{"key": "k", "price": Decimal(60_000), **other})
    assert OrderIntent.objects.count() == 1


def test_keys_that_differ_in_one_letters_case_are_two():
    trade = stage.trade()
    assert stage.want(trade, key="aB").intent.pk != stage.want(trade, key="Ab").intent.pk


def test_an_order_by_hand_gets_a_trade_row_of_its_own():
    account = stage.rich_account(owner=person("trader", "anna"))
    listed = rows.pair()
    recorded = record_intent(
        key="by hand",
        account=account,
        pair=listed,
        side=Side.BUY,
        type=OrderType.MARKET,
        amount=Decimal("0.001"),
        user=account.owner,
        market=stage.StillMarket(),
    )
    assert (recorded.intent.trade.strategy, recorded.intent.user, recorded.intent.deny_reason) == (
        "manual",
        account.owner,
        "",
    )


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("key", {"key": ""}),
        ("key", {"key": "k" * 151}),
        ("side", {"side": Side.UNKNOWN}),
        ("amount", {"amount": Decimal(0)}),
        ("amount", {"amount": Decimal(-1)}),
        ("amount", {"amount": Decimal("NaN")}),
        ("amount", {"amount": Decimal("Infinity")}),
        ("amount", {"amount": Decimal("1e-19")}),
        ("amount", {"amount": Decimal(10) ** 20}),
        ("price", {"price": None}),
        ("price", {"price": Decimal(0)}),
        ("price", {"price": Decimal("sNaN")}),
        ("price", {"type": OrderType.MARKET, "price": Decimal(1)}),
        ("leverage", {"leverage": 0}),
        ("leverage", {"leverage": 101}),
        ("max_age_ms", {"max_age_ms": 0}),
        ("max_age_ms", {"max_age_ms": 3_600_001}),
    ],
)
def test_what_can_be_no_order_is_refused_by_field_and_leaves_no_row(field, wrong):
    trade = stage.trade()
    with pytest.raises(ValidationError) as refused:
        stage.want(trade, **wrong)
    assert list(refused.value.message_dict) == [field]
    assert not OrderIntent.objects.exists()


def test_a_closed_account_and_a_pair_of_another_market_are_refused_by_field():
    trade = stage.trade()
    trade.account.active = False
    with pytest.raises(ValidationError) as refused:
        stage.want(trade)
    assert list(refused.value.message_dict) == ["account"]
    other = stage.trade(stage.rich_account(exchange="okx"), name="ETH/USDT")
    other.account = trade.account
    trade.account.active = True
    with pytest.raises(ValidationError) as refused:
        stage.want(other)
    assert list(refused.value.message_dict) == ["pair"]


def test_a_halt_of_each_scope_refuses():
    trade = stage.trade()
    for scope in ("global", "exchange", "account", "trade"):
        RiskState.objects.filter(scope=scope).update(state="HALTED")
        assert denied(trade) == "HALTED"
        RiskState.objects.filter(scope=scope).update(state="ACTIVE")
    assert denied(trade) == ""


@pytest.mark.parametrize("scope", ["global", "exchange", "account", "trade"])
def test_a_switch_that_is_missing_refuses(scope):
    trade = stage.trade()
    RiskState.objects.filter(scope=scope).delete()
    assert denied(trade) == "MISSING"


def test_without_a_row_of_use_nothing_is_reserved():
    trade = stage.trade()
    RiskUsage.objects.all().delete()
    assert denied(trade) == "MISSING"


def test_no_allowed_build_refuses():
    trade = stage.trade()
    TradingSwitch.objects.update(allowed_build="")
    assert denied(trade) == "BUILD"


@pytest.mark.parametrize(("mode", "reason"), [("live", "LIVE_OFF"), ("testnet", ""), ("paper", "")])
def test_live_money_waits_for_a_person(mode, reason):
    assert denied(stage.trade(stage.rich_account(mode=mode))) == reason


def test_live_money_that_a_person_has_allowed_passes():
    trade = stage.trade(stage.rich_account(mode="live"))
    TradingSwitch.objects.update(live_allowed=True)
    assert denied(trade) == ""


@pytest.mark.parametrize("scope", ["global", "exchange", "account", "trade", "pair"])
def test_a_limit_holds_from_the_moment_it_is_set(scope):
    trade = stage.trade()
    assert denied(trade) == ""
    ids = {
        "global": "",
        "exchange": "binance",
        "account": trade.account_id,
        "trade": trade.pk,
        "pair": rows.pair().pk,
    }
    RiskLimit.objects.create(scope=scope, scope_id=str(ids[scope]), name="max_order_usdt", value=1)
    assert denied(trade) == "ORDER_TOO_LARGE"


def test_a_limit_that_makes_no_sense_refuses():
    trade = stage.trade()
    RiskLimit.objects.create(scope="global", name="max_orderz", value=1)
    row = stage.want(trade).intent
    assert row.deny_reason == "FAILED"
    assert "max_orderz" in row.deny_text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": BookState.STALE}, "BOOK_NOT_LIVE"),
        ({"age_ms": 5_001}, "BOOK_TOO_OLD"),
        ({"ask_depth": Decimal("0.001")}, "TOO_LARGE_FOR_DEPTH"),
    ],
)
def test_the_book_is_looked_at(changes, reason):
    assert denied(stage.trade(), market=stage.StillMarket(**changes)) == reason


def test_what_waits_counts_as_if_it_were_spent():
    trade = stage.trade()
    Wallet.objects.filter(asset="USDT").update(free=Decimal(100), total=Decimal(100), expected=Decimal(100))
    assert [denied(trade), denied(trade)] == ["", "BALANCE"]


def test_what_our_fills_have_taken_since_is_not_free():
    trade = stage.trade()
    Wallet.objects.filter(asset="USDT").update(free=Decimal(100), total=Decimal(100), expected=Decimal(50))
    assert denied(trade) == "BALANCE"


def test_orders_of_a_minute_are_counted_against_the_trade():
    trade = stage.trade()
    RiskLimit.objects.filter(name="max_executions").delete()
    for number in range(limits.Limits().max_executions):
        rows.order(rows.intent(trade, state="DONE", result="FILLED"), client_order_id=f"c{number}", status="FILLED")
    assert denied(trade) == "REPEATED_EXECUTION"


def test_an_intent_that_nobody_has_begun_to_send_is_cancelled_and_reserves_nothing():
    row = stage.want(stage.trade()).intent
    assert cancel_intent(row.pk)
    row.refresh_from_db()
    assert (row.state, row.result, row.reserved_amount, row.reserved_notional) == ("DONE", "CANCELLED", 0, 0)
    assert not cancel_intent(row.pk)


def test_an_intent_that_is_being_sent_is_too_late_to_cancel():
    row = stage.want(stage.trade()).intent
    OrderIntent.objects.update(state="SENDING")
    assert not cancel_intent(row.pk)
    row.refresh_from_db()
    assert (row.state, row.result) == ("SENDING", None)


def test_writing_an_intent_takes_four_statements(django_assert_num_queries):
    trade = stage.trade()
    pair, market = rows.pair(), stage.StillMarket()
    stage.want(trade)
    with django_assert_num_queries(6):  # with the savepoint around them
        record_intent(
            key="counted",
            account=trade.account,
            pair=pair,
            trade=trade,
            side=Side.BUY,
            type=OrderType.LIMIT,
            amount=Decimal("0.001"),
            price=Decimal(59_000),
            user=None,
            market=market,
        )


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("came_through", [True, False])
def test_a_commit_that_nobody_has_heard_of_is_looked_up_by_its_key(came_through: bool, monkeypatch: pytest.MonkeyPatch):
    """The connection is gone before the server has told."""
    trade, commit = stage.trade(), BaseDatabaseWrapper._commit

    def forget(connection: BaseDatabaseWrapper) -> None:
        if came_through:
            commit(connection)
        raise OperationalError(2013, "Lost connection to server during query")

    with monkeypatch.context() as patched:
        patched.setattr(BaseDatabaseWrapper, "_commit", forget)
        if came_through:
            recorded = stage.want(trade, key="k")
            assert (recorded.created, recorded.intent.intent_key) == (True, "k")
        else:
            with pytest.raises(OrderIntent.DoesNotExist):
                stage.want(trade, key="k")
    assert OrderIntent.objects.count() == came_through
