"""Orders by hand, by REST: written once for their key, judged by risk, cancelled; and what becomes of them."""

import time
from decimal import Decimal

import pytest
import redis
from django.db.models.functions import Now
from msgspec import json

from apps.feeds.bus import codec
from apps.feeds.market import BookKey, MarketType
from apps.feeds.models import Exchange
from apps.feeds.tests.listings import list_pairs
from apps.feeds.tests.published import HandMade
from apps.trading import accounts
from apps.trading.execution.executors.monitor import ExecutorStatus
from apps.trading.execution.pretrade.market import RedisMarket
from apps.trading.halts import switches
from apps.trading.models import OrderEvent, OrderIntent, RiskLimit, Trade
from apps.trading.tests import rows
from apps.trading.views import intents
from apps.users.alerts import raise_alert
from apps.users.models import Alert, Audit
from apps.users.services import SYSTEM, Actor
from ctweb.tests.bus import message
from ctweb.tests.desk import Desk, open_desk, working

pytestmark = pytest.mark.django_db

PUBLISHED_NS = time.time_ns()
BTC = BookKey("binance", MarketType.SPOT, "BTC/USDT")


@pytest.fixture
def desk(settings) -> Desk:
    list_pairs("BTC/USDT")
    return open_desk(settings)


@pytest.fixture
def bus(redis_url, settings, monkeypatch):
    """A Redis that is waited for, and books that do not grow old: a busy machine is no reason to refuse an order."""
    settings.REDIS_URL = redis_url
    with redis.Redis.from_url(redis_url) as client:
        market = RedisMarket(client, clock=lambda: PUBLISHED_NS)
        monkeypatch.setattr(intents, "_market", lambda url: market)
        yield client


@pytest.fixture
def account(desk, bus) -> int:
    """Anna's, on paper, with money; the book is LIVE at 100, and a build may trade."""
    switches.allow_build(build="b1", actor=SYSTEM)
    book = HandMade(received_ns=PUBLISHED_NS, last_event_ns=PUBLISHED_NS)
    bus.set(codec.book_name(BTC), message(book, published_ns=PUBLISHED_NS))
    actor = Actor(user="anna", role="trader", user_id=desk.anna.user.pk)
    return accounts.add(name="mine", exchange="binance", market_type="spot", actor=actor, owner_id=desk.anna.user.pk).pk


def wanted(account: int, **changes) -> dict:
    body = {"account": account, "pair": "BTC/USDT", "side": "buy", "amount": "0.5", "price": "99.5"}
    return {**body, **changes}


def test_an_order_by_hand_is_an_intent_of_the_trade_row_manual(desk, account):
    answer = desk.anna.post("intents", wanted(account, key="k1"))
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert [made[name] for name in ("state", "result", "strategy", "user", "mode", "amount", "price", "tif")] == [
        *("NEW", None, "manual", "anna", "paper", "0.5", "99.5"),
        "gtc",
    ]
    assert (made["reserved_asset"], Decimal(made["reserved_amount"]) > 49) == ("USDT", True)
    assert Trade.objects.get(account=account).strategy == "manual"


def test_the_same_key_twice_is_one_intent(desk, account):
    first = desk.anna.post("intents", wanted(account), key="k1")
    again = desk.anna.post("intents", wanted(account), key="k1")
    in_body = desk.anna.post("intents", wanted(account, key="k1"))
    assert [one.status_code for one in (first, again, in_body)] == [201, 200, 200]
    assert first.json() == again.json() == in_body.json()
    assert OrderIntent.objects.count() == 1


def test_a_repeat_is_answered_even_where_a_new_order_is_refused(desk, account):
    first = desk.anna.post("intents", wanted(account), key="k1")
    answer = desk.olga.patch("exchanges/binance", {"enabled": False})
    assert (answer.status_code, "cancel them first" in answer.json()["enabled"][0]) == (400, True)
    Exchange.objects.filter(code="binance").update(enabled=False)
    assert desk.anna.post("intents", wanted(account), key="k2").json()["deny_reason"] == "ONLY_REDUCING"
    again = desk.anna.post("intents", wanted(account), key="k1")
    assert (again.status_code, again.json()) == (200, first.json())


