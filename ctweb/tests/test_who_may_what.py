"""Every address of trading x every person -> its status, on objects of Anna's: one that is added needs a row here.

`ROUTES` of `test_roles_matrix` says which role an address needs; here it is asked for what is somebody's.
"""

import json
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import resolve

from apps.feeds.tests.listings import list_pairs
from apps.trading import accounts
from apps.trading.models import Account, AccountKey, Order, OrderIntent, RiskLimit
from apps.trading.tests import rows, whole_account
from apps.users.models import Alert
from apps.users.tests.people import person
from ctweb.tests import test_roles_matrix as roles
from ctweb.tests.desk import GUARD, Desk, Person, open_desk

pytestmark = pytest.mark.django_db

HERS, WAITS, UNSENT = 7001, 7002, 7003  # her account with all that is on it, one that waits for live money, an intent
PEOPLE = ("nobody", "no role", "vera", "oleg", "boris", "anna", "olga")  # -, -, viewer, operator, trader, owner, admin
ANYONE_WITH_A_ROLE = (401, 403, 200, 200, 200, 200, 200)
OPERATORS = (401, 403, 403, 200, 200, 200, 200)
TRADERS = (401, 403, 403, 403, 200, 200, 200)
ADMINS = (401, 403, 403, 403, 403, 403, 200)
OWNERS = (401, 403, 403, 403, 404, 200, 200)  # hers: for another trader it is not there
SEEN = (401, 403, 404, 404, 404, 200, 200)  # hers, where a viewer may look at what is the desk's
PAGE = (302, 403, 200, 200, 200, 200, 200)
TRADERS_PAGE = (302, 403, 403, 403, 200, 200, 200)
OPERATORS_PAGE = (302, 403, 403, 200, 200, 200, 200)
HER_PAGE = (302, 403, 404, 404, 404, 200, 200)
SCOPE = {"scope": "account", "scope_id": str(HERS)}
ORDER = {"account": HERS, "pair": "BTC/USDT", "side": "buy", "amount": "0.5", "price": "60000"}


def made(*codes: int, by: int = 201) -> tuple[int, ...]:
    return tuple(by if code == 200 else code for code in codes)


def of_body(*codes: int) -> tuple[int, ...]:
    """What is not there is named in the body: 400 at its field."""
    return tuple(400 if code == 404 else code for code in codes)


