"""What strangers send to the endpoints of trading: refused with the name of what is wrong, nothing written, never a 500
(reliability.md 4.7)."""

import json
from itertools import product
from typing import Any

import pytest
from django.utils import timezone

from apps.feeds.market import InstrumentStatus
from apps.feeds.tests.listings import instrument, list_pairs
from apps.trading.credentials import keys
from apps.trading.models import Account, AccountKey, Order, OrderIntent, RiskLimit, RiskState, Trade, TradingSwitch
from apps.trading.tests import rows
from apps.users.models import Alert, Audit
from ctweb.tests.desk import GUARD, Desk, Person, open_desk
from ctweb.tests.test_bad_input import BODIES, TRUTHS

pytestmark = pytest.mark.django_db

ACCOUNT, ORDER, INTENT, LIMIT, ALERT, THEIRS = 501, 601, 701, 801, 901, 502
ORDER_BODY = {"key": "k", "account": ACCOUNT, "pair": "BTC/USDT", "side": "buy", "amount": "0.5", "price": "60000"}
WRITABLE: dict[str, dict[str, Any]] = {
    "POST accounts": {"name": "mine", "exchange": "binance"},
    f"PATCH accounts/{ACCOUNT}": {"name": "other"},
    f"POST accounts/{ACCOUNT}/close": {},
    f"POST accounts/{ACCOUNT}/approve": dict(GUARD),
    f"POST accounts/{ACCOUNT}/key": {"key": "k" * 20, "secret": "s"},
    f"DELETE accounts/{ACCOUNT}/key": {},
    f"POST accounts/{ACCOUNT}/simulated-key": {},
    "POST intents": ORDER_BODY,
    "POST intents/preview": {name: value for name, value in ORDER_BODY.items() if name != "key"},
    f"POST intents/{INTENT}/cancel": {},
    f"POST orders/{ORDER}/cancel": {},
    "POST orders/cancel": {"orders": [ORDER]},
    "POST risk/halt": {},
    "POST risk/reduce": {},
    "POST risk/resume": dict(GUARD),
    "POST risk/switch": {"live_allowed": True, **GUARD},
    "POST risk/limits": {"scope": "global", "name": "max_order_usdt", "value": "50"},
    f"DELETE risk/limits/{LIMIT}": {},
    f"POST alerts/{ALERT}/ack": {},
}
NEEDS_NOTHING = {endpoint for endpoint, body in WRITABLE.items() if not body}  # an empty body is a whole request there
TEXTS = [
    *("", " ", "\x00", "a\x00b", "x" * 600, "x" * 4000, "a\r\nX: y"),
    *(None, 0, 1.5, True, [], {}, ["x"]),
]
MARKETS = [
    "Spot",
    "perp",
    "' OR 1=1--",
    "../../etc/passwd",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A1",
]
MONEY = [
    *("1e309", "1e3", "NaN", "Infinity", "-0", "-1", " 1 ", "١٢", "1,5", "0x10", "", "+1", ".5", "5.", "01", "1_000"),
    *("0.0000000000000000001", "1" * 21, "9" * 600, "0", "0.000", "sNaN", "1\n", "１"),
    *(1, 0.5, 10**40, True, None, [], {}, ["1"]),
]
NUMBERS = ["1", "", 0, -1, 2**31, 2**63, 10**40, 1.5, True, None, [], {}, "a0eebc99", "NaN"]
WORDS = ["", "BUY", "x", " buy", 0, 1, True, None, [], {}, ["buy"], "=cmd|'/c calc'!A1", "x" * 4000]