def test_a_closed_account_takes_no_orders(desk, account):
    accounts.close(account_id=account, actor=Actor(user="anna", role="trader"))
    assert desk.anna.post("intents", wanted(account), key="k1").json() == {"account": ["It is closed."]}


@pytest.mark.parametrize("change", [{"amount": "0.6"}, {"price": "99"}, {"side": "sell"}, {"tif": "ioc"}])
def test_the_same_key_for_another_order_is_a_conflict(desk, account, change):
    desk.anna.post("intents", wanted(account), key="k1")
    answer = desk.anna.post("intents", wanted(account, **change), key="k1")
    assert answer.status_code == 409
    assert OrderIntent.objects.count() == 1


def test_keys_of_two_people_do_not_meet(desk, account, bus):
    desk.anna.post("intents", wanted(desk.accounts["desk"].pk), key="k1")
    assert desk.boris.post("intents", wanted(desk.accounts["desk"].pk, amount="0.6"), key="k1").status_code == 201


def test_what_risk_refuses_is_written_with_the_reason(desk, account):
    made = desk.anna.post("intents", wanted(account, amount="5"), key="k1").json()
    assert [made[name] for name in ("state", "result", "deny_reason", "reserved_amount")] == [
        *("DONE", "RISK_DENIED", "ORDER_TOO_LARGE"),
        "0",
    ]


def test_without_a_book_nothing_is_ordered(desk, account, bus):
    bus.flushdb()
    made = desk.anna.post("intents", wanted(account), key="k1").json()
    assert (made["result"], made["deny_reason"]) == ("RISK_DENIED", "NO_BOOK")


def test_a_preview_says_what_an_order_would_cost_and_writes_nothing(desk, account):
    before = Audit.objects.count()
    found = desk.anna.post("intents/preview", wanted(account)).json()
    assert [found[name] for name in ("deny_reason", "value", "fee", "reserved_asset")] == [
        *("", "49.75", "0.0995"),
        "USDT",
    ]
    assert found["limits"][0] == {"name": "max_order_usdt", "used": "49.75", "most": "100"}
    assert desk.anna.post("intents/preview", wanted(account, amount="5")).json()["deny_reason"] == "ORDER_TOO_LARGE"
    assert not OrderIntent.objects.exists()
    assert not Trade.objects.exists()
    assert Audit.objects.count() == before


def test_a_preview_at_the_market_tells_the_worst_price_and_what_that_costs(desk, account):
    asked = {**wanted(account), "type": "market"}
    del asked["price"]
    found = desk.anna.post("intents/preview", asked).json()
    worst, value, fee = (Decimal(found[name]) for name in ("price", "value", "fee"))
    assert found["deny_reason"] == ""
    assert worst > 100  # of the book's best ask, and what may slip
    assert value == worst * Decimal(found["amount"])
    assert value + fee == Decimal(found["reserved_amount"])


def test_a_preview_of_what_risk_refuses_tells_by_how_much_it_is_too_large(desk, account):
    asked = {**wanted(account, amount="5"), "type": "market"}
    del asked["price"]
    found = desk.anna.post("intents/preview", asked).json()
    assert (found["deny_reason"], found["reserved_amount"]) == ("ORDER_TOO_LARGE", "0")
    assert Decimal(found["value"]) == 5 * Decimal(found["price"]) > 500
    assert found["limits"][0] == {"name": "max_order_usdt", "used": found["value"], "most": "100"}


