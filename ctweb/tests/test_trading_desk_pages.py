"""Pages of orders, risk and execution: filters, halts of every scope, what would be closed, and how accounts fare."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from msgspec import json
from redis import Redis

from apps.feeds.tests.listings import list_pairs
from apps.trading.caches import Stats
from apps.trading.execution.executors.vitals import Care, Vitals
from apps.trading.models import Account, OrderEvent, OrderIntent, Position, RiskState, TradingSwitch, Wallet
from apps.trading.tests import rows
from apps.users.alerts import raise_alert
from apps.users.models import Alert
from ctweb.tests.desk import GUARD, Desk, open_desk, text_of, working

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(settings) -> Desk:
    list_pairs("BTC/USDT", "ETH/USDT")
    return open_desk(settings)


def held(desk: Desk, who: str, amount: str) -> Position:
    pair = working(desk, who, status="FILLED").pair
    return Position.objects.create(account=desk.accounts[who], pair=pair, amount=Decimal(amount), entry_price=100)


LONG_AGO = datetime(2026, 3, 7, 8, 52, 7, tzinfo=UTC)


# orders and positions


@pytest.mark.parametrize(("pair", "shown"), [("ETH/BTC", "+0.00123456"), ("ETH/USDC", "0.00"), ("ETH/USDT", "0.00")])
def test_what_is_earned_in_coins_has_the_decimals_of_coins(desk, pair, shown):
    values = {"account": desk.accounts["anna"], "pair": rows.pair(pair), "realised": Decimal("0.00123456")}
    for amount in (0, 1):
        Position.objects.create(**values, amount=amount, side=("net", "long")[amount])
    text = text_of(desk.anna, "/trading/positions/held/")
    tone = "bid" if pair == "ETH/BTC" else "muted"
    assert (text.count(f">{shown}<"), f'class="n {tone}">{shown}<' in text) == (2, True)


def test_what_is_not_of_today_has_its_day(desk):
    order = working(desk, status="FILLED", created_at=LONG_AGO)
    OrderIntent.objects.filter(pk=order.intent_id).update(created_at=LONG_AGO)
    rows.fill(order, executed_at=LONG_AGO)
    OrderEvent.objects.create(order=order, seq=1, kind="filled", to_status="FILLED", evidence={}, at=LONG_AGO)
    assert text_of(desk.anna, "/trading/orders/last/").count("07 Mar 08:52:07") == 2
    life = text_of(desk.anna, f"/trading/orders/{order.pk}/")
    assert "07 Mar 08:52:07.000" in life
    assert "07 Mar 08:52:07 · fee" in life


def test_orders_in_doubt_stand_on_top_and_can_be_shown_alone(desk):
    lost = working(desk, status="UNKNOWN", unknown_at=timezone.now())
    rests = working(desk)
    text = text_of(desk.anna, "/trading/orders/")
    assert text.index(lost.client_order_id) < text.index(rests.client_order_id)
    alone = text_of(desk.anna, "/trading/orders/table/?show=doubt")
    assert lost.client_order_id in alone
    assert rests.client_order_id not in alone


@pytest.mark.parametrize(("asked", "is_there"), [("BTC/USDT", True), ("ETH/USDT", False), ("\x00", True), ("'", False)])
def test_orders_are_narrowed_down_to_a_pair(desk, asked, is_there):
    order = working(desk)
    answer = desk.anna.client.get("/trading/orders/table/", {"pair": asked})
    assert (order.client_order_id in answer.content.decode()) is is_there


def test_wishes_and_fills_are_narrowed_down_as_the_orders_beside_them_are(desk):
    fill = rows.fill(working(desk))
    for asked, is_there in (({"pair": "BTC/USDT"}, True), ({"pair": "ETH/USDT"}, False), ({"pair": "\x00"}, True)):
        for path in ("/trading/orders/", "/trading/orders/last/"):
            text = desk.anna.client.get(path, asked).content.decode()
            assert (f'id="fill-{fill.pk}"' in text, f'id="intent-{fill.order.intent_id}"' in text) == (is_there,) * 2


def test_what_is_at_work_beside_a_new_order_is_that_of_its_account_on_every_pair(desk):
    order = working(desk)
    address = f"/trading/orders/new/?account={desk.accounts['anna'].pk}&pair=ETH/USDT"
    assert order.client_order_id in text_of(desk.anna, address)


def test_what_cancel_all_shown_cancels_is_marked_for_whoever_may(desk):
    mine, asked = working(desk, "desk"), working(desk, "desk", cancel_state="REQUESTED")
    text = text_of(desk.anna, "/trading/orders/")
    assert f'data-cancel="{mine.pk}"' in text
    assert f'data-cancel="{asked.pk}"' not in text
    assert 'id="cancel-shown"' in text
    seen = text_of(desk.vera, "/trading/orders/")
    assert "data-cancel=" not in seen
    assert 'id="cancel-shown"' not in seen


# risk


def test_each_scope_that_is_stopped_has_its_own_list_of_confirmations(desk):
    order = working(desk)
    account = str(desk.accounts["anna"].pk)
    desk.oleg.post("risk/halt", {"scope": "account", "scope_id": account, "reason": "one leg"})
    text = text_of(desk.anna, "/trading/risk/")
    assert f'data-report="account:{account}"' in text
    assert "1 not confirmed" in text
    assert order.client_order_id in text
    assert order.client_order_id not in text_of(desk.boris, "/trading/risk/")


def test_a_scope_may_be_stopped_further_but_not_beyond_flattening(desk):
    desk.oleg.post("risk/reduce", {"scope": "exchange", "scope_id": "binance"})
    assert 'data-halt="exchange:binance" data-mode="cancel"' in text_of(desk.oleg, "/trading/risk/now/")
    desk.oleg.post("risk/halt", {"scope": "exchange", "scope_id": "binance"})
    assert 'data-halt="exchange:binance" data-mode="flatten"' in text_of(desk.oleg, "/trading/risk/now/")
    assert 'data-halt="exchange:binance"' not in text_of(desk.vera, "/trading/risk/now/")


def test_what_a_halt_would_close_is_named_before_it_is_pressed(desk):
    held(desk, "anna", "0.5")
    held(desk, "boris", "7")
    text = text_of(desk.anna, "/trading/risk/left/?scope=global:")
    assert "0.5" in text
    assert "boris" not in text
    assert "Nothing is held there" in text_of(desk.anna, "/trading/risk/left/?scope=exchange:okx")
    for scope in ("", "nowhere:", "exchange:nope", "account:x", "account:1\x00"):
        assert desk.anna.client.get("/trading/risk/left/", {"scope": scope}).status_code in (200, 404)


def test_what_a_halt_would_leave_is_named_with_the_reason(desk):
    Position.objects.filter(pk=held(desk, "anna", "0.5").pk).update(opening=Decimal(2))
    Wallet.objects.update_or_create(account=desk.accounts["anna"], asset="ETH", defaults={"total": Decimal(3)})
    text = text_of(desk.anna, "/trading/risk/left/?scope=global:")
    assert text.index("0.5 BTC/USDT") < text.index("stays:")
    for what in ("2 BTC/USDT", "3 ETH", "held before our first fill"):
        assert what in text
    assert "3 ETH" not in text_of(desk.boris, "/trading/risk/left/?scope=global:")
    assert desk.oleg.post("risk/halt", {"mode": "flatten", **GUARD}).status_code == 200
    report = text_of(desk.anna, "/trading/risk/")
    assert "Stays, a person decides about it" in report
    assert "3 ETH" in report


def test_what_is_still_held_under_a_flattening_halt_is_told_to_those_who_may_know(desk):
    held(desk, "boris", "7")
    assert desk.oleg.post("risk/halt", {"mode": "flatten", **GUARD}).status_code == 200
    assert "still held" in text_of(desk.boris, "/trading/risk/")
    assert "7 BTC/USDT" in text_of(desk.boris, "/trading/risk/")
    assert "7 BTC/USDT" not in text_of(desk.anna, "/trading/risk/")


def test_the_build_that_may_send_is_told_and_whether_it_is_this_one(desk, settings):
    settings.CT_BUILD_ID = "b2"
    assert "none: no order leaves" in text_of(desk.vera, "/trading/risk/")
    TradingSwitch.objects.update_or_create(pk=1, defaults={"allowed_build": "b1"})
    assert "this page is of b2, whose executors send nothing" in text_of(desk.vera, "/trading/risk/")
    TradingSwitch.objects.update(allowed_build="b2")
    assert "the one that runs" in text_of(desk.vera, "/trading/risk/")


def test_what_people_set_is_told_apart_from_the_page_so_that_an_open_one_follows(desk):
    assert 'data-hx-get="/trading/risk/set/"' in text_of(desk.vera, "/trading/risk/")
    body = {"scope": "account", "scope_id": str(desk.accounts["anna"].pk), "name": "max_open_account", "value": "7"}
    assert desk.anna.post("risk/limits", {**body, "reason": "a quiet week"}).status_code in (200, 201)
    TradingSwitch.objects.update_or_create(pk=1, defaults={"live_allowed": True})
    assert "data-unlimit" in text_of(desk.anna, "/trading/risk/set/")
    assert "data-unlimit" not in text_of(desk.boris, "/trading/risk/set/")
    assert 'data-sheet="live-off"' in text_of(desk.olga, "/trading/risk/set/")
    TradingSwitch.objects.update(live_allowed=False)
    assert 'data-sheet="live-on"' in text_of(desk.olga, "/trading/risk/set/")


def test_live_money_is_switched_by_an_administrator_alone(desk):
    assert 'id="live-switch"' in text_of(desk.olga, "/trading/risk/")
    assert 'id="live-switch"' not in text_of(desk.anna, "/trading/risk/")


# execution


@pytest.fixture
def daemon(desk, redis_url, settings) -> Vitals:
    """It looks after Anna's account, whose private socket is silent, and has asked its caches."""
    settings.REDIS_URL = redis_url
    care = Care(account_id=desk.accounts["anna"].pk, step="READY", ready=False, whole=False, counts={"sweeps": 12})
    told = Vitals(
        process="h:1",
        word="daemon d7",
        build_id="b1",
        at_ms=0,
        caches={"config": Stats(hits=3, misses=1, size=2)},
        published={"told": 41, "failed": 2},
        hints={"told": 5},
        failures={"breakers": 7},
        accounts=[care],
    )
    with Redis.from_url(redis_url) as bus:
        bus.set("trading:h:1", json.encode(told))
        bus.rpush("ct:exec.wake", "one")
    return told