def bad_values() -> list[tuple[str, str, Any]]:
    """(endpoint, field, value) that must be refused at that field."""
    cases: list[tuple[str, str, Any]] = []
    cases += [("POST accounts", "name", value) for value in TEXTS]
    cases += [("POST accounts", "exchange", value) for value in (*TEXTS, "kraken", "BINANCE", "binance ' OR 1=1--")]
    cases += [("POST accounts", "market_type", value) for value in (*MARKETS, None, 0, [], "")]
    cases += [("POST accounts", "mode", value) for value in (*WORDS, "LIVE")]
    cases += [("POST orders/cancel", "orders", value) for value in (*TEXTS, {}, 1, [ORDER, 10**17], [True])]
    cases += [("POST orders/cancel", "orders", [value]) for value in NUMBERS]
    cases += [("POST accounts", "desk", value) for value in (*TRUTHS, True)]
    cases += [("POST accounts", "balances", value) for value in ([], {}, "USDT", 1, None, {"usdt": "1"}, {"": "1"})]
    cases += [("POST accounts", "balances", {"USDT": value}) for value in MONEY]
    cases += [("POST accounts", "balances", {f"A{n}": "1" for n in range(21)})]
    cases += [("POST accounts", name, "x") for name in ("owner", "id", "is_default", "approved_by", "maker_fee")]
    cases += [(f"PATCH accounts/{ACCOUNT}", "name", value) for value in TEXTS]
    cases += [(f"PATCH accounts/{ACCOUNT}", name, "live") for name in ("mode", "exchange", "owner", "active", "id")]
    for field in ("key", "secret"):
        cases += [(f"POST accounts/{ACCOUNT}/key", field, value) for value in (*TEXTS, " k", "пароль", "🔑")]
    cases += [(f"POST accounts/{ACCOUNT}/key", "passphrase", value) for value in (0, None, [], "x" * 501, "a\nb")]
    cases += [(f"POST accounts/{ACCOUNT}/key", "cannot_withdraw", value) for value in TRUTHS]
    cases += [(f"POST accounts/{ACCOUNT}/key", name, "x") for name in ("sealed", "version", "user")]
    for endpoint in (f"POST accounts/{ACCOUNT}/approve", "POST risk/resume"):
        cases += [(endpoint, "reason", value) for value in ("", "short", " " * 20, None, 1, [], "x" * 501, "a\x00" * 9)]
        cases += [(endpoint, "password", value) for value in ("", "guess", None, 1, [], "x" * 501, "\x00")]
    cases += order_values()
    for endpoint in ("POST risk/halt", "POST risk/reduce", "POST risk/resume"):
        cases += [(endpoint, "scope", value) for value in (*WORDS, "pair", "GLOBAL")]
        cases += [(endpoint, "scope_id", value) for value in (None, 1, [], {}, "x" * 51, "\x00")]
        cases += [(endpoint, "state", "ACTIVE"), (endpoint, "by", "root")]
    cases += [("POST risk/halt", "mode", value) for value in (*WORDS, "CANCEL")]
    cases += [("POST risk/halt", "reason", value) for value in (None, 1, [], "x" * 501, "\x00")]
    cases += [("POST risk/switch", "live_allowed", value) for value in TRUTHS]
    cases += [("POST risk/limits", "scope", value) for value in (*WORDS, "GLOBAL")]
    cases += [("POST risk/limits", "name", value) for value in (*TEXTS, "fee_share", "MAX_ORDER_USDT", "password")]
    cases += [("POST risk/limits", "value", value) for value in MONEY if value not in ("0", "0.000")]
    cases += [("POST risk/limits", "value", value) for value in ("10000.01", "9" * 20)]
    cases += [("POST risk/limits", "scope_id", value) for value in (None, 1, [], "1", "x" * 51, "\x00")]
    return cases


def order_values() -> list[tuple[str, str, Any]]:
    texts = [value for value in TEXTS if value != " "]
    odd = (
        "btc-usdt",
        "BTC/USDT\x00",
        "../../",
        "' OR 1=1--",
        "{{7*7}}",
        "<script>",
        "=cmd|'/c'!A1",
        "BTÇ/USDT",
        "OLD/USDT",
    )
    cases: list[tuple[str, Any]] = [("pair", value) for value in (*texts, *odd, "ETH/USDT-PERP", "x" * 51)]
    cases += [("account", value) for value in (*NUMBERS, 999_999, THEIRS)]
    cases += [("side", value) for value in (*WORDS, "unknown")]
    cases += [("type", value) for value in (*WORDS, "LIMIT", "stop")]
    cases += [("tif", value) for value in (*WORDS, "GTC", "fok")]
    cases += [("amount", value) for value in (*MONEY, "0.000001", "0.500001", "0.50000000000001")]  # off the lot
    cases += [("price", value) for value in (*MONEY, "60000.001", "0.001")]  # off the tick
    cases += [("reduce_only", value) for value in TRUTHS]
    cases += [
        ("leverage", value) for value in (*(each for each in NUMBERS if each is not None), 101, 1)
    ]  # of spot none
    cases += [("key", value) for value in (*TEXTS, "x" * 101)]
    fields = (
        "intent_key",
        "user",
        "trade",
        "state",
        "result",
        "fence",
        "client_order_id",
        "reserved_amount",
        "purpose",
    )
    cases += [(name, "x") for name in (*fields, "max_age_ms", "id", "lane")]
    return [("POST intents", field, value) for field, value in cases]