def test_a_preview_without_a_book_tells_no_price(desk, account, bus):
    bus.flushdb()
    asked = {**wanted(account), "type": "market"}
    del asked["price"]
    found = desk.anna.post("intents/preview", asked).json()
    assert [found[name] for name in ("deny_reason", "price", "value", "fee")] == ["NO_BOOK", None, None, None]


@pytest.mark.parametrize("price", ["2000", "9", "99500000"])
def test_a_slip_of_the_finger_is_refused_at_its_field(desk, account, price):
    assert desk.anna.post("intents", wanted(account, price=price), key="k").json() == {
        "price": ["Is nowhere near the market."]
    }
    assert not OrderIntent.objects.exists()
    assert not Trade.objects.exists()


def test_an_intent_that_nobody_has_begun_is_over_when_it_is_cancelled(desk, account):
    made = desk.anna.post("intents", wanted(account), key="k1").json()
    over = desk.anna.post(f"intents/{made['id']}/cancel").json()
    assert (over["state"], over["result"], over["reserved_amount"]) == ("DONE", "CANCELLED", "0")
    assert Audit.objects.get(action="intent.cancel").user == "anna"
    assert desk.anna.post(f"intents/{made['id']}/cancel").status_code == 409


def test_futures_on_paper_are_paid_in_full(desk, account, bus):
    list_pairs("BTC/USDT", market_type="futures")
    book = HandMade(received_ns=PUBLISHED_NS, last_event_ns=PUBLISHED_NS)
    key = BookKey("binance", MarketType.FUTURES, "BTC/USDT")
    bus.set(codec.book_name(key), message(book, published_ns=PUBLISHED_NS))
    home = {"name": "ahead", "exchange": "binance", "market_type": "futures"}
    ahead = desk.anna.post("accounts", home).json()["id"]
    found = desk.anna.post("intents", wanted(ahead), key="k1").json()
    assert (found["state"], found["deny_reason"], found["leverage"]) == ("NEW", "", 1)
    assert Decimal(found["reserved_amount"]) >= Decimal("0.5") * Decimal("99.5")


def test_futures_at_an_exchange_have_the_leverage_that_is_asked_for_and_else_none(desk, bus):
    list_pairs("BTC/USDT", market_type="futures")
    key = BookKey("binance", MarketType.FUTURES, "BTC/USDT")
    bus.set(codec.book_name(key), message(HandMade(received_ns=PUBLISHED_NS, last_event_ns=PUBLISHED_NS)))
    home = {"name": "ahead", "exchange": "binance", "market_type": "futures", "mode": "testnet"}
    ahead = desk.anna.post("accounts", home).json()["id"]
    asked = [desk.anna.post("intents", wanted(ahead, key=f"k{number}", leverage=number)).json() for number in (2, 3)]
    asked.append(desk.anna.post("intents", wanted(ahead, key="k1")).json())
    assert [each["leverage"] for each in asked] == [2, 3, 1]
    assert desk.anna.post("intents", wanted(ahead, key="k2", leverage=3)).status_code == 409
    assert desk.anna.post("intents", wanted(ahead, key="k4", leverage=101)).status_code == 400


def test_spot_has_no_leverage_nor_has_paper(desk, account):
    assert desk.anna.post("intents", wanted(account, key="k", leverage=1)).json() == {
        "leverage": ["Only futures have one."]
    }
    home = {"name": "ahead", "exchange": "binance", "market_type": "futures"}
    list_pairs("BTC/USDT", market_type="futures")
    ahead = desk.anna.post("accounts", home).json()["id"]
    assert desk.anna.post("intents", wanted(ahead, key="k", leverage=2)).json() == {
        "leverage": ["On paper there is none."]
    }
    assert not OrderIntent.objects.exists()


def test_the_cancel_of_an_order_is_asked_for_once_and_told_by_the_trail(desk):
    order = working(desk)
    for _ in range(2):
        assert desk.anna.post(f"orders/{order.pk}/cancel").json()["cancel_state"] == "REQUESTED"
    assert OrderEvent.objects.filter(order=order).count() == 1
    assert Audit.objects.get(action="order.cancel").user == "anna"


