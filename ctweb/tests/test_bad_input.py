"""What strangers send: refused with the name of what is wrong, nothing written, never a 500 (reliability.md 4.7)."""

import json
from typing import Any

import pytest
from django.test import Client

from apps.feeds.market import InstrumentStatus
from apps.feeds.models import Exchange
from apps.feeds.tests.listings import instrument, list_pairs
from apps.monitoring.models import Monitoring
from apps.users.models import Audit
from apps.users.roles import ADMIN
from ctweb.tests.clients import client_of, stores_away

pytestmark = pytest.mark.django_db

WRITABLE = {
    "POST /api/v1/pairs": {"exchange": "binance", "pair": "ETH/USDT"},
    "PATCH /api/v1/pairs/1": {"enabled": False},
    "POST /api/v1/pairs/bulk": {"pairs": [{"exchange": "binance", "pair": "ETH/USDT"}], "enabled": True},
    "POST /api/v1/pairs/preview": {"pairs": [{"exchange": "binance", "pair": "ETH/USDT"}], "enabled": True},
    "PATCH /api/v1/exchanges/okx": {"enabled": False},
    "POST /api/v1/tokens": {"days": 7},
    "POST /api/v1/me/second-factor": {"code": "123456"},
    "DELETE /api/v1/me/second-factor": {"password": "guess", "code": "123456"},
}
BODIES = {
    "nothing": b"",
    "spaces": b"   ",
    "not JSON": b"exchange=binance&pair=ETH",
    "half an object": b'{"exchange": ',
    "two objects": b"{}{}",
    "a list": b"[]",
    "a text": b'"x"',
    "a number": b"1",
    "null": b"null",
    "true": b"true",
    "NaN": b'{"enabled": NaN}',
    "infinity": b'{"days": 1e309, "enabled": 1e309}',
    "a name twice": b'{"enabled": true, "enabled": false}',
    "a lone surrogate": b'{"pair": "\\ud800", "reason": "\\udc00"}',
    "not UTF-8": b'{"pair": "\xff\xfe"}',
    "UTF-16": '{"enabled": true}'.encode("utf-16"),
    "1,000 deep": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "100,000 deep": b"[" * 100_000,
    "5 MB": b'{"reason": "' + b"x" * 5_000_000 + b'"}',
    "an unknown field": b'{"is_staff": true}',
    "fields of the row": b'{"id": 7, "user": 1, "created_at": "2020-01-01T00:00:00Z", "ACTIVE": false}',
}
TEXTS = [
    *("", " ", "\x00", "BTC\x00/USDT", "x" * 51, "x" * 4000, "../../etc/passwd", "' OR 1=1--", "{{7*7}}", "%s%n"),
    *("<script>alert(1)</script>", "=cmd|'/c calc'!A1", "BTC\r\nX: y", "١٢", "𝔅𝔗ℭ/USDT", "BTÇ/USDT", "NaN", "null"),
    *(None, 0, 1.5, True, [], {}, ["BTC/USDT"]),
]
NUMBERS = [
    *("1e309", "NaN", "-0", " 1 ", "١٢", "1,5", "0x10", "", "20", True, False, [], {}, 1.5, 20.0, -1, 21, 10**9, 2**63),
    10**40,
]
CODES = ["", " ", "x" * 21, "12345", "1234567", "١٢٣٤٥٦", "12 456", "-12345", "1e5", 123456, None, True, [], {}, "\x00"]
TRUTHS = ["true", "yes", 1, 0, None, [], {}, "1", 2]


