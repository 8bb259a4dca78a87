"""Accounts, keys and what is held, by REST: one's own and the desk's, and other people's are not there."""

import pytest
from django.utils import timezone

from apps.feeds.market import MarketType
from apps.feeds.models import Exchange
from apps.feeds.orders import Permissions
from apps.feeds.tests import canaries
from apps.trading import accounts, limit_settings
from apps.trading.credentials import keys
from apps.trading.credentials.probing import Probe, judged
from apps.trading.models import Account, AccountKey, FundingPayment, Position, Wallet
from apps.trading.tests import rows
from apps.trading.tests.key_rows import KEYS, as_web_process
from apps.users.models import Audit
from apps.users.services import Actor
from ctweb.tests.desk import GUARD, Desk, open_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(settings) -> Desk:
    return open_desk(settings)


@pytest.fixture
def exchange(monkeypatch, settings, tmp_path):
    """What the exchange says of a key: the simulator's own answers are read in test_keys_asked."""
    as_web_process(settings, tmp_path)
    told = {"permissions": Permissions(read=True, trade_spot=True, trade_futures=True, withdraw=False, ip_bound=True)}

    def say(*, account, keys, order):
        found = told["permissions"]
        return Probe(keys=keys, permissions=found, clock_offset_ms=0, findings=judged(found, MarketType.SPOT))

    monkeypatch.setattr(keys, "ask_exchange", say)
    return told