def test_execution_tells_who_looks_after_an_account_and_how_far_that_is(desk, daemon):
    text = text_of(desk.anna, "/trading/executors/work/")
    mine = text[text.index(f'id="care-{desk.accounts["anna"].pk}"') :]
    assert "daemon d7" in mine
    assert "silent: sweeps only" in mine
    assert "sweeps <b>12</b>" in mine
    assert "not yet" in mine
    assert f'id="care-{desk.accounts["boris"].pk}"' not in text


def test_execution_tells_the_counters_of_caches_messages_and_hints(desk, daemon):
    text = text_of(desk.oleg, "/trading/executors/work/")
    assert "75.0 %" in text
    assert "of 4, 2 kept" in text
    assert "told <b>41</b>" in text
    assert "breakers <b>7</b>" in text
    assert "failed <b>2</b>" in text
    assert 'hints that wait <b class="warn">1</b>' in text


def test_execution_tells_what_came_of_the_last_reconciliation_and_of_the_exchanges_timer(desk):
    account = desk.accounts["anna"]
    position = held(desk, "anna", "1")
    Account.objects.filter(pk=account.pk).update(reconciled_at=timezone.now() - timedelta(minutes=3))
    assert "✓ equal" in text_of(desk.anna, "/trading/executors/work/")
    Position.objects.filter(pk=position.pk).update(mismatch_since=timezone.now())
    Account.objects.filter(pk=account.pk).update(dead_man_fired_at=timezone.now())
    text = text_of(desk.anna, "/trading/executors/work/")
    assert "1 differ" in text
    assert "fired" in text