def bad_values() -> list[tuple[str, str, Any]]:
    """(endpoint, field, value) that must be refused at that field."""
    cases: list[tuple[str, str, Any]] = []
    for field in ("exchange", "market_type", "pair"):
        cases += [("POST /api/v1/pairs", field, value) for value in TEXTS]
    refused_priorities = ["1", None, True, 1.5, [], {}, "NaN", 2**31, -(2**31) - 1, 10**40]
    cases += [("POST /api/v1/pairs", "depth", value) for value in NUMBERS]
    cases += [("POST /api/v1/pairs", "priority", value) for value in refused_priorities]
    cases += [("POST /api/v1/pairs", "enabled", value) for value in TRUTHS]
    cases += [("PATCH /api/v1/pairs/1", "depth", value) for value in NUMBERS]
    cases += [("PATCH /api/v1/pairs/1", "priority", value) for value in refused_priorities]
    cases += [("PATCH /api/v1/pairs/1", "enabled", value) for value in TRUTHS]
    cases += [("PATCH /api/v1/pairs/1", name, "x") for name in ("exchange", "pair", "id", "updated_at", "user")]
    cases += [("PATCH /api/v1/exchanges/okx", "enabled", value) for value in TRUTHS]
    cases += [("PATCH /api/v1/exchanges/okx", "reason", value) for value in (1, None, "x" * 501, "\x00")]
    cases += [("POST /api/v1/tokens", "days", value) for value in ("7", 0, -1, 366, 2**63, 10**40, 1.5, True, None, [])]
    cases += [("POST /api/v1/me/second-factor", "code", value) for value in CODES]
    cases += [("DELETE /api/v1/me/second-factor", "code", value) for value in (*CODES[:2], "x" * 21, None, 1, [])]
    cases += [("DELETE /api/v1/me/second-factor", "password", value) for value in ("", "x", "x" * 501, None, 1, [])]
    for endpoint in ("POST /api/v1/pairs/bulk", "POST /api/v1/pairs/preview"):
        cases += [(endpoint, "pairs", value) for value in ([], {}, None, "BTC/USDT", [1], [None], [{}], [[]])]
        cases += [
            (endpoint, "pairs", [{"exchange": "binance", "pair": value}]) for value in (None, 1, "x" * 51, "\x00")
        ]
        cases += [(endpoint, "pairs", [{"exchange": "binance", "pair": "ETH/USDT", "market_type": "options"}])]
        cases += [(endpoint, "pairs", [{"exchange": "binance", "pair": "ETH/USDT", "depth": 20}])]
        cases += [(endpoint, "pairs", [{"exchange": "binance", "pair": f"A{n}/B"} for n in range(1001)])]
        cases += [(endpoint, "enabled", value) for value in TRUTHS]
    cases += [("POST /api/v1/pairs/bulk", "depth", value) for value in NUMBERS]
    cases += [
        ("POST /api/v1/pairs/bulk", "pairs", [{"exchange": exchange, "pair": pair}])
        for exchange, pair in (
            ("kraken", "ETH/USDT"),
            ("binance", "NOPE/USDT"),
            ("okx", "OLD/USDT"),
            ("binance", "ETH-USDT"),
        )
    ]
    return cases


@pytest.fixture
def admin(settings) -> Client:
    list_pairs("BTC/USDT", "ETH/USDT")
    list_pairs("BTC/USDT", exchange="okx", extra=(instrument("OLD/USDT", "okx", status=InstrumentStatus.SUSPENDED),))
    Monitoring.objects.create(id=1, exchange="binance", pair="BTC/USDT")
    stores_away(settings)
    return client_of(ADMIN)


def send(client: Client, endpoint: str, body: bytes, **headers: Any) -> Any:
    method, path = endpoint.split()
    return client.generic(method, path, body, content_type=headers.pop("content_type", "application/json"), **headers)


def traces() -> tuple[Any, ...]:
    """What a refused request must leave as it is."""
    rows = list(Monitoring.objects.order_by("pk").values())
    return rows, list(Exchange.objects.values()), Audit.objects.count()


@pytest.mark.parametrize("endpoint", WRITABLE)
@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_none_is_refused(admin, endpoint, name):
    before = traces()
    answer = send(admin, endpoint, BODIES[name])
    if endpoint == "POST /api/v1/tokens" and name in ("nothing", "spaces"):
        assert answer.status_code in (201, 400)
        return
    assert answer.status_code in (400, 413), answer.content[:200]
    assert answer.json()
    assert traces() == before


