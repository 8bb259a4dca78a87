"""Objects of other people are not there, whatever route names them; the routes are the resolver's (X2)."""

import re
from typing import Any

import pytest
from django.urls import get_resolver
from django.utils import timezone

from apps.feeds.tests.listings import list_pairs
from apps.trading.models import Account, Order, OrderIntent, RiskLimit
from apps.trading.tests import rows
from ctweb.tests.desk import Desk, open_desk
from ctweb.tests.test_roles_matrix import METHODS, routes

pytestmark = pytest.mark.django_db

OWNED = ("account_id", "intent_id", "order_id", "limit_id")
SHARED = (
    "alert_id",
    "row_id",
    "token_id",
    "exchange",
    "market_type",
    "pair",
    "code",
)  # nobody's own, or named by chance
NUMBER, NOWHERE = 7001, 7002
NAMES = re.compile(r"<\w+:(\w+)>")


def owned_routes() -> list[str]:
    found = [route for route in routes(get_resolver()) if not route.startswith("admin/")]
    return [route for route in found if any(name in OWNED for name in NAMES.findall(route))]


def address(route: str, number: int) -> str:
    return "/" + NAMES.sub(str(number), route)


@pytest.fixture
def desk(settings) -> Desk:
    """Anna has one of each, all of the same number."""
    list_pairs("BTC/USDT")
    made = open_desk(settings)
    account = rows.account(owner=made.anna.user, name="hers", id=NUMBER)
    intent = rows.intent(rows.trade(account), id=NUMBER)
    rows.order(intent, id=NUMBER, status="OPEN", request_expires_at=timezone.now())
    RiskLimit.objects.create(id=NUMBER, scope="account", scope_id=str(NUMBER), name="max_open_pair", value=1)
    return made


def traces() -> list[Any]:
    return [list(table.objects.order_by("pk").values()) for table in (Account, Order, OrderIntent, RiskLimit)]


def test_whose_an_object_is_was_thought_of_for_every_route():
    named = {name for route in routes(get_resolver()) if route[:6] != "admin/" for name in NAMES.findall(route)}
    assert named == {*OWNED, *SHARED}


@pytest.mark.parametrize("route", owned_routes())
def test_what_is_somebody_elses_is_not_there(desk, route):
    before = traces()
    for method in METHODS:
        answers = [
            desk.boris.client.generic(method, address(route, number), b"{}", content_type="application/json")
            for number in (NUMBER, NOWHERE)
        ]
        theirs, nobodys = answers
        assert theirs.status_code in (404, 405), method
        assert theirs.status_code == nobodys.status_code, method
        if theirs.headers["Content-Type"] == "application/json":
            assert theirs.content.replace(b"7001", b"n") == nobodys.content.replace(b"7002", b"n"), method
    assert traces() == before


@pytest.mark.parametrize("route", owned_routes())
def test_what_is_ones_own_is_there(desk, route):
    codes = {
        desk.anna.client.generic(method, address(route, NUMBER), b"{}", content_type="application/json").status_code
        for method in METHODS
    }
    assert codes - {405}
    assert 404 not in codes


def test_limits_of_what_is_somebody_elses_are_listed_nowhere(desk):
    trade = rows.trade(Account.objects.get(pk=NUMBER), "ETH/USDT")
    RiskLimit.objects.create(scope="trade", scope_id=str(trade.pk), name="max_order_usdt", value="4.5678")
    RiskLimit.objects.create(scope="account", scope_id=str(NUMBER), name="max_order_usdt", value="4.5678")
    RiskLimit.objects.create(scope="global", name="max_order_usdt", value="77")
    for person, count in ((desk.boris, 1), (desk.vera, 1), (desk.anna, 4), (desk.olga, 4)):
        assert person.get("risk/limits").json()["count"] == count
    assert "4.5678" not in desk.boris.client.get("/trading/risk/").content.decode()
    assert "4.5678" in desk.anna.client.get("/trading/risk/").content.decode()