def test_alerts_can_be_acknowledged_where_execution_is_watched(desk):
    alert = raise_alert(kind="UNKNOWN", text="an order is in doubt")
    assert f'data-post="/api/v1/alerts/{alert.pk}/ack"' in text_of(desk.oleg, "/trading/executors/")


def test_an_alert_says_when_it_halts_the_account_of_which_name_and_who_has_come(desk):
    account = desk.accounts["anna"]
    alert = raise_alert(kind="UNKNOWN", text="in doubt", scope="account", scope_id=str(account.pk))
    Alert.objects.update(at=datetime(2026, 11, 20, 12, 0, 7, tzinfo=UTC), page_error="it answers 500")
    for path in ("/trading/risk/", "/trading/executors/"):
        text = text_of(desk.anna, path)
        assert "halts its account at 12:05:07 UTC unless somebody acknowledges it" in text
        assert "Binance spot anna&#x27;s" in text
        assert "the pager does not take it: it answers 500" in text
    assert desk.oleg.get("alerts").json()["results"][0]["halts_at"] == "2026-11-20T12:05:07Z"
    assert desk.oleg.post(f"alerts/{alert.pk}/ack").json()["halts_at"] is None
    for path in ("/trading/risk/", "/trading/executors/"):
        text = text_of(desk.anna, path)
        assert "acknowledged by oleg" in text
        assert "halts its account" not in text


def test_without_redis_execution_says_that_nobody_can_tell(desk):
    assert "of the other processes nobody can tell" in text_of(desk.oleg, "/trading/executors/")


def test_a_halt_that_is_not_of_today_has_its_day_on_the_telephone(desk):
    RiskState.objects.filter(scope="global").update(state="HALTED", mode="stop", by="olga", at=LONG_AGO)
    assert "by olga at 07 Mar 08:52:07 UTC" in text_of(desk.oleg, "/halt/")