def test_the_cancel_of_an_intent_at_work_is_that_of_its_order(desk):
    order = working(desk)
    assert desk.anna.post(f"intents/{order.intent_id}/cancel").status_code == 200
    order.refresh_from_db()
    assert order.cancel_state == "REQUESTED"


def test_what_is_over_is_not_cancelled(desk):
    order = working(desk, status="FILLED")
    assert desk.anna.post(f"orders/{order.pk}/cancel").status_code == 409


def test_somebody_elses_order_at_the_exchange_is_never_touched(desk):
    order = working(desk, intent=None, is_external=True)
    assert "never touched" in desk.anna.post(f"orders/{order.pk}/cancel").json()["detail"]
    order.refresh_from_db()
    assert order.cancel_state == "NONE"


@pytest.mark.parametrize("path", ["orders/{}", "orders/{}/cancel", "intents/{}", "intents/{}/cancel"])
def test_other_peoples_orders_are_not_there(desk, path):
    order = working(desk, "boris")
    of = order.pk if path.startswith("orders") else order.intent_id
    ask = desk.anna.post if path.endswith("cancel") else desk.anna.get
    assert ask(path.format(of)).status_code == 404
    order.refresh_from_db()
    assert order.cancel_state == "NONE"


def test_one_order_tells_its_whole_life(desk):
    order = working(desk)
    OrderEvent.objects.create(order=order, seq=1, kind="placed", from_status="PENDING", to_status="OPEN")
    rows.fill(order, fee=Decimal("0.001"), fee_asset="BTC")
    found = desk.vera.get(f"orders/{working(desk, 'desk').pk}").json()
    assert (found["events"], found["fills"]) == ([], [])
    found = desk.anna.get(f"orders/{order.pk}").json()
    assert [one["to_status"] for one in found["events"]] == ["OPEN"]
    assert [(one["amount"], one["fee"], one["fee_asset"]) for one in found["fills"]] == [("0.1", "0.001", "BTC")]


def test_lists_of_orders_are_narrowed_down(desk):
    first, second = working(desk), working(desk, status="FILLED")
    for query, ids in (
        ({"open": "true"}, [first.pk]),
        ({"open": "false"}, [second.pk]),
        ({"status": "FILLED"}, [second.pk]),
        ({"account": desk.accounts["desk"].pk}, []),
        ({"pair": "BTC/USDT", "exchange": "binance", "mode": "paper", "external": "false"}, [second.pk, first.pk]),
    ):
        assert [one["id"] for one in desk.anna.get("orders", **query).json()["results"]] == ids, query


@pytest.mark.parametrize("path", ["orders", "intents", "fills"])
def test_lists_cost_the_same_however_long_they_are(desk, path, django_assert_max_num_queries):
    for _ in range(15):
        rows.fill(working(desk))
    with django_assert_max_num_queries(8):
        assert desk.anna.get(path).json()["count"] == 15


def test_the_seeds_address_has_the_open_orders(desk):
    order = working(desk)
    working(desk, status="CANCELLED")
    working(desk, "boris")
    answer = desk.anna.client.post("/trader/orders")
    assert [one["id"] for one in answer.json()] == [order.pk]


def test_the_seeds_address_lists_what_is_not_over_as_the_list_of_orders_does(desk):
    """A plain list, whatever is sent along; also what is in doubt, and what somebody else placed at the exchange."""
    for status in ("PENDING", "UNKNOWN", "OPEN", "PARTIAL", "FILLED", "REJECTED", "EXPIRED", "NOT_PLACED"):
        working(desk, status=status)
    working(desk, intent=None, is_external=True)
    listed = desk.anna.get("orders", open="true").json()["results"]
    assert {one["status"] for one in listed} == {"PENDING", "UNKNOWN", "OPEN", "PARTIAL"}
    for body, kind in ((b"", "application/json"), (b"{}", "application/json"), (b"\xff", "text/plain")):
        answer = desk.anna.client.post("/trader/orders", body, content_type=kind)
        assert (answer.status_code, answer.json()) == (200, listed)
    assert desk.boris.client.post("/trader/orders").json() == []


