"""The pages as the server renders them: complete without a script, and honest while Redis is away."""

import time

import pytest
import redis
from django.template.loader import render_to_string
from django.test import Client
from msgspec import json

from apps.feeds.bus import codec
from apps.feeds.market import BookKey, MarketType
from apps.feeds.tests.listings import instrument, list_pairs
from apps.monitoring.models import Monitoring
from apps.monitoring.services import enable_pairs
from apps.trading.tests import rows
from apps.users.models import Audit
from apps.users.services import SYSTEM
from apps.users.tests.people import person
from ctweb.tests.bus import book_status, daemon_status, fresh, message

pytestmark = pytest.mark.django_db

BTC = BookKey("binance", MarketType.SPOT, "BTC/USDT")
BOOK = "/book/binance/spot/BTC-USDT/"
BACKEND = "django.contrib.auth.backends.ModelBackend"


def client_of(role) -> Client:
    client = Client()
    client.force_login(person(role), backend=BACKEND)
    return client


@pytest.fixture
def viewer() -> Client:
    list_pairs()
    enable_pairs(keys=[BTC], enabled=True, actor=SYSTEM)
    return client_of("viewer")


@pytest.fixture
def bus(redis_url, settings):
    settings.REDIS_URL = redis_url
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def published(bus):
    """BTC/USDT of Binance spot is LIVE on daemon d1."""
    status = daemon_status(book_status(str(BTC)), now_ms=time.time_ns() // 1_000_000)
    bus.set(codec.daemon_name("d1"), json.encode(status))
    bus.set(codec.book_name(BTC), message(fresh(), published_ns=time.time_ns()))
    return bus


def text_of(answer, status: int = 200) -> str:
    assert answer.status_code == status
    return answer.content.decode()


@pytest.mark.parametrize("path", ["/fleet/", "/pairs/", BOOK, "/book/"])
def test_whoever_is_not_signed_in_comes_back_after_the_login(path):
    answer = Client().get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={path}")


@pytest.mark.parametrize("path", ["/fleet/", "/pairs/", BOOK])
def test_a_user_without_a_role_is_told_so(path):
    answer = client_of(None).get(path)
    assert "needs role viewer" in text_of(answer, 403)
    assert 'href="/halt/"' in text_of(answer, 403)


@pytest.mark.parametrize("path", ["/nowhere/", "/trading/orders/999999/", "/book/binance/spot/NOPE-USDT/"])
def test_an_address_of_nothing_says_so_and_leads_back(viewer, path):
    answer = viewer.get(path)
    assert "There is nothing at this address" in text_of(answer, 404)
    assert 'href="/fleet/"' in text_of(answer, 404)


def test_a_form_that_is_too_old_says_that_nothing_was_done():
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("operator"), backend=BACKEND)
    answer = client.post("/halt/", {"reason": "x"})
    assert "Nothing was done" in text_of(answer, 403)


def test_a_page_that_fails_says_so_without_the_database():
    assert "This page failed" in render_to_string("500.html")


def test_whoever_is_signed_in_but_may_not_is_told_so_at_the_door(viewer):
    person_seen = text_of(viewer.get("/admin/", follow=True))
    assert "is signed in, but may not see that page" in person_seen
    assert "may not see that page" not in text_of(Client().get("/admin/", follow=True))


def test_the_door_does_not_say_paper_while_live_money_trades():
    assert "no order leaves this host" in text_of(Client().get("/login/"))
    rows.account(mode="live")
    assert "no order leaves this host" not in text_of(Client().get("/login/"))


def test_the_fleet_has_each_enabled_book_and_its_daemon(viewer, published):
    text = text_of(viewer.get("/fleet/"))
    assert 'data-key="binance:spot:BTC/USDT" data-st="LIVE"' in text
    assert 'data-daemon="d1"' in text
    assert "Nothing needs attention." in text


def test_with_redis_away_every_book_is_down_and_says_why(viewer):
    text = text_of(viewer.get("/fleet/"))
    assert 'data-st="DOWN"' in text
    assert "no daemon is running" in text


def test_the_ladder_is_in_the_page_and_the_same_as_in_redis(viewer, published):
    text = text_of(viewer.get(BOOK))
    assert '<span>100.</span><b>00</b></span><span class="v" role="cell">1.00000</span>' in text
    assert text.count('class="lv"') == 40
    assert text.count('data-empty="1"') == 0