def new(at: Desk, who: str = "anna", **values) -> dict:
    body = {"name": "mine", "exchange": "binance", **values}
    person = getattr(at, who)
    answer = person.post("accounts", person.coded(body) if values.get("mode") == "live" else body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def names(answer) -> set[str]:
    return {one["name"] for one in answer.json()["results"] if one["name"] != "paper"}


def test_a_new_account_is_ones_own_and_on_paper(desk):
    made = new(desk)
    assert [made[name] for name in ("owner", "mode", "state", "market_type", "active", "key")] == [
        *("anna", "paper", "ACTIVE", "spot", True),
        None,
    ]
    assert Wallet.objects.get(account=made["id"], asset="USDT").total == 10_000


def test_an_account_of_the_desk_is_made_by_an_administrator(desk):
    body = {"name": "x", "exchange": "binance", "desk": True}
    assert list(desk.anna.post("accounts", body).json()) == ["desk"]
    assert new(desk, "olga", desk=True)["owner"] is None


def test_an_exchange_that_is_switched_off_takes_no_new_account(desk):
    Exchange.objects.filter(code="binance").update(enabled=False)
    answer = desk.anna.post("accounts", {"name": "mine", "exchange": "binance"})
    assert (answer.status_code, answer.json()) == (400, {"exchange": ["binance is switched off."]})
    assert not Account.objects.filter(name="mine").exists()


def test_one_sees_own_accounts_and_the_desks(desk):
    assert names(desk.anna.get("accounts", limit=1000)) == {"anna's", "everybody's"}
    assert names(desk.olga.get("accounts", limit=1000)) == {"anna's", "boris's", "everybody's"}


def test_the_list_of_accounts_costs_the_same_however_long_it_is(desk, django_assert_max_num_queries):
    for number in range(20):
        rows.account(owner=desk.anna.user, name=f"more {number}")
    with django_assert_max_num_queries(12):
        assert desk.anna.get("accounts", limit=1000).status_code == 200


@pytest.mark.parametrize("path", ["", "/approve", "/close", "/key", "/simulated-key"])
@pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
def test_somebody_elses_account_is_not_there(desk, path, method):
    theirs = desk.accounts["boris"]
    before = Account.objects.filter(pk=theirs.pk).values().get()
    url = f"/api/v1/accounts/{theirs.pk}{path}"
    answer = getattr(desk.anna.client, method)(url, {}, content_type="application/json")
    assert answer.status_code in (404, 405)
    assert Account.objects.filter(pk=theirs.pk).values().get() == before
    missing = getattr(desk.anna.client, method)(f"/api/v1/accounts/999999{path}", {}, content_type="application/json")
    assert missing.status_code == answer.status_code
    assert missing.content.replace(b"999999", b"N") == answer.content.replace(str(theirs.pk).encode(), b"N")


@pytest.mark.parametrize("path", ["positions", "balances", "pnl", "funding", "fills", "orders", "intents"])
def test_what_is_on_somebody_elses_account_is_neither_listed_nor_counted(desk, path):
    for account in desk.accounts.values():
        trade = rows.trade(account)
        rows.fill(rows.order(rows.intent(trade)))
        listed = rows.pair()
        Position.objects.create(account=account, pair=listed, amount=1)
        Wallet.objects.create(account=account, asset="BTC", total=1)
        FundingPayment.objects.create(
            account=account, pair=listed, payment_id="p", asset="USDT", amount=1, exchange_ms=1
        )
    theirs, mine = desk.accounts["boris"].pk, desk.accounts["anna"].pk
    found = desk.anna.get(path, limit=1000).json()
    assert theirs not in {one["account"] for one in found["results"]}
    assert mine in {one["account"] for one in found["results"]}
    assert desk.anna.get(path, account=theirs).json()["count"] == 0
    assert desk.olga.get(path, account=theirs).json()["count"] > 0


def test_an_account_is_renamed(desk):
    made = new(desk)
    assert desk.anna.patch(f"accounts/{made['id']}", {"name": "other"}).json()["name"] == "other"


def test_an_account_is_closed_once_nothing_of_it_is_at_work(desk):
    account = desk.accounts["anna"]
    order = rows.order(rows.intent(rows.trade(account), state="DONE", result="CANCELLED"), status="OPEN")
    assert "1 orders" in desk.anna.post(f"accounts/{account.pk}/close").json()["detail"][0]
    type(order).objects.filter(pk=order.pk).update(status="CANCELLED")
    assert desk.anna.post(f"accounts/{account.pk}/close").json()["active"] is False


def test_a_key_is_written_and_never_read(desk, exchange):
    made = new(desk, mode="testnet")
    body = {"key": KEYS.key, "secret": KEYS.secret, "passphrase": KEYS.passphrase}
    answer = desk.anna.post(f"accounts/{made['id']}/key", body)
    assert answer.json()["key"]["hint"] == KEYS.key[-4:]
    assert answer.json()["findings"][0]["check"] == "signature"
    shown = [answer, desk.anna.get(f"accounts/{made['id']}"), desk.anna.get("accounts"), desk.olga.get("audit")]
    assert canaries.found("".join(one.content.decode() for one in shown), KEYS) == []
    assert desk.anna.get(f"accounts/{made['id']}").json()["key"]["by"] == "anna"


def test_a_key_that_may_withdraw_is_refused_with_what_was_found(desk, exchange):
    exchange["permissions"] = Permissions(read=True, trade_spot=True, trade_futures=True, withdraw=True, ip_bound=True)
    made = new(desk, mode="testnet")
    answer = desk.anna.post(f"accounts/{made['id']}/key", {"key": KEYS.key, "secret": KEYS.secret})
    assert answer.status_code == 400
    assert "withdraw" in answer.json()["key"][0]
    assert canaries.found(answer.content.decode(), KEYS) == []
    assert not AccountKey.objects.exists()


def test_an_account_on_paper_takes_no_key(desk, exchange):
    made = new(desk)
    answer = desk.anna.post(f"accounts/{made['id']}/key", {"key": KEYS.key, "secret": KEYS.secret})
    assert answer.json() == {"detail": ["An account on paper needs no key."]}


def test_an_exchange_that_does_not_answer_is_said_so_and_nothing_is_kept(desk, settings, tmp_path, redis_url):
    as_web_process(settings, tmp_path)
    settings.REDIS_URL = redis_url
    made = new(desk, mode="testnet")
    answer = desk.anna.post(f"accounts/{made['id']}/key", {"key": KEYS.key, "secret": KEYS.secret})
    assert answer.status_code == 503
    assert canaries.found(answer.content.decode(), KEYS) == []
    assert not AccountKey.objects.exists()


def test_a_key_is_removed(desk, exchange):
    made = new(desk, mode="testnet")
    desk.anna.post(f"accounts/{made['id']}/key", {"key": KEYS.key, "secret": KEYS.secret})
    assert desk.anna.delete(f"accounts/{made['id']}/key", {"reason": "leaked"}).status_code == 204
    assert not AccountKey.objects.exists()


@pytest.fixture
def waiting(desk, exchange) -> int:
    """A live account of the desk that lacks nothing but its approval."""
    made = new(desk, "olga", mode="live", desk=True)
    assert (made["mode"], made["requested_mode"], made["state"]) == ("paper", "live", "HALTED")
    body = desk.olga.coded({"key": KEYS.key, "secret": KEYS.secret})
    assert desk.olga.post(f"accounts/{made['id']}/key", body).status_code == 200
    for name in accounts.LIVE_LIMITS:
        limit_settings.set_limit(
            scope="account",
            scope_id=str(made["id"]),
            name=name,
            value=limit_settings.default(name),
            actor=Actor(user="olga", role="admin"),
        )
    return int(made["id"])


def test_live_money_needs_a_second_person_with_reason_password_and_code(desk, waiting):
    path = f"accounts/{waiting}/approve"
    assert desk.olga.post(path, GUARD).json() == {
        "mode": ["Whoever asked for it cannot approve it: a second person has to."]
    }
    assert list(desk.anna.post(path, {**GUARD, "password": "guessed"}).json()) == ["password"]
    assert list(desk.anna.post(path, {**GUARD, "reason": "short"}).json()) == ["reason"]
    assert list(desk.anna.post(path, GUARD).json()) == ["code"]
    assert Account.objects.get(pk=waiting).mode == "paper"
    found = desk.anna.post(path, desk.anna.coded(GUARD)).json()
    assert (found["mode"], found["approved_by"], found["state"]) == ("live", "anna", "HALTED")
    told = Audit.objects.get(action="mode.approve")
    assert (told.user, told.second_factor) == ("anna", True)


def test_a_closed_account_is_neither_halted_nor_alarming_any_more(desk):
    account = str(desk.accounts["anna"].pk)
    desk.oleg.post("risk/halt", {"scope": "account", "scope_id": account, "reason": "its key is refused"})
    assert desk.oleg.get("alerts", open="true").json()["count"] == 1
    assert desk.anna.post(f"accounts/{account}/close", {"reason": "the simulator was started again"}).status_code == 200
    assert desk.oleg.get("alerts", open="true").json()["count"] == 0
    assert desk.oleg.get("risk/states", state="HALTED").json()["count"] == 0
    assert f"account:{account}" not in desk.oleg.client.get("/trading/risk/").content.decode()


def test_the_wish_for_live_money_is_given_up_by_closing(desk, waiting):
    found = desk.olga.post(f"accounts/{waiting}/close").json()
    assert (found["active"], found["requested_mode"]) == (False, None)


def test_a_balance_shows_what_intents_hold_back(desk):
    account = desk.accounts["anna"]
    Wallet.objects.create(account=account, asset="USDT", total=100, free=100, expected=100, updated_at=timezone.now())
    trade = rows.trade(account)
    rows.intent(trade, reserved_asset="USDT", reserved_amount=30)
    rows.intent(trade, reserved_asset="USDT", reserved_amount=5)
    rows.intent(trade, reserved_asset="USDT", reserved_amount=50, state="DONE", result="FILLED")
    found = desk.anna.get("balances", account=account.pk).json()["results"]
    assert [(one["asset"], one["total"], one["reserved"]) for one in found] == [("USDT", "100", "35")]


def test_positions_that_are_closed_are_left_out_where_asked(desk):
    Position.objects.create(account=desk.accounts["anna"], pair=rows.pair(), amount=0)
    Position.objects.create(account=desk.accounts["anna"], pair=rows.pair("ETH/USDT"), amount=2, entry_price=1500)
    found = desk.anna.get("positions", held="true").json()["results"]
    assert [(one["pair"], one["amount"], one["entry_price"], one["mode"]) for one in found] == [
        ("ETH/USDT", "2", "1500", "paper")
    ]