def test_executors_and_lanes_are_shown_to_operators(desk, account, bus):
    status = ExecutorStatus(holder="h:1:b:1", build_id="b1", host="h", pid=1, at_ms=5, counts={"orders placed": 3})
    bus.set("executor:h:1:b:1", json.encode(status))
    desk.anna.post("intents", wanted(account), key="k1")
    found = desk.anna.get("executors").json()
    assert [(one["account_id"], one["depth"], one["holder"]) for one in found["lanes"]] == [(account, 1, "")]
    assert [one["counts"] for one in found["executors"]] == [{"orders placed": 3}]
    assert desk.boris.get("executors").json()["lanes"] == []
    assert desk.vera.get("executors").status_code == 403


def test_a_price_of_more_digits_than_its_exchange_takes_is_refused_with_the_step(desk, bus):
    list_pairs("BTC/USDT", exchange="hyperliquid")
    account = rows.account(exchange="hyperliquid", owner=desk.anna.user).pk
    found = desk.anna.post("intents/preview", wanted(account, price="12345.6"))
    assert (found.status_code, found.json()) == (400, {"price": ["Must be a multiple of 1."]})
    assert desk.anna.post("intents/preview", wanted(account, price="123456")).status_code == 200


def test_a_preview_names_the_limit_that_makes_no_sense(desk, account):
    RiskLimit.objects.create(scope="global", name="max_orderz", value=1)
    found = desk.anna.post("intents/preview", wanted(account)).json()
    assert found["deny_reason"] == "FAILED"
    assert "max_orderz" in found["deny_text"]


def test_a_lane_that_is_misnamed_is_told_as_such(desk, account, bus):
    desk.anna.post("intents", wanted(account), key="k1")
    OrderIntent.objects.update(lane="no lane")
    found = desk.anna.get("executors").json()
    assert [(one["lane"], one["account_id"], one["is_misnamed"]) for one in found["lanes"]] == [
        ("no lane", account, True)
    ]


def test_how_many_alerts_the_pager_has_and_how_many_wait_is_told(desk):
    first, second = (raise_alert(kind="UNKNOWN", text="a", scope="account", scope_id=n) for n in "12")
    Alert.objects.filter(pk=first.pk).update(paged_at=Now(), page_tries=3)
    second.refresh_from_db()
    pages = desk.oleg.get("executors").json()["pages"]
    assert {**pages, "since": None} == {"delivered": 1, "waiting": 1, "tries": 3, "since": None}
    assert pages["since"].startswith(second.at.strftime("%Y-%m-%dT%H:%M"))


def test_without_redis_nobody_can_tell_who_executes(desk):
    told = desk.oleg.get("executors").json()
    assert (told["lanes"], told["executors"], told["hints_waiting"]) == ([], None, None)
    assert [one["word"] for one in told["processes"]] == ["web"]  # of itself it always knows


def test_an_alert_is_acknowledged_once(desk):
    desk.oleg.post("risk/halt")
    alert = desk.vera.get("alerts", open="true").json()["results"][0]
    assert (alert["kind"], alert["acked_at"]) == ("HALTED", None)
    assert desk.vera.post(f"alerts/{alert['id']}/ack").status_code == 403
    assert desk.oleg.post(f"alerts/{alert['id']}/ack").json()["acked_by"] == "oleg"
    again = desk.olga.post(f"alerts/{alert['id']}/ack")
    assert (again.status_code, "before, by oleg at" in again.json()["detail"]) == (409, True)
    assert desk.vera.get("alerts", open="true").json()["count"] == 0