def test_a_book_that_nobody_publishes_has_no_levels(viewer, bus):
    text = text_of(viewer.get(BOOK))
    assert 'data-st="DOWN">DOWN' in text
    assert text.count('data-empty="1"') == 40


def test_a_pair_that_is_off_says_so(viewer, bus):
    text = text_of(viewer.get("/book/binance/spot/SOL-USDT/"))
    assert '<p class="off empty" id="off">Not enabled on binance spot.' in text.replace("Binance", "binance")


@pytest.mark.parametrize(
    "path", ["/book/binance/spot/NO-SUCH/", "/book/nowhere/spot/BTC-USDT/", "/book/binance/x/BTC-USDT/"]
)
def test_a_book_that_is_not_listed_is_not_found(viewer, path):
    assert viewer.get(path).status_code == 404


def test_book_leads_to_the_busiest_live_one(viewer, published):
    assert viewer.get("/book/")["Location"] == BOOK


def test_book_leads_to_the_pairs_while_none_is_enabled():
    assert client_of("viewer").get("/book/")["Location"] == "/pairs/"


def test_the_catalogue_has_exact_ticks_and_lots(viewer):
    list_pairs(exchange="okx", extra=(instrument("PEPE/USDT", "okx", tick="0.0000000001"),))
    found = viewer.get("/pairs/catalogue.json").json()
    rows = [dict(zip(found["fields"], row, strict=True)) for row in found["rows"]]
    pepe = next(row for row in rows if row["base"] == "PEPE")
    assert (pepe["tick"], pepe["lot"]) == ("0.0000000001", "0.00001")
    assert found["exchanges"][pepe["exchange"]][0] == "okx"


def test_the_catalogue_has_the_depths_that_each_market_offers(viewer):
    found = viewer.get("/pairs/catalogue.json").json()
    depths = {code: by_market for code, _name, by_market in found["exchanges"]}
    assert depths["binance"] == [[20, 50, 0], [20, 50, 0]]
    assert depths["hyperliquid"] == [[20], [20]]


def test_a_row_of_nonsense_shows_its_reason_and_is_only_text(viewer):
    Monitoring.objects.create(exchange="binance", pair="<script>/X", market_type="spot")
    text = text_of(viewer.get("/pairs/refused/"))
    assert "not in the catalogue" in text
    assert "<script>" not in text.lower()


def test_the_last_changes_name_who_did_what(viewer):
    text = text_of(viewer.get("/pairs/changes/"))
    assert "system enabled <b>binance spot BTC/USDT</b>" in text


def test_a_viewer_sees_no_button_that_he_may_not_press(viewer, published):
    assert 'id="resync"' not in text_of(viewer.get(BOOK))
    assert 'id="bulk"' not in text_of(viewer.get("/pairs/"))
    assert viewer.post("/actions/resync", {"key": str(BTC)}, content_type="application/json").status_code == 403


def test_a_resync_is_sent_to_the_daemon_that_holds_the_book(viewer, published):
    operator = client_of("operator")
    with published.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(codec.command_name("d1"))
        channel.get_message(timeout=5)  # the confirmation, which is not shown
        answer = operator.post("/actions/resync", {"key": str(BTC)}, content_type="application/json")
        assert answer.json() == {"daemon": "d1"}
        heard = channel.get_message(timeout=5)
    assert codec.decode_command(heard["data"]) == codec.DaemonCommand(op="resync", key=str(BTC))
    assert Audit.objects.get(action="book.resync").user == "operator"


def test_a_resync_of_a_book_that_nobody_holds_is_refused_without_a_trace(viewer, bus):
    answer = client_of("operator").post("/actions/resync", {"key": str(BTC)}, content_type="application/json")
    assert (answer.status_code, answer.json()) == (400, {"key": ["No daemon holds binance:spot:BTC/USDT."]})
    assert not Audit.objects.filter(action="book.resync").exists()


@pytest.mark.parametrize("source", ["simulator", "replay", "live"])
def test_a_market_that_is_not_real_is_named_on_every_page_and_at_the_login(viewer, settings, source):
    settings.SOURCE = source
    words = {"simulator": "SIMULATED market, no exchange is connected", "replay": "REPLAY of recorded frames"}
    for text in (text_of(viewer.get("/fleet/")), text_of(Client().get("/login/"))):
        assert [word for word in words.values() if word in text] == ([words[source]] if source in words else [])