BAD: dict[tuple[str, str], list[Any]] = {}
for _endpoint, _field, _value in bad_values():
    BAD.setdefault((_endpoint, _field), []).append(_value)


@pytest.fixture
def desk(settings, monkeypatch) -> Desk:
    found = open_desk(settings)
    list_pairs("BTC/USDT", "ETH/USDT", extra=(instrument("OLD/USDT", status=InstrumentStatus.SUSPENDED),))
    account = rows.account(owner=found.anna.user, name="at work", id=ACCOUNT, mode="testnet", requested_mode="live")
    rows.account(owner=found.boris.user, name="his", id=THEIRS)
    intent = rows.intent(rows.trade(account), id=INTENT)
    rows.order(intent, id=ORDER, status="OPEN", request_expires_at=timezone.now())
    RiskLimit.objects.create(id=LIMIT, scope="global", name="max_open_pair", value=50)
    Alert.objects.create(id=ALERT, kind="HALTED", text="drill")
    monkeypatch.setattr(keys, "_probe", never)  # what is refused is not even asked about
    return found


async def never(*args: Any) -> Any:
    raise AssertionError("the exchange was asked")


def who(desk: Desk, endpoint: str) -> Person:
    if "switch" in endpoint:
        return desk.olga
    return desk.oleg if "halt" in endpoint or "reduce" in endpoint or "alerts" in endpoint else desk.anna


def send(desk: Desk, endpoint: str, body: bytes, **headers: Any) -> Any:
    method, path = endpoint.split()
    kind = headers.pop("content_type", "application/json")
    return who(desk, endpoint).client.generic(method, f"/api/v1/{path}", body, content_type=kind, **headers)


def traces() -> tuple[Any, ...]:
    """What a refused request must leave as it is."""
    tables = (Account, AccountKey, Trade, OrderIntent, Order, RiskState, RiskLimit, TradingSwitch, Alert)
    return *(list(table.objects.order_by("pk").values()) for table in tables), Audit.objects.count()


@pytest.mark.parametrize("endpoint", WRITABLE)
def test_a_body_that_is_none_is_refused(desk, endpoint):
    before = traces()
    for name, body in BODIES.items():
        if endpoint in NEEDS_NOTHING and name == "nothing":
            continue
        answer = send(desk, endpoint, body)
        assert answer.status_code in (400, 413), (name, answer.content[:200])
        assert answer.json(), name
    assert traces() == before


@pytest.mark.parametrize("endpoint", WRITABLE)
def test_another_content_type_is_refused(desk, endpoint):
    before = traces()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense"):
        answer = send(desk, endpoint, json.dumps(WRITABLE[endpoint]).encode(), content_type=kind)
        assert answer.status_code in (400, 415), kind
    assert traces() == before


@pytest.mark.parametrize(("endpoint", "field"), BAD)
def test_a_bad_value_is_refused_at_its_field(desk, endpoint, field):
    before = traces()
    for value in BAD[endpoint, field]:
        answer = send(desk, endpoint, json.dumps({**WRITABLE[endpoint], field: value}).encode())
        assert answer.status_code == 400, (value, answer.content[:200])
        assert field in answer.json(), (value, answer.content[:200])
    assert traces() == before


@pytest.mark.parametrize("endpoint", [endpoint for endpoint, body in WRITABLE.items() if body])
def test_a_missing_field_is_named(desk, endpoint):
    before = traces()
    for field in WRITABLE[endpoint]:
        rest = {name: value for name, value in WRITABLE[endpoint].items() if name != field}
        answer = send(desk, endpoint, json.dumps(rest).encode())
        assert answer.status_code == 400
        assert field in answer.json()
    assert traces() == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "market"}, "price"),
        ({"type": "market", "price": None, "tif": "ioc"}, "tif"),
        ({"price": None}, "price"),
    ],
)
def test_an_order_at_the_market_has_no_price_and_a_limit_order_has_one(desk, changes, field):
    answer = send(desk, "POST intents", json.dumps({**ORDER_BODY, **changes}).encode())
    assert (answer.status_code, list(answer.json())) == (400, [field])


@pytest.mark.parametrize("key", ["x" * 101, "line\nbreak", "\x00", ""])
@pytest.mark.parametrize("endpoint", ["POST accounts", "POST intents", f"POST orders/{ORDER}/cancel"])
def test_a_bad_idempotency_key_is_refused(desk, endpoint, key):
    before = traces()
    body = {name: value for name, value in WRITABLE[endpoint].items() if name != "key"}
    answer = send(desk, endpoint, json.dumps(body).encode(), headers={"Idempotency-Key": key})
    assert (answer.status_code, list(answer.json())) == (400, ["Idempotency-Key"])
    assert traces() == before


