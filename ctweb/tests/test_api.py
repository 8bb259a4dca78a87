"""Answers of `/api/v1/`: the document, the headers, one effect per key, and no query per row."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
import yaml
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from drf_spectacular.validation import validate_schema

from apps.feeds.market import MarketType
from apps.feeds.models import Exchange
from apps.feeds.services import sync_instruments
from apps.feeds.tests.listings import instrument, list_pairs
from apps.monitoring.models import FeedGap, Monitoring
from apps.users.models import Audit, IdempotentAnswer, User
from ctweb.tests.clients import client_of, stores_away

pytestmark = pytest.mark.django_db
PAIRS = "/api/v1/pairs"


@pytest.fixture(autouse=True)
def away(settings) -> None:
    stores_away(settings)


@pytest.fixture
def operator() -> Client:
    list_pairs()
    return client_of("operator")


def post(client: Client, body: Any, key: str | None = None, path: str = PAIRS) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(path, body, content_type="application/json", headers=headers)


def many_pairs(count: int) -> list[str]:
    return [f"C{number:03}/USDT" for number in range(count)]


def test_the_document_is_openapi_and_names_every_path():
    document = yaml.safe_load(client_of("viewer").get("/api/v1/schema/").content)
    validate_schema(document)
    for path in (
        "/status",
        "/orderbook/{exchange}/{pair}",
        "/monitor/tasks",
        "/api/v1/pairs",
        "/api/v1/history/updates",
    ):
        assert path in document["paths"]


def test_the_page_of_the_document_needs_nothing_from_elsewhere():
    page = client_of("viewer").get("/api/v1/docs/").content.decode()
    assert "http://" not in page.replace("http://testserver", "")
    assert "https://" not in page
    assert client_of(None).get("/api/v1/").headers["Location"] == "/api/v1/docs/"


@pytest.mark.parametrize("path", ["/status", "/api/v1/me", "/api/v1/docs/", "/login/", "/admin/login/", "/nowhere"])
def test_every_answer_carries_the_headers_that_protect_it(path):
    headers = client_of("viewer").get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/pairs", "/status", "/orderbook/binance/X-Y"])
def test_answers_of_the_api_are_kept_by_nobody(path):
    assert "no-store" in client_of("viewer").get(path).headers["Cache-Control"]


def test_another_host_is_refused():
    assert client_of(None).get("/status", headers={"Host": "evil.example"}).status_code == 400


def test_pairs_are_added_changed_and_deleted(operator):
    made = post(operator, {"exchange": "binance", "pair": "BTC/USDT", "depth": 50})
    assert made.status_code == 201
    row = f"{PAIRS}/{made.json()['id']}"
    changed = operator.patch(row, {"enabled": False, "depth": None, "priority": 7}, content_type="application/json")
    assert [changed.json()[name] for name in ("enabled", "depth", "priority")] == [False, None, 7]
    assert operator.delete(row).status_code == 204
    assert operator.get(row).status_code == 404
    assert [one.action for one in Audit.objects.order_by("change_id")] == ["pair.add", "pair.disable", "pair.delete"]


def test_many_pairs_are_switched_together(operator):
    body = {"pairs": [{"exchange": "binance", "pair": pair} for pair in ("BTC/USDT", "eth/usdt")], "enabled": True}
    assert len(post(operator, body, path=f"{PAIRS}/bulk").json()["rows"]) == 2
    assert operator.get(PAIRS, {"enabled": "true"}).json()["count"] == 2
    post(operator, {**body, "enabled": False}, path=f"{PAIRS}/bulk")
    assert operator.get(PAIRS, {"enabled": "true"}).json()["count"] == 0


def test_an_exchange_is_switched_off_by_an_admin(operator):
    admin = client_of("admin")
    answer = admin.patch("/api/v1/exchanges/binance", {"enabled": False}, content_type="application/json")
    assert (answer.json()["code"], answer.json()["enabled"]) == ("binance", False)
    assert "switched off" in post(operator, {"exchange": "binance", "pair": "BTC/USDT"}).json()["exchange"][0]


def test_an_exchange_tells_the_depths_that_it_takes(operator):
    offered = {one["code"]: one["depths"] for one in operator.get("/api/v1/exchanges").json()}
    taken: dict[str, dict[str, list[int]]] = {code: {"spot": [], "futures": []} for code in offered}
    for code, market, depth in product(offered, MarketType, (20, 50, 0)):
        list_pairs("A20/USDT", "A50/USDT", "A0/USDT", exchange=code, market_type=market)
        body = {"exchange": code, "market_type": market, "pair": f"A{depth}/USDT", "depth": depth}
        if post(operator, body).status_code == 201:
            taken[code][market].append(depth)
    assert offered == taken
    assert offered["hyperliquid"] == {"spot": [20], "futures": [20]}


def test_the_same_request_under_one_key_has_one_effect_and_one_answer(operator):
    body = {"exchange": "binance", "pair": "BTC/USDT"}
    first, second = post(operator, body, "k1"), post(operator, body, "k1")
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert Monitoring.objects.count() == 1
    assert Audit.objects.get().idempotency_key == "k1"


def test_another_request_under_a_used_key_is_refused(operator):
    post(operator, {"exchange": "binance", "pair": "BTC/USDT"}, "k1")
    assert post(operator, {"exchange": "binance", "pair": "ETH/USDT"}, "k1").status_code == 409
    assert Monitoring.objects.count() == 1


def test_a_refused_request_leaves_its_key_free(operator):
    assert post(operator, {"exchange": "binance", "pair": "NOPE/USDT"}, "k1").status_code == 400
    assert post(operator, {"exchange": "binance", "pair": "BTC/USDT"}, "k1").status_code == 201


def test_keys_belong_to_their_users(operator):
    post(operator, {"exchange": "binance", "pair": "BTC/USDT"}, "k1")
    assert post(client_of("trader"), {"exchange": "binance", "pair": "ETH/USDT"}, "k1").status_code == 201


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("key", ["k1", None])
def test_identical_requests_at_the_same_time_make_one_row(key):
    list_pairs()
    session = client_of("operator").cookies

    def send(_: int) -> int:
        client = Client()
        client.cookies = session
        try:
            return post(client, {"exchange": "binance", "pair": "BTC/USDT"}, key).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        codes = sorted(threads.map(send, range(12)))
    assert Monitoring.objects.count() == 1
    assert codes == ([201] * 12 if key else [201] + [400] * 11)
    assert Audit.objects.count() == 1


def test_instruments_are_searched_by_words_filtered_and_cut_into_pages():
    list_pairs(*many_pairs(150))
    list_pairs("BTC/USDT", exchange="okx", market_type="futures")
    viewer = client_of("viewer")
    page = viewer.get("/api/v1/instruments", {"limit": 10, "offset": 145, "exchange": "binance"}).json()
    assert (page["count"], len(page["results"])) == (150, 5)
    (found,) = viewer.get("/api/v1/instruments", {"q": "okx fut btc"}).json()["results"]
    assert (found["exchange"], found["pair"], found["tick"], found["lot"]) == ("okx", "BTC/USDT", "0.01", "0.00001")


def test_instruments_come_in_the_order_of_their_volume():
    volumes = {"A/USDT": "9", "B/USDT": "123456789012345678901.5", "C/USDT": "10"}
    listed = [instrument(pair, volume_24h=Decimal(volume)) for pair, volume in volumes.items()]
    sync_instruments(exchange="binance", market_type=MarketType.SPOT, instruments=listed)
    rows = client_of("viewer").get("/api/v1/instruments", {"order": "-volume_24h"}).json()["results"]
    assert [(row["pair"], row["volume_24h"]) for row in rows] == [
        ("B/USDT", "123456789012345678901.5"),
        ("C/USDT", "10"),
        ("A/USDT", "9"),
    ]


@pytest.mark.parametrize("path", [PAIRS, "/api/v1/instruments", "/monitor/tasks"])
def test_a_list_asks_as_often_for_a_hundred_rows_as_for_two(path):
    viewer = client_of("viewer")
    viewer.get("/api/v1/me")  # the first request of a session notes when it began
    counts = []
    for pairs in (many_pairs(2), many_pairs(100)):
        list_pairs(*pairs)
        Monitoring.objects.all().delete()
        Monitoring.objects.bulk_create(Monitoring(exchange="binance", pair=pair) for pair in pairs)
        with CaptureQueriesContext(connection) as queries:
            assert viewer.generic("POST" if path == "/monitor/tasks" else "GET", path).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_gaps_are_found_by_pair_and_interval():
    for minute, pair in enumerate(("BTC/USDT", "ETH/USDT", "BTC/USDT")):
        FeedGap.objects.create(
            exchange="okx",
            market_type="spot",
            pair=pair,
            stream="okx:spot:1",
            daemon="d1",
            reason="gap",
            from_ts=f"2026-11-20T10:0{minute}:00Z",
            to_ts=f"2026-11-20T10:0{minute}:30Z",
        )
    viewer = client_of("viewer")
    asked = {"exchange": "okx", "pair": "BTC-USDT", "since": "2026-11-20T10:01:00Z", "until": "2026-11-20T11:00:00Z"}
    (gap,) = viewer.get("/api/v1/history/gaps", asked).json()["results"]
    assert gap["from_ts"] == "2026-11-20T10:02:00Z"


@pytest.mark.parametrize("what", ["updates", "trades", "completeness"])
def test_a_history_store_that_is_away_is_said_so(what):
    list_pairs("BTC/USDT")
    asked = {"exchange": "binance", "pair": "BTC-USDT", "since": "-1h"}
    answer = client_of("viewer").get(f"/api/v1/history/{what}", asked)
    assert answer.status_code == 503
    assert "history store does not answer" in answer.json()["detail"]


def test_nothing_here_makes_users_or_exchanges():
    exchanges = Exchange.objects.count()
    client_of("admin").post("/api/v1/me", {"is_staff": True}, content_type="application/json")
    assert User.objects.filter(is_staff=True).count() == 0
    assert Exchange.objects.count() == exchanges
    assert IdempotentAnswer.objects.count() == 0


def test_a_database_that_is_away_is_said_so(monkeypatch):
    def away() -> None:
        raise OperationalError(2006, "Server has gone away")

    viewer = client_of("viewer")
    monkeypatch.setattr("apps.feeds.selectors.exchanges", away)
    answer = viewer.get("/orderbook/binance/BTC-USDT")
    assert answer.status_code == 503
    assert answer.json() == {"detail": "The database does not answer."}