TABLE: dict[str, tuple[Any, tuple[int, ...]]] = {
    "GET /api/v1/accounts": (None, TRADERS),
    "POST /api/v1/accounts": ({"name": "new", "exchange": "binance"}, made(*TRADERS)),
    "POST /api/v1/accounts?desk": (
        {"name": "new", "exchange": "binance", "desk": True},
        (401, 403, 403, 403, 400, 400, 201),
    ),
    f"GET /api/v1/accounts/{HERS}": (None, OWNERS),
    f"PATCH /api/v1/accounts/{HERS}": ({"name": "renamed"}, OWNERS),
    f"POST /api/v1/accounts/{HERS}/close": ({}, (401, 403, 403, 403, 404, 400, 400)),  # an order of it works
    f"POST /api/v1/accounts/{WAITS}/close": ({}, OWNERS),
    f"POST /api/v1/accounts/{WAITS}/approve": (GUARD, (401, 403, 403, 403, 404, 400, 200)),  # not by who asked for it
    f"POST /api/v1/accounts/{HERS}/key": ({}, (401, 403, 403, 403, 404, 400, 400)),
    f"DELETE /api/v1/accounts/{WAITS}/key": ({}, made(*OWNERS, by=204)),
    f"POST /api/v1/accounts/{WAITS}/simulated-key": ({}, (401, 403, 403, 403, 404, 400, 400)),  # on paper it needs none
    "GET /api/v1/executors": (None, OPERATORS),
    "GET /api/v1/intents": (None, TRADERS),
    "POST /api/v1/intents": ({"key": "k", **ORDER}, made(*of_body(*OWNERS))),
    "POST /api/v1/intents/preview": (ORDER, of_body(*OWNERS)),
    f"GET /api/v1/intents/{HERS}": (None, OWNERS),
    f"POST /api/v1/intents/{UNSENT}/cancel": ({}, OWNERS),
    "GET /api/v1/orders": (None, ANYONE_WITH_A_ROLE),
    f"GET /api/v1/orders/{HERS}": (None, SEEN),
    f"POST /api/v1/orders/{HERS}/cancel": ({}, OWNERS),
    "POST /api/v1/orders/cancel": ({"orders": [HERS]}, of_body(*OWNERS)),
    "GET /api/v1/fills": (None, ANYONE_WITH_A_ROLE),
    "POST /trader/orders": (None, ANYONE_WITH_A_ROLE),
    "GET /api/v1/positions": (None, TRADERS),
    "GET /api/v1/balances": (None, TRADERS),
    "GET /api/v1/pnl": (None, TRADERS),
    "GET /api/v1/funding": (None, TRADERS),
    "GET /api/v1/risk/states": (None, ANYONE_WITH_A_ROLE),
    "POST /api/v1/risk/halt": (SCOPE, OPERATORS),  # stopping is safe: whoever is there stops whatever must stop
    "POST /api/v1/risk/halt?flatten": ({**SCOPE, "mode": "flatten"}, (401, 403, 403, 400, 400, 400, 400)),
    "POST /api/v1/risk/reduce": (SCOPE, OPERATORS),
    "POST /api/v1/risk/resume": ({**SCOPE, **GUARD}, OWNERS),
    "POST /api/v1/risk/resume?trade": ({"scope": "trade", "scope_id": str(HERS), **GUARD}, OWNERS),
    "GET /api/v1/risk/report": (None, ANYONE_WITH_A_ROLE),
    f"GET /api/v1/risk/report?scope=account&scope_id={HERS}": (None, SEEN),
    f"GET /api/v1/risk/report?scope=trade&scope_id={HERS}": (None, SEEN),
    "GET /api/v1/risk/flatten": (None, ANYONE_WITH_A_ROLE),
    f"GET /api/v1/risk/flatten?scope=account&scope_id={HERS}": (None, SEEN),
    f"GET /api/v1/risk/flatten?scope=trade&scope_id={HERS}": (None, SEEN),
    "GET /api/v1/risk/switch": (None, ANYONE_WITH_A_ROLE),
    "POST /api/v1/risk/switch": ({"live_allowed": True, **GUARD}, ADMINS),
    "GET /api/v1/risk/limits": (None, ANYONE_WITH_A_ROLE),
    "POST /api/v1/risk/limits": ({**SCOPE, "name": "max_order_usdt", "value": "0.00001"}, OWNERS),
    f"DELETE /api/v1/risk/limits/{HERS}": (GUARD, (401, 403, 403, 403, 404, 400, 204)),  # the default is more
    "GET /api/v1/risk/limits/names": (None, ANYONE_WITH_A_ROLE),
    "GET /api/v1/alerts": (None, ANYONE_WITH_A_ROLE),
    f"POST /api/v1/alerts/{HERS}/ack": ({}, OPERATORS),  # whoever is there takes care, or more is stopped
    "GET /trading/": (None, (302,) * len(PEOPLE)),
    "GET /trading/orders/": (None, PAGE),
    "GET /trading/orders/table/": (None, PAGE),
    "GET /trading/orders/last/": (None, PAGE),
    "GET /trading/orders/new/": (None, TRADERS_PAGE),
    f"GET /trading/orders/new/?account={HERS}": (None, TRADERS_PAGE),
    f"GET /trading/orders/{HERS}/": (None, HER_PAGE),
    "GET /trading/accounts/": (None, TRADERS_PAGE),
    "GET /trading/accounts/new/": (None, TRADERS_PAGE),
    f"GET /trading/accounts/{HERS}/": (None, (302, 403, 403, 403, 404, 200, 200)),
    "GET /trading/positions/": (None, TRADERS_PAGE),
    "GET /trading/positions/held/": (None, TRADERS_PAGE),
    "GET /trading/risk/": (None, PAGE),
    "GET /trading/risk/now/": (None, PAGE),
    "GET /trading/risk/set/": (None, PAGE),
    f"GET /trading/risk/left/?scope=account:{HERS}": (None, OPERATORS_PAGE),
    "GET /trading/state.json": (None, PAGE),
    "GET /trading/executors/": (None, OPERATORS_PAGE),
    "GET /trading/executors/work/": (None, OPERATORS_PAGE),
    "GET /halt/": (None, OPERATORS_PAGE),
    "POST /halt/": (None, (302, 403, 403, 302, 302, 302, 302)),
}