def test_a_key_in_the_body_that_is_not_that_of_the_header_is_refused(desk):
    answer = send(desk, "POST intents", json.dumps(ORDER_BODY).encode(), headers={"Idempotency-Key": "other"})
    assert (answer.status_code, list(answer.json())) == (400, ["key"])


NOWHERE = ("0", "-1", "999999", "1.0", "x", "١", f"{2**63}", f"{10**30}", "1'--", "a0eebc99")


@pytest.mark.parametrize(
    "path",
    [
        *("accounts/{}", "accounts/{}/close", "accounts/{}/approve", "accounts/{}/key", "intents/{}"),
        *("intents/{}/cancel", "orders/{}", "orders/{}/cancel", "risk/limits/{}", "alerts/{}/ack"),
    ],
)
def test_an_object_that_is_not_there_is_not_found(desk, path):
    before = traces()
    for pk, method in product(NOWHERE, ("GET", "POST", "PATCH", "DELETE")):
        answer = desk.olga.client.generic(method, f"/api/v1/{path.format(pk)}", b"{}", content_type="application/json")
        assert answer.status_code in (404, 405), (method, pk, answer.status_code)
    assert traces() == before


LISTS = ("accounts", "intents", "orders", "fills", "positions", "balances", "pnl", "funding", "risk/states", "alerts")


BAD_PAGES = {
    "limit": ("-1", "0", "99999999999999999999"),
    "offset": ("-1", "NaN"),
    "owner__password": ("x",),
    "x": ("1",),
}


@pytest.mark.parametrize("path", [*LISTS, "risk/limits"])
def test_a_bad_parameter_of_a_list_is_refused_by_name(desk, path):
    for field, values in BAD_PAGES.items():
        for value in values:
            answer = desk.anna.client.get(f"/api/v1/{path}", {field: value})
            assert (answer.status_code, list(answer.json())) == (400, [field]), value


BAD_FILTERS = [
    ("orders?status=open", "status"),
    ("orders?open=yes", "open"),
    ("orders?external=2", "external"),
    ("orders?account=x", "account"),
    ("orders?account=-1", "account"),
    ("orders?account=99999999999999999999", "account"),
    ("orders?trade=1e3", "trade"),
    ("orders?mode=LIVE", "mode"),
    ("orders?pair=%00", "pair"),
    ("orders?exchange=" + "x" * 101, "exchange"),
    ("orders?exchange=kraken", "exchange"),
    ("orders?market_type=perp", "market_type"),
    ("accounts?exchange=Binance", "exchange"),
    ("accounts?market_type=", "market_type"),
    ("fills?exchange=kraken", "exchange"),
    ("positions?market_type=SPOT", "market_type"),
    ("risk/limits?scope=everything", "scope"),
    ("risk/limits?name=max_opne", "name"),
    ("intents?state=new", "state"),
    ("fills?order=' OR 1=1--", "order"),
    ("positions?held=x", "held"),
    ("accounts?mode=x", "mode"),
    ("risk/states?scope=x", "scope"),
    ("risk/states?state=x", "state"),
    ("risk/report?scope=x", "scope"),
    ("risk/report?scope_id=" + "x" * 51, "scope_id"),
    ("risk/report?x=1", "x"),
    ("risk/flatten?scope=x", "scope"),
    ("risk/flatten?x=1", "x"),
    ("risk/limits/names?x=1", "x"),
    ("alerts?open=x", "open"),
]


def test_a_bad_filter_is_refused_by_name(desk):
    for query, field in BAD_FILTERS:
        answer = desk.anna.client.get(f"/api/v1/{query}")
        assert (answer.status_code, list(answer.json())) == (400, [field]), query


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override"])
def test_a_method_is_not_overridden_by_a_header(desk, header):
    desk.anna.client.post(f"/api/v1/accounts/{ACCOUNT}/key", headers={header: "DELETE"})
    assert Account.objects.get(pk=ACCOUNT).active


def test_an_error_shows_no_paths_and_no_sql(desk):
    for endpoint in WRITABLE:
        shown = send(desk, endpoint, b'{"name": "\' OR 1=1--", "x": "{{7*7}}"}').content.decode()
        assert not [word for word in ("Traceback", "SELECT", "/apps/", ".py") if word in shown], endpoint
