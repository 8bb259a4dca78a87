"""What risk is shown: rows of every kind, of the right account, lane and TRADE, at the right time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models.functions import Now

from apps.feeds import selectors as feeds
from apps.feeds.orders import OrderStatus
from apps.trading.execution.pretrade import guards
from apps.trading.execution.pretrade.catalogue import instruments
from apps.trading.execution.pretrade.facts import Subject
from apps.trading.execution.pretrade.gathering import Sender, gather
from apps.trading.execution.pretrade.market import Seen
from apps.trading.models import (
    Account,
    Arbitrage,
    LanePause,
    Order,
    OrderIntent,
    Position,
    RiskState,
    RiskUsage,
    Trade,
    Wallet,
)
from apps.trading.risk.view import DeadMan, Mismatch, Parent, RiskView, Scope, ScopeState
from apps.trading.tests import rows, stage
from apps.users.alerts import clear, raise_alert
from apps.users.models import Alert
from apps.users.tests.people import person

pytestmark = pytest.mark.django_db


def ago(seconds: float) -> Any:
    return Now() - timedelta(seconds=seconds)


def view(of: Trade, *, claims: bool = False, amount: str = "1", **changes: Any) -> RiskView:
    listed = rows.pair(of.pair, of.exchange, of.market_type or "spot")
    market = stage.StillMarket()
    subject = Subject(
        account_id=of.account_id or 0,
        pair_id=listed.pk,
        trade_id=of.pk,
        exchange=of.exchange,
        lane=stage.lane(of),
        **changes,
    )
    return gather(
        subject,
        feeds.instrument(listed),
        amount=Decimal(amount),
        seen=Seen(top=market.top(listed.key)),
        usage=guards.lock_usage(subject.account_id),
        shared=claims,
        sender=Sender(build_id="mine", clock_error_ms=7) if claims else None,
        market=market,
        instruments=instruments,
    )


def order(of: Trade, **values: Any) -> Order:
    wanted = {"state": "WORKING", "lane": stage.lane(of), "reserved_asset": "USDT", "reserved_amount": Decimal(60)}
    intent = rows.intent(of, amount=Decimal("0.001"), **wanted)
    return rows.order(intent, **{"status": "OPEN", **values})


def test_the_sender_brings_its_own_build_and_clock():
    trade = stage.trade()
    asked, sent = view(trade), view(trade, claims=True)
    assert (asked.build_id, asked.allowed_build, asked.clock_error_ms) == (stage.BUILD, stage.BUILD, 0)
    assert (sent.build_id, sent.allowed_build, sent.clock_error_ms) == ("mine", stage.BUILD, 7)


def test_switches_are_those_of_the_four_scopes():
    trade = stage.trade()
    other = stage.trade()
    RiskState.objects.filter(scope="account", scope_id=str(trade.account_id)).update(state="REDUCING")
    RiskState.objects.filter(scope="trade", scope_id=str(other.pk)).update(state="HALTED")
    active = dict.fromkeys(Scope, ScopeState.ACTIVE)
    assert view(trade).states == {**active, Scope.ACCOUNT: ScopeState.REDUCING}


def test_a_flatten_is_confirmed_by_the_halt_that_orders_it():
    trade = stage.trade()
    states = RiskState.objects.filter(scope="account", scope_id=str(trade.account_id))
    states.update(state="HALTED", mode="cancel")
    assert not view(trade).flatten_confirmed
    states.update(mode="flatten")
    assert view(trade).flatten_confirmed
    states.update(state="ACTIVE")
    assert not view(trade).flatten_confirmed


def test_orders_and_waiting_intents_of_the_owners_accounts_at_the_exchange_work():
    anna = person("trader", "anna")
    trade = stage.trade(stage.rich_account(owner=anna))
    second = stage.trade(stage.rich_account(owner=anna))
    for stranger in (
        {"owner": person("trader", "bert")},
        {"owner": anna, "exchange": "okx"},
        {"owner": anna, "mode": "paper"},
    ):
        order(stage.trade(stage.rich_account(**stranger)))
    placed = [order(trade), order(second)]
    order(trade, status="FILLED")
    waiting = stage.want(trade).intent
    found = view(trade).working
    assert {(each.intent_id, each.account_id, each.status) for each in found} == {
        (placed[0].intent_id, trade.account_id, OrderStatus.OPEN),
        (placed[1].intent_id, second.account_id, OrderStatus.OPEN),
        (waiting.pk, trade.account_id, None),
    }


def test_the_desks_accounts_belong_together():
    trade, second = stage.trade(), stage.trade()
    order(second)
    assert [each.account_id for each in view(trade).working] == [second.account_id]


def test_what_is_left_of_an_order_works():
    trade = stage.trade()
    order(trade, amount=Decimal("0.5"), filled=Decimal("0.2"), status="PARTIAL", price=Decimal(59_000))
    (found,) = view(trade).working
    assert (found.rest, found.price, found.side, str(found.instrument.key)) == (
        Decimal("0.3"),
        Decimal(59_000),
        "buy",
        "binance:spot:BTC/USDT",
    )


@pytest.mark.parametrize(
    ("status", "wallet_ago_s", "held"),
    [("PENDING", -60, 60), ("UNKNOWN", -60, 60), ("OPEN", 60, 60), ("OPEN", -60, 0), ("PARTIAL", -60, 0)],
)
def test_money_is_held_until_the_wallet_is_told_after_the_order(status, wallet_ago_s, held):
    trade = stage.trade()
    order(trade, status=status)
    Wallet.objects.filter(account=trade.account).update(updated_at=ago(wallet_ago_s))
    (found,) = view(trade).working
    assert (found.held_asset, found.held) == ("USDT", held)


def test_only_in_the_own_lane_a_pending_order_was_left_behind():
    account = stage.rich_account()
    trade, other = stage.trade(account), stage.trade(account, "ETH/USDT")
    for each in (trade, other):
        order(each, status="PENDING")
    told = {str(each.instrument.pair): each.status for each in view(trade, claims=True).working}
    assert told == {"BTC/USDT": OrderStatus.UNKNOWN, "ETH/USDT": OrderStatus.PENDING}
    assert {each.status for each in view(trade).working} == {OrderStatus.PENDING}


def test_positions_are_held_and_their_leverage_known():
    trade = stage.trade()
    Position.objects.create(account=trade.account, pair=rows.pair(), amount=Decimal(-2), leverage=3)
    Position.objects.create(account=trade.account, pair=rows.pair("ETH/USDT"), amount=Decimal(0))
    Position.objects.create(account=stage.rich_account(), pair=rows.pair(), amount=Decimal(9))
    found = view(trade)
    assert [(each.instrument.base, each.amount) for each in found.holdings] == [("BTC", -2)]
    assert found.leverage == 3
    assert view(stage.trade()).leverage is None


def test_free_is_what_was_told_less_what_our_fills_have_taken():
    trade = stage.trade()
    wallets = Wallet.objects.filter(account=trade.account)
    wallets.filter(asset="USDT").update(free=90, total=100, expected=70)
    wallets.filter(asset="BTC").update(free=1, total=1, expected=5)
    wallets.filter(asset="ETH").update(free=None, total=1)
    assert view(trade).free == {"USDT": 60, "BTC": 1}


def test_what_was_held_before_our_first_fill_counts_as_held():
    trade = stage.trade()
    Position.objects.create(account=trade.account, pair=rows.pair(), amount=Decimal(-2), opening=Decimal(5))
    Position.objects.create(account=trade.account, pair=rows.pair("ETH/USDT"), amount=Decimal(0), opening=Decimal(-1))
    found = view(trade)
    assert sorted((each.instrument.base, each.amount) for each in found.holdings) == [("BTC", 3), ("ETH", -1)]


def test_on_futures_our_fills_take_nothing_from_what_was_told_as_free():
    trade = stage.trade(stage.rich_account(market_type="futures"))
    Wallet.objects.filter(account=trade.account, asset="USDT").update(free=90, total=100, expected=70)
    assert view(trade).free["USDT"] == 90


def test_rates_are_known_of_all_that_is_traded_and_held():
    account = stage.rich_account()
    trade = stage.trade(account)
    order(stage.trade(account, "ETH/USDT"))
    assert view(trade).rates == {"USDT": 1, "BTC": stage.MID, "ETH": stage.MID}


def test_the_day_is_that_of_the_account():
    trade = stage.trade()
    RiskUsage.objects.filter(pk=trade.account_id).update(
        day=datetime.now(UTC).date(), equity=500, realised=-10, unrealised=-5, fees=2, funding=1
    )
    found = view(trade)
    assert (found.equity_usdt, found.day_result_usdt) == (500, -16)


@pytest.mark.parametrize("day", [None, datetime(2020, 1, 1, tzinfo=UTC).date()])
def test_before_the_days_first_trade_it_begins_with_what_is_there(day):
    trade = stage.trade()
    RiskUsage.objects.filter(pk=trade.account_id).update(day=day, equity=1, realised=-10)
    Wallet.objects.filter(account=trade.account).update(total=2)
    found = view(trade)
    assert (found.equity_usdt, found.day_result_usdt) == (2 + 2 * stage.MID, 0)


def test_orders_of_the_last_seconds_were_sent():
    trade = stage.trade()
    order(trade, amount=Decimal("0.3"), created_at=ago(-60))
    order(trade, created_at=ago(3))
    order(trade, intent=None, is_external=True)
    order(stage.trade())
    (found,) = view(trade).sent
    assert (str(found.key), found.side, found.amount, found.price) == (
        "binance:spot:BTC/USDT",
        "buy",
        Decimal("0.3"),
        60_000,
    )


def test_executions_are_counted_over_a_minute_and_since_a_person_resumed_the_trade():
    trade = stage.trade()
    for seconds in (0, 10, 30, 61):
        order(trade, created_at=ago(seconds))
    order(stage.trade(trade.account))
    assert len(view(trade).trade_sent_ms) == 3
    RiskState.objects.filter(scope="trade", scope_id=str(trade.pk)).update(resumed_at=ago(20))
    assert len(view(trade).trade_sent_ms) == 2


def test_unknown_orders_of_five_minutes_count_for_the_account():
    trade = stage.trade()
    for seconds in (10, 200, 310):
        order(trade, status="OPEN", unknown_at=ago(seconds))
    order(stage.trade(), unknown_at=ago(1))
    assert len(view(trade).unknown_ms) == 2


def test_outcomes_are_of_the_lane_oldest_first_without_what_has_none():
    account = stage.rich_account()
    trade = stage.trade(account)
    order(stage.trade(account, "ETH/USDT"), status="REJECTED", ended_at=Now())
    for _ in range(8):
        order(trade, status="FILLED")
    order(trade, status="REJECTED", ended_at=Now())
    order(trade, status="OPEN")
    order(trade, status="PENDING")
    told = [each.rejected for each in view(trade).outcomes]
    assert told[-2:] == [True, False]
    assert len(told) == 10


def test_pauses_are_of_the_account_and_hold_up_their_lane():
    trade = stage.trade()
    end = datetime.now(UTC) + timedelta(seconds=30)
    LanePause.objects.create(lane=stage.lane(trade), account=trade.account, until=end, reason="r")
    LanePause.objects.create(lane="other", account=trade.account, until=end + timedelta(hours=1), reason="r")
    LanePause.objects.create(lane="old", account=trade.account, at=ago(3_700), until=ago(3_640), reason="r")
    found = view(trade)
    assert (found.paused_until_ms, len(found.pauses_ms)) == (int(end.timestamp() * 1000), 2)


def test_mismatches_are_told_with_the_oldest():
    trade = stage.trade()
    since = datetime.now(UTC) - timedelta(seconds=40)
    Wallet.objects.filter(account=trade.account, asset="BTC").update(mismatch_since=since + timedelta(seconds=20))
    assert view(trade).mismatch == Mismatch(lots=Decimal(2), since_ms=int(since.timestamp() * 1000) + 20_000)
    pair = rows.pair()
    Position.objects.create(
        account=trade.account, pair=pair, amount=1, told_amount=1 + 7 * pair.lot, mismatch_since=since
    )
    assert view(trade).mismatch == Mismatch(lots=Decimal(7), since_ms=int(since.timestamp() * 1000))
    Position.objects.filter(account=trade.account).update(opening=3 * pair.lot)
    assert view(trade).mismatch == Mismatch(lots=Decimal(4), since_ms=int(since.timestamp() * 1000))


def test_legs_that_nothing_covers_are_of_the_trade():
    trade = stage.trade()
    Arbitrage.objects.create(trade=trade, status="PENDING", unhedged_since=ago(3))
    Arbitrage.objects.create(trade=trade, status="PENDING")
    Arbitrage.objects.create(trade=trade, status="COMPLETED", unhedged_since=ago(3))
    Arbitrage.objects.create(trade=stage.trade(), status="PENDING", unhedged_since=ago(3))
    assert len(view(trade).unhedged_ms) == 1


def test_an_alert_that_is_over_or_that_stops_nothing_does_not_count():
    trade = stage.trade()
    of = {"scope": "account", "scope_id": str(trade.account_id)}
    raise_alert(kind="notice", text="t", escalates=False, **of)
    raise_alert(kind="over", text="t", **of)
    assert view(trade).alert_unacked_ms is not None
    clear(kind="over", **of)
    assert view(trade).alert_unacked_ms is None


def test_the_oldest_alert_of_account_or_trade_that_waits_counts():
    trade = stage.trade()
    assert view(trade).alert_unacked_ms is None
    raise_alert(kind="other", text="t", scope="account", scope_id="999999")
    assert view(trade).alert_unacked_ms is None
    raise_alert(kind="own", text="t", scope="account", scope_id=str(trade.account_id))
    raise_alert(kind="own", text="t", scope="trade", scope_id=str(trade.pk))
    Alert.objects.filter(scope="trade").update(at=datetime(2026, 1, 1, tzinfo=UTC))
    assert view(trade).alert_unacked_ms == int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("values", "timer"),
    [
        ({}, None),
        ({"dead_man_ms": 5}, DeadMan(deadline_ms=5, fired=False)),
        ({"dead_man_fired_at": datetime(2026, 1, 1, tzinfo=UTC)}, DeadMan(deadline_ms=None, fired=True)),
    ],
)
def test_the_exchanges_own_timer_is_told(values, timer):
    trade = stage.trade()
    Account.objects.filter(pk=trade.account_id).update(**values)
    assert view(trade).dead_man == timer


def test_an_intent_without_parts_may_be_as_large_as_it_is():
    assert view(stage.trade(), amount="3").parent == Parent(amount=Decimal(3), committed=Decimal(0))


def test_all_parts_and_attempts_count_against_the_whole():
    trade = stage.trade()
    whole = rows.intent(trade, state="DONE", result="FILLED", amount=Decimal(10))
    parts = [rows.intent(trade, parent=whole, state="WORKING", amount=Decimal(2)) for _ in range(3)]
    rows.order(parts[0], status="OPEN", amount=Decimal(2), filled=Decimal(1))
    rows.order(parts[1], status="CANCELLED", amount=Decimal(2), filled=Decimal("0.5"))
    rows.order(parts[1], status="UNKNOWN", amount=Decimal("1.5"), attempt=1)
    waiting = rows.intent(trade, parent=whole, amount=Decimal(1))
    itself = rows.intent(trade, parent=whole, amount=Decimal(3))
    OrderIntent.objects.filter(pk=parts[2].pk).update(state="DONE", result="RISK_DENIED")
    found = view(trade, intent_id=itself.pk, whole_id=whole.pk)
    assert found.parent == Parent(
        amount=Decimal(10), committed=Decimal(2) + Decimal("0.5") + Decimal("1.5") + waiting.amount
    )


def test_a_parent_that_is_missing_denies():
    assert view(stage.trade(), whole_id=10**9).parent is None


def test_of_the_book_only_its_age_changes_meanwhile():
    market = stage.StillMarket(age_ms=10)
    times = iter([1.5])
    seen = Seen(top=market.top(rows.pair().key), at=1.0, monotonic=lambda: next(times))
    top = seen.now()
    assert top is not None
    assert (top.age_ms, top.bid) == (510, stage.MID - 1)