TAKE_CODE = (  # live money: whoever may do it has a second factor
    *(f"POST /api/v1/accounts/{WAITS}/approve", f"DELETE /api/v1/accounts/{WAITS}/key", "POST /api/v1/risk/switch"),
)


@pytest.fixture
def desk(settings) -> Desk:
    list_pairs("BTC/USDT")
    found = open_desk(settings)
    anna = found.anna.user
    whole_account.make(anna, owner=anna, number=HERS)
    rows.intent(rows.trade(found.accounts["anna"]), id=UNSENT)
    waits = {"mode": "paper", "requested_mode": "live", "requested_by": "anna"}
    rows.account(owner=anna, id=WAITS, name="waits", **waits)
    AccountKey.objects.create(account_id=WAITS, user=anna, key_id="k", sealed=b"sealed")
    for name in accounts.LIVE_LIMITS:
        RiskLimit.objects.create(scope="account", scope_id=str(WAITS), name=name, value=1)
    Alert.objects.create(id=HERS, kind="HALTED", text="drill", scope="account", scope_id=str(HERS))
    return found


def coded(desk: Desk, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """With the code of who has signed in."""
    person: Person | None = desk.people.get(name)
    return body if person is None else person.coded(body)


def clients(desk: Desk) -> dict[str, Client]:
    stranger = Client()
    stranger.force_login(person(None, "stranger"))
    return {"nobody": Client(), "no role": stranger, **{name: getattr(desk, name).client for name in PEOPLE[2:]}}


def asked(client: Client, endpoint: str, body: Any) -> int:
    """What it did is taken back: the next one finds what this one found."""
    method, address = endpoint.split()
    with transaction.atomic():
        sent = b"" if body is None else json.dumps(body).encode()
        code: int = client.generic(method, address, sent, content_type="application/json").status_code
        transaction.set_rollback(True)
    return code


def is_of_trading(route: str) -> bool:
    shared = ("api/v1/alerts", "trader/", "trading/", "halt/")
    ours = ("accounts", "executors", "intents", "orders", "fills", "positions", "balances", "pnl", "funding", "risk")
    return route.startswith((*shared, *(f"api/v1/{name}" for name in ours)))


def test_every_address_of_trading_stands_in_the_table():
    pages = {**roles.PAGES, **roles.TRADERS_PAGES, **roles.OPERATORS_PAGES}
    declared = {(method, route) for route, (_, methods) in roles.ROUTES.items() for method in methods}
    declared |= {("GET", route) for route in pages} | {("POST", "halt/")}
    found = {(one.split()[0], resolve(one.split()[1].partition("?")[0]).route) for one in TABLE}
    assert found == {(method, route) for method, route in declared if is_of_trading(route)}


@pytest.mark.parametrize("endpoint", TABLE)
def test_everybody_is_answered_as_the_table_says(desk, endpoint):
    body, expected = TABLE[endpoint]
    answered = tuple(
        asked(client, endpoint, coded(desk, name, body) if endpoint in TAKE_CODE else body)
        for name, client in clients(desk).items()
    )
    assert dict(zip(PEOPLE, answered, strict=True)) == dict(zip(PEOPLE, expected, strict=True))


@pytest.mark.parametrize("endpoint", [one for one, (_, codes) in TABLE.items() if codes[4] in (400, 404)])
def test_who_is_refused_has_changed_nothing(desk, endpoint):
    def traces() -> list[Any]:
        return [list(table.objects.order_by("pk").values()) for table in (Account, Order, OrderIntent, RiskLimit)]

    before = traces()
    method, address = endpoint.split()
    sent = json.dumps(TABLE[endpoint][0]).encode()
    for name in ("vera", "oleg", "boris"):
        getattr(desk, name).client.generic(method, address, sent, content_type="application/json")
    assert traces() == before
