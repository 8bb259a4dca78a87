"""Every field of every answer of trading stands in the OpenAPI document, and every field that it promises is there."""

import json
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from apps.feeds.tests.listings import list_pairs
from apps.trading.tests import rows, whole_account
from ctweb.tests.desk import GUARD, Desk, open_desk
from ctweb.tests.test_who_may_what import HERS, is_of_trading

pytestmark = pytest.mark.django_db

ORDER = {"account": HERS, "pair": "BTC/USDT", "side": "buy", "amount": "0.5", "price": "60000"}
SCOPE = {"scope": "account", "scope_id": str(HERS)}
UNSENT = HERS + 1
# what is sent, in this order; `key` of accounts is asked about elsewhere, where there is an exchange
ASKED: dict[str, Any] = {
    **{f"GET /api/v1/{name}": None for name in ("accounts", "intents", "orders", "fills", "positions", "balances")},
    **{f"GET /api/v1/{name}": None for name in ("pnl", "funding", "executors", "alerts", "risk/limits/names")},
    **{f"GET /api/v1/risk/{name}": None for name in ("states", "limits", "switch", "report", "flatten")},
    **{f"GET /api/v1/{name}/{HERS}": None for name in ("accounts", "intents", "orders")},
    "POST /trader/orders": None,
    "POST /api/v1/intents/preview": ORDER,
    "POST /api/v1/intents": {"key": "k", **ORDER},
    f"POST /api/v1/intents/{UNSENT}/cancel": {},
    f"POST /api/v1/orders/{HERS}/cancel": {},
    "POST /api/v1/orders/cancel": {"orders": [HERS]},
    "POST /api/v1/risk/limits": {**SCOPE, "name": "max_open_pair", "value": "1"},
    "POST /api/v1/risk/reduce": SCOPE,
    "POST /api/v1/risk/halt": SCOPE,
    f"GET /api/v1/risk/report?scope=account&scope_id={HERS}": None,
    "POST /api/v1/alerts/{alert}/ack": {},
    "POST /api/v1/risk/resume": {**SCOPE, **GUARD},
    "POST /api/v1/risk/switch": {"live_allowed": False},
    "POST /api/v1/accounts": {"name": "new", "exchange": "binance"},
    f"PATCH /api/v1/accounts/{HERS}": {"name": "renamed"},
    "POST /api/v1/accounts/{new}/close": {},
}
ELSEWHERE = ("key", "simulated-key", "approve")  # they need an exchange, or answer with an account
Schema = dict[str, Any]


@pytest.fixture
def desk(settings) -> Desk:
    list_pairs("BTC/USDT")
    found = open_desk(settings)
    whole_account.make(found.anna.user, owner=found.anna.user, number=HERS)
    rows.intent(rows.trade(found.accounts["anna"]), id=UNSENT)
    return found


@pytest.fixture
def document(desk) -> Schema:
    found: Schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def promised(document: Schema, method: str, path: str) -> Schema:
    """What the document says of the first answer that is no refusal."""
    steps = path.partition("?")[0].split("/")
    for template, methods in document["paths"].items():
        parts = template.split("/")
        fits = len(parts) == len(steps) and all(a == b or a[:1] == "{" for a, b in zip(parts, steps, strict=True))
        if fits and method.lower() in methods and (template == path.partition("?")[0] or "{" in template):
            answers = methods[method.lower()]["responses"]
            content: Schema = next(one for code, one in answers.items() if code in ("200", "201"))["content"]
            return content["application/json"]["schema"]  # type: ignore[no-any-return]
    raise AssertionError(f"{method} {path} is not in the document")


def differences(document: Schema, schema: Schema, value: Any, where: str) -> list[str]:
    """Of names; null and the empty list say nothing."""
    if "allOf" in schema:
        (schema,) = schema["allOf"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list) and "items" in schema:
        return [each for one in value for each in differences(document, schema["items"], one, f"{where}[]")]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    known = schema["properties"]
    wrong = [f"{where}.{name} is not documented" for name in value.keys() - known.keys()]
    wrong += [f"{where}.{name} is missing" for name in set(schema.get("required", ())) - value.keys()]
    return wrong + [
        each for name in value.keys() & known for each in differences(document, known[name], value[name], name)
    ]


def test_every_field_of_every_answer_is_in_the_document_and_every_promise_is_kept(desk, document):
    names = {"alert": 0, "new": 0}
    wrong, empty = [], []
    for endpoint, body in ASKED.items():
        method, path = endpoint.format(**names).split()
        sent = b"" if body is None else json.dumps(body).encode()
        client = desk.olga.client if "switch" in path else desk.anna.client
        answer = client.generic(method, path, sent, content_type="application/json")
        assert answer.status_code in (200, 201), (endpoint, answer.content)
        told = answer.json()
        if path == "/api/v1/accounts" and method == "POST":
            names["new"] = told["id"]
        if path == "/api/v1/risk/halt":
            names["alert"] = desk.anna.get("alerts", open="true").json()["results"][0]["id"]
        wrong += differences(document, promised(document, method, path), told, endpoint)
        empty += [endpoint] if told in ([], {}) or (isinstance(told, dict) and told.get("results") == []) else []
    assert wrong == []
    assert empty == ["GET /api/v1/alerts"]  # there is none yet; `ack` answers with one


def test_every_address_of_trading_in_the_document_was_asked(document):
    templates = [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]
    ours = {(method, path) for method, path in templates if is_of_trading(path.strip("/"))}
    asked = {(endpoint.split()[0], shape(endpoint.split()[1])) for endpoint in ASKED}
    missing = {(method, path) for method, path in ours if (method, shape(path)) not in asked and method != "DELETE"}
    assert {path.rpartition("/")[2] for _, path in missing} == {*ELSEWHERE}


def shape(path: str) -> str:
    return "/".join("*" if part.isdigit() or part[:1] == "{" else part for part in path.partition("?")[0].split("/"))
