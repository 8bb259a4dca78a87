"""The pages of trading as the server renders them: complete without a script, honest about what is paper, and blind to
other people's rows and to keys."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from apps.feeds.models import Exchange
from apps.feeds.tests import canaries
from apps.feeds.tests.listings import list_pairs
from apps.trading import accounts
from apps.trading.credentials import keys
from apps.trading.models import (
    Account,
    AccountKey,
    Order,
    OrderEvent,
    Position,
    RiskLimit,
    RiskState,
    RiskUsage,
    Wallet,
)
from apps.trading.tests import rows
from apps.trading.tests.key_rows import KEYS, as_web_process, probed
from apps.users.alerts import raise_alert
from apps.users.models import Audit
from apps.users.services import Actor
from ctweb.tests.desk import GUARD, Desk, open_desk, text_of, working

pytestmark = pytest.mark.django_db

PAGES = [
    *("/trading/orders/", "/trading/orders/?show=all", "/trading/orders/table/", "/trading/orders/last/"),
    *("/trading/orders/new/", "/trading/accounts/", "/trading/accounts/new/", "/trading/positions/"),
    *("/trading/positions/held/", "/trading/risk/", "/trading/risk/now/", "/trading/risk/set/"),
    *("/trading/executors/", "/halt/"),
]
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def desk(settings) -> Desk:
    list_pairs("BTC/USDT")
    return open_desk(settings)


def test_an_order_at_work_has_a_button_for_whoever_may_cancel_it(desk):
    order = working(desk, "desk")
    cancel = f'data-post="/api/v1/orders/{order.pk}/cancel"'
    assert cancel in text_of(desk.anna, "/trading/orders/")
    assert order.client_order_id in text_of(desk.vera, "/trading/orders/")
    assert cancel not in text_of(desk.vera, "/trading/orders/")


def test_orders_that_are_over_are_shown_where_all_are_asked_for(desk):
    order = working(desk, status="FILLED", filled=Decimal("0.5"))
    assert order.client_order_id not in text_of(desk.anna, "/trading/orders/")
    assert order.client_order_id in text_of(desk.anna, "/trading/orders/?show=all")


@pytest.mark.parametrize("account", ["x", "1e3", "-1", "9" * 30, "١", "' OR 1=1--"])
def test_a_filter_that_is_none_is_no_error(desk, account):
    assert "No order is at work." in text_of(desk.anna, f"/trading/orders/table/?account={account}")


def test_one_order_shows_every_step_with_its_evidence(desk):
    order = working(desk)
    OrderEvent.objects.create(order=order, seq=1, kind="placed", to_status="OPEN", evidence={"answer": "taken"})
    text = text_of(desk.anna, f"/trading/orders/{order.pk}/")
    assert "taken" in text
    assert desk.boris.client.get(f"/trading/orders/{order.pk}/").status_code == 404
    assert desk.anna.client.get(f"/trading/orders/{10**25}/").status_code == 404


@pytest.mark.parametrize(("source", "words"), [("ws", "told by the socket"), ("paper", "matched here")])
def test_a_fill_says_where_it_was_learnt_of(desk, source, words):
    order = working(desk)
    rows.fill(order, source=source)
    assert words in text_of(desk.anna, f"/trading/orders/{order.pk}/")
    assert words in text_of(desk.anna, "/trading/orders/last/")


@pytest.mark.parametrize("path", PAGES)
def test_other_peoples_rows_are_on_no_page(desk, path):
    order = working(desk, "boris", client_order_id="ctboriss")
    rows.fill(order, trade_id="boristrade")
    Position.objects.create(account=desk.accounts["boris"], pair=order.pair, amount=1)
    Wallet.objects.create(account=desk.accounts["boris"], asset="BORISCOIN", total=1)
    RiskUsage.objects.filter(account=desk.accounts["boris"]).update(day=timezone.now().date())
    Account.objects.filter(pk=desk.accounts["boris"].pk).update(name="boris-only")
    text = text_of(desk.anna, path)
    assert not [word for word in ("ctboriss", "boristrade", "BORISCOIN", "boris-only") if word in text]


def test_other_peoples_accounts_have_no_page(desk):
    assert desk.anna.client.get(f"/trading/accounts/{desk.accounts['boris'].pk}/").status_code == 404
    assert desk.olga.client.get(f"/trading/accounts/{desk.accounts['boris'].pk}/").status_code == 200


@pytest.fixture
def keyed(desk, settings, tmp_path) -> Account:
    """An account with a key, in a process that cannot open it."""
    as_web_process(settings, tmp_path)
    actor = Actor(user="anna", role="trader", user_id=desk.anna.user.pk)
    row = accounts.add(
        name="real", exchange="binance", market_type="spot", actor=actor, owner_id=desk.anna.user.pk, mode="live"
    )
    keys.keep(account=row, found=probed(), actor=actor)
    return row


def test_what_a_key_may_do_is_told_in_words_with_the_day_it_ends(desk, keyed):
    told = {"read": True, "trade_spot": True, "trade_futures": None, "withdraw": False, "ip_bound": True}
    AccountKey.objects.update(permissions={**told, "expires_ms": 1_800_000_000_000})
    text = text_of(desk.anna, f"/trading/accounts/{keyed.pk}/")
    for words in ("May trade spot</dt><dd>yes", "May trade futures</dt><dd>not told", "May withdraw</dt><dd>no"):
        assert words in text
    assert "15 Jan 2027 08:00 UTC" in text
    assert "expires_ms" not in text


def test_an_account_on_paper_shows_what_it_pays_and_leads_to_an_order(desk):
    account = desk.accounts["anna"].pk
    text = text_of(desk.anna, f"/trading/accounts/{account}/")
    assert "0.1 % / 0.1 %" in text
    assert f"/trading/orders/new/?account={account}" in text


def test_every_page_works_where_keys_cannot_be_opened_and_none_shows_one(desk, keyed):
    for path in (*PAGES, f"/trading/accounts/{keyed.pk}/", "/fleet/", "/pairs/"):
        assert canaries.found(text_of(desk.olga, path), KEYS) == [], path
    assert not Audit.objects.filter(action="key.open").exists()
    assert f"…{KEYS.key[-4:]}" in text_of(desk.anna, f"/trading/accounts/{keyed.pk}/")


def test_an_account_that_waits_for_live_money_says_so_and_has_the_form_for_it(desk, keyed):
    text = text_of(desk.anna, f"/trading/accounts/{keyed.pk}/")
    assert "waits for a second person" in text
    assert f'data-form="/api/v1/accounts/{keyed.pk}/approve"' in text


def test_live_accounts_take_the_place_of_the_word_paper_on_every_page(desk):
    assert "PAPER" in text_of(desk.vera, "/fleet/")
    Account.objects.filter(pk=desk.accounts["desk"].pk).update(mode="live")
    for path in ("/fleet/", "/trading/orders/", "/trading/risk/"):
        text = text_of(desk.vera, path)
        assert "LIVE 1 account<" in text
        assert "no order leaves this host" not in text


def test_paper_and_live_money_are_never_added_up(desk):
    today = timezone.now().date()
    RiskUsage.objects.filter(account=desk.accounts["anna"]).update(day=today, realised=3)
    RiskUsage.objects.filter(account=desk.accounts["desk"]).update(day=today, realised=40)
    Account.objects.filter(pk=desk.accounts["desk"].pk).update(mode="live")
    text = text_of(desk.anna, "/trading/positions/")
    assert text.index('data-mode="live"') < text.index('data-mode="paper"')
    assert "+3.00" in text
    assert "+40.00" in text
    assert "+43.00" not in text


def test_halt_is_on_every_page_for_whoever_may_press_it(desk):
    for path in ("/fleet/", "/pairs/", "/trading/orders/", "/trading/risk/"):
        assert 'id="halt"' in text_of(desk.oleg, path)
        assert 'id="halt"' not in text_of(desk.vera, path)
    desk.olga.user.is_staff = desk.olga.user.is_superuser = True
    desk.olga.user.save()
    assert 'class="halt" href="/halt/"' in text_of(desk.olga, "/admin/")


def test_halting_without_a_script_is_one_form(desk):
    assert "Halt everything" in text_of(desk.oleg, "/halt/")
    answer = desk.oleg.client.post("/halt/", {"reason": "drill"}, follow=True)
    text = answer.content.decode()
    assert "HALTED" in text
    assert "all confirmed" in text
    row = RiskState.objects.get(scope="global")
    assert (row.state, row.mode, row.by, row.reason) == ("HALTED", "cancel", "oleg", "drill")


def test_a_halt_that_left_what_rests_goes_on_to_cancel_it_without_a_script(desk):
    desk.oleg.post("risk/halt", {"mode": "stop", "reason": "looking into it"})
    text = text_of(desk.oleg, "/halt/")
    assert "Cancel what rests" in text
    assert 'value="looking into it"' in text
    desk.oleg.client.post("/halt/", {"reason": "looking into it"})
    assert RiskState.objects.get(scope="global").mode == "cancel"
    text = text_of(desk.oleg, "/halt/")
    assert "Cancel what rests" not in text
    assert "Risk and halt" in text
    assert 'data-mode="flatten"' in text_of(desk.oleg, "/trading/risk/")


def test_the_page_with_the_button_counts_orders_and_tells_what_still_is_to_be_closed(desk):
    pair = working(desk, "desk", status="UNKNOWN", unknown_at=timezone.now()).pair
    working(desk, "boris")  # which the operator may not see
    assert "1 order at work" in text_of(desk.oleg, "/halt/")
    assert "1 in doubt" in text_of(desk.oleg, "/halt/")
    Order.objects.update(status="CANCELLED", unknown_at=None, ended_at=timezone.now())
    Position.objects.create(account=desk.accounts["desk"], pair=pair, amount=1, entry_price=100)
    desk.oleg.post("risk/halt", {"mode": "flatten", **GUARD})
    text = text_of(desk.oleg, "/halt/")
    assert "0 orders at work" in text
    assert "positions are still being closed" in text


def test_halting_needs_the_pages_own_form(desk):
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.oleg.user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/halt/", {"reason": "x"}).status_code == 403
    assert RiskState.objects.get(scope="global").state == "ACTIVE"


@pytest.mark.parametrize("reason", ["x" * 5000, "a\x00b", HOSTILE])
def test_a_strange_reason_does_not_keep_anybody_from_halting(desk, reason):
    assert desk.oleg.client.post("/halt/", {"reason": reason}).status_code == 302
    assert RiskState.objects.get(scope="global").state == "HALTED"
    assert HOSTILE not in text_of(desk.oleg, "/halt/")


def test_a_halt_is_named_on_every_page_with_who_and_why(desk):
    desk.oleg.post("risk/halt", {"reason": "clock drift"})
    for path in ("/fleet/", "/trading/orders/", "/trading/risk/"):
        text = text_of(desk.vera, path)
        assert "by oleg: clock drift" in text
        assert 'id="halted" role="alert" hidden' not in text
    state = desk.vera.client.get("/trading/state.json").json()
    assert [state[name] for name in ("state", "by", "reason", "alerts", "live")] == [
        *("HALTED", "oleg", "clock drift", 1),
        0,
    ]


def test_the_risk_page_lists_what_is_not_confirmed_and_offers_to_go_on(desk):
    order = working(desk)
    desk.oleg.post("risk/halt")
    text = text_of(desk.anna, "/trading/risk/")
    assert "1 not confirmed" in text
    assert order.client_order_id in text
    assert 'data-resume="global:"' in text
    assert 'data-resume="global:"' not in text_of(desk.oleg, "/trading/risk/")


def test_exchanges_have_their_names_on_the_risk_page(desk):
    Exchange.objects.filter(code="binance").update(name="Binance")
    assert '<span class="dim">exchange</span> Binance<' in text_of(desk.vera, "/trading/risk/")


def test_limits_and_alerts_are_on_the_risk_page(desk):
    RiskLimit.objects.create(scope="global", name="max_order_usdt", value=50, by="anna")
    alert = raise_alert(kind="UNKNOWN", text="an order is in doubt")
    text = text_of(desk.oleg, "/trading/risk/")
    assert "global  <b>50 USDT</b>" in text
    assert f'data-post="/api/v1/alerts/{alert.pk}/ack"' in text
    assert 'data-form="/api/v1/risk/limits"' not in text


def lost_of(desk: Desk, days_ago: int = 0) -> None:
    day = timezone.now().date() - timedelta(days=days_ago)
    RiskUsage.objects.filter(account=desk.accounts["anna"]).update(day=day, realised=-90, equity=10_000)


def test_the_day_shows_how_near_a_limit_is(desk):
    lost_of(desk)
    assert "90 of 100" in text_of(desk.anna, "/trading/risk/")


def test_how_near_a_limit_is_is_reckoned_with_that_of_the_exchange_as_well(desk):
    RiskLimit.objects.create(scope="exchange", scope_id="binance", name="max_open_account", value=3)
    RiskLimit.objects.create(scope="exchange", scope_id="okx", name="max_open_account", value=1)
    working(desk)
    assert "1 of 3" in text_of(desk.anna, "/trading/risk/")


def test_what_an_earlier_day_came_to_is_not_of_today(desk):
    lost_of(desk, days_ago=1)
    assert "90 of 100" not in text_of(desk.anna, "/trading/risk/")
    text = text_of(desk.anna, "/trading/positions/")
    assert "Nothing was traded today." in text
    assert "90.00" not in text


@pytest.mark.parametrize(("name", "value"), [("max_orderz", 7), ("<b>x", 7), ("max_open_account", "1.5")])
def test_a_limit_that_makes_no_sense_is_passed_over_and_marked_on_the_risk_page(desk, name, value):
    lost_of(desk)
    row = RiskLimit.objects.create(scope="global", name=name, value=value)
    text = text_of(desk.anna, "/trading/risk/")
    assert f"<b>{escape(name)} {value}</b>" in text
    assert text.count("makes no sense") == 1
    assert f'data-unlimit="{row.pk}"' in text
    assert "90 of 100" in text_of(desk.anna, "/trading/risk/now/")


def test_limits_that_make_sense_are_not_marked(desk):
    RiskLimit.objects.create(scope="global", name="max_order_usdt", value=50)
    assert "makes no sense" not in text_of(desk.anna, "/trading/risk/")


def test_a_lane_that_is_misnamed_is_marked_where_execution_is_watched(desk):
    rows.intent(rows.trade(desk.accounts["anna"]), lane="<b>no lane")
    assert "passed over: no lane is called &lt;b&gt;no lane" in text_of(desk.anna, "/trading/executors/")


def test_an_order_by_hand_needs_a_pair_that_is_watched(desk):
    assert "No pair is watched on this market" in text_of(desk.anna, "/trading/orders/new/")


def test_what_people_wrote_is_only_text(desk):
    Account.objects.filter(pk=desk.accounts["anna"].pk).update(name=HOSTILE)
    order = working(desk, last_error=HOSTILE, last_error_code=HOSTILE[:50])
    OrderEvent.objects.create(order=order, seq=1, kind="placed", to_status="OPEN", evidence={"x": HOSTILE})
    desk.oleg.post("risk/halt", {"reason": HOSTILE})
    account = f"/trading/accounts/{desk.accounts['anna'].pk}/"
    for path in (*PAGES, f"/trading/orders/{order.pk}/", account):
        assert HOSTILE not in text_of(desk.anna, path), path