@pytest.mark.parametrize("endpoint", WRITABLE)
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense", ""]
)
def test_another_content_type_is_refused(admin, endpoint, kind):
    before = traces()
    answer = send(admin, endpoint, json.dumps(WRITABLE[endpoint]).encode(), content_type=kind)
    assert answer.status_code in (400, 415)
    assert traces() == before


@pytest.mark.parametrize(("endpoint", "field", "value"), bad_values())
def test_a_bad_value_is_refused_at_its_field(admin, endpoint, field, value):
    before = traces()
    answer = send(admin, endpoint, json.dumps({**WRITABLE[endpoint], field: value}).encode())
    assert answer.status_code == 400, answer.content[:200]
    assert field in answer.json()
    assert traces() == before


@pytest.mark.parametrize("endpoint", ["POST /api/v1/pairs", "POST /api/v1/pairs/bulk", "POST /api/v1/pairs/preview"])
def test_a_missing_field_is_named(admin, endpoint):
    for field in WRITABLE[endpoint]:
        rest = {name: value for name, value in WRITABLE[endpoint].items() if name != field}
        answer = send(admin, endpoint, json.dumps(rest).encode())
        assert answer.status_code == 400
        assert field in answer.json()


@pytest.mark.parametrize(
    "path",
    [
        *(
            f"/api/v1/pairs/{pk}"
            for pk in ("0", "-1", "999", "1.0", "x", "١", f"{2**63}", f"{10**30}", "1'--", "a0eebc99")
        ),
        "/api/v1/exchanges/kraken",
        "/api/v1/exchanges/%00",
        "/api/v1/tokens/%00",
        "/api/v1/tokens/../me",
        "/api/v1/nope",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_object_that_is_not_there_is_not_found(admin, path, method):
    before = traces()
    answer = admin.generic(method, path, b'{"enabled": false}', content_type="application/json")
    assert answer.status_code in (400, 404, 405)
    assert traces() == before


PAIR = "exchange=binance&market_type=spot&pair=BTC-USDT"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/instruments?limit=-1", "limit"),
        ("/api/v1/instruments?limit=0", "limit"),
        ("/api/v1/instruments?limit=99999999999999999999", "limit"),
        ("/api/v1/instruments?limit=NaN", "limit"),
        ("/api/v1/instruments?offset=-1", "offset"),
        ("/api/v1/instruments?offset=9999999999999", "offset"),
        ("/api/v1/instruments?q=%00", "q"),
        ("/api/v1/instruments?q=" + "x" * 101, "q"),
        ("/api/v1/instruments?exchange=kraken", "exchange"),
        ("/api/v1/instruments?market_type=Spot", "market_type"),
        ("/api/v1/instruments?status=' OR 1=1--", "status"),
        ("/api/v1/instruments?order=password", "order"),
        ("/api/v1/instruments?exchange__enabled=1", "exchange__enabled"),
        ("/api/v1/pairs?enabled=yes", "enabled"),
        ("/api/v1/pairs?user__password=x", "user__password"),
        ("/api/v1/pairs?pair=%0a", "pair"),
        ("/api/v1/audit?before__contains=x", "before__contains"),
        ("/api/v1/audit?limit=1001", "limit"),
        ("/api/v1/books?x=1", "x"),
        ("/api/v1/daemons?x=1", "x"),
        ("/api/v1/history/updates", "since"),
        (f"/api/v1/history/updates?{PAIR}", "since"),
        (f"/api/v1/history/updates?{PAIR}&since=9999-12-31T23:59:59Z", "since"),
        (f"/api/v1/history/updates?{PAIR}&since=NaN", "since"),
        (f"/api/v1/history/updates?{PAIR}&since=-5", "since"),
        (f"/api/v1/history/updates?{PAIR}&since=-1h&until=-2h", "since"),
        (f"/api/v1/history/updates?{PAIR}&since=-1h&limit=0", "limit"),
        (f"/api/v1/history/updates?{PAIR}&since=-1h&limit=100001", "limit"),
        (f"/api/v1/history/updates?{PAIR}&since=-1h&order=x", "order"),
        ("/api/v1/history/updates?exchange=binance&since=-1h", "pair"),
        ("/api/v1/history/updates?pair=BTC-USDT&since=-1h", "exchange"),
        ("/api/v1/history/updates?exchange=binance&pair=BTC-USDT&market_type=x&since=-1h", "market_type"),
        (f"/api/v1/history/trades?{PAIR}&since=2026-13-01", "since"),
        (f"/api/v1/history/completeness?{PAIR}&since=%00", "since"),
        ("/api/v1/history/gaps?market_type=x", "market_type"),
        ("/api/v1/history/gaps?exchange=kraken", "exchange"),
        ("/api/v1/pairs?exchange=kraken", "exchange"),
        ("/api/v1/pairs?market_type=perp", "market_type"),
        ("/api/v1/history/gaps?until=x", "until"),
        *(
            (f"/orderbook/binance/BTC-USDT?depth={depth}", "depth")
            for depth in ("-1", "1001", "NaN", "1e2", "", "20.0", "full", "١٢", "9" * 30)
        ),
        ("/orderbook/binance/BTC-USDT?market_type=perp", "market_type"),
        ("/orderbook/binance/BTC-USDT?market_type=", "market_type"),
        ("/orderbook/binance/BTC-USDT?deph=20", "deph"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(admin, path, field):
    answer = admin.get(path)
    assert answer.status_code == 400, answer.content[:200]
    assert field in answer.json()


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/orderbook/kraken/BTC-USDT", "exchange"),
        ("/orderbook/Binance%00/BTC-USDT", "exchange"),
        ("/orderbook/binance/NOPE-USDT", "pair"),
        ("/orderbook/binance/BTC-USDT?market_type=futures", "pair"),
        ("/orderbook/binance/BTC%00-USDT", "pair"),
        ("/orderbook/binance/" + "x" * 4000, "pair"),
        ("/orderbook/binance/%27%20OR%201=1--", "pair"),
        ("/orderbook/binance/../../etc/passwd", "pair"),
        ("/api/v1/books/kraken/spot/BTC-USDT", "exchange"),
        ("/api/v1/books/binance/spot/NOPE-USDT", "pair"),
        ("/api/v1/history/trades?exchange=kraken&pair=BTC-USDT&since=-1h", "exchange"),
        ("/api/v1/history/trades?exchange=binance&pair=NOPE-USDT&since=-1h", "pair"),
    ],
)
def test_an_unknown_book_is_not_found_by_name(admin, path, field):
    answer = admin.get(path)
    assert answer.status_code == 404, answer.content[:200]
    assert field in answer.json()


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_a_method_is_not_overridden_by_a_header(admin, header):
    admin.post("/api/v1/pairs/1", headers={header: "DELETE"})
    assert Monitoring.objects.filter(pk=1).exists()


@pytest.mark.parametrize("accept", ["text/html", "image/png", "nonsense", "application/json;q=0", "*/*;q=x"])
def test_an_odd_accept_header_is_no_error(admin, accept):
    assert admin.get("/api/v1/pairs", headers={"Accept": accept}).status_code in (200, 406)


@pytest.mark.parametrize("key", ["x" * 101, "line\nbreak", "\x00", ""])
def test_a_bad_idempotency_key_is_refused(admin, key):
    before = traces()
    body = json.dumps(WRITABLE["POST /api/v1/pairs"]).encode()
    answer = send(admin, "POST /api/v1/pairs", body, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert traces() == before


def test_an_error_shows_no_paths_and_no_sql(admin):
    answer = send(admin, "POST /api/v1/pairs", b'{"exchange": "\' OR 1=1--", "pair": "x"}')
    for word in ("Traceback", "SELECT", "/apps/", ".py"):
        assert word not in answer.content.decode()
