"""Every address of the web process has a row here: who may do what. A route without a row fails the build."""

from collections.abc import Iterator
from itertools import product

import pytest
from django.contrib.admin import site
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from knox.models import AuthToken

from apps.feeds.tests.listings import list_pairs
from apps.monitoring.models import Monitoring
from apps.trading.models import Account, RiskLimit
from apps.trading.tests import rows
from apps.users.models import Alert, User
from apps.users.roles import ROLES
from ctweb.tests.clients import client_of, stores_away

ANYBODY, SIGNED_IN, NOBODY = "anybody", "viewer", "nobody"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# route -> (an address of it, {method: the lowest role}); a method that is not named answers 405
ROUTES: dict[str, tuple[str, dict[str, str]]] = {
    "status": ("/status", {"GET": ANYBODY}),
    "health/live": ("/health/live", {"GET": ANYBODY}),
    "health/ready": ("/health/ready", {"GET": ANYBODY}),
    "orderbook/<str:exchange>/<path:pair>": ("/orderbook/binance/BTC-USDT", {"GET": SIGNED_IN}),
    "monitor/tasks": ("/monitor/tasks", {"POST": SIGNED_IN}),
    "api/v1/me": ("/api/v1/me", {"GET": SIGNED_IN}),
    "api/v1/me/second-factor": ("/api/v1/me/second-factor", {"POST": SIGNED_IN, "DELETE": SIGNED_IN}),
    "api/v1/tokens": ("/api/v1/tokens", {"GET": SIGNED_IN, "POST": SIGNED_IN}),
    "api/v1/tokens/<str:token_id>": ("/api/v1/tokens/nope", {"DELETE": SIGNED_IN}),
    "api/v1/audit": ("/api/v1/audit", {"GET": SIGNED_IN}),
    "api/v1/audit/verdict": ("/api/v1/audit/verdict", {"GET": "admin"}),
    "api/v1/alerts": ("/api/v1/alerts", {"GET": SIGNED_IN}),
    "api/v1/alerts/<int:alert_id>/ack": ("/api/v1/alerts/1/ack", {"POST": "operator"}),
    "api/v1/exchanges": ("/api/v1/exchanges", {"GET": SIGNED_IN}),
    "api/v1/exchanges/<str:code>": ("/api/v1/exchanges/okx", {"PATCH": "admin"}),
    "api/v1/instruments": ("/api/v1/instruments", {"GET": SIGNED_IN}),
    "api/v1/books": ("/api/v1/books", {"GET": SIGNED_IN}),
    "api/v1/books/<str:exchange>/<str:market_type>/<path:pair>": (
        "/api/v1/books/binance/spot/BTC-USDT",
        {"GET": SIGNED_IN},
    ),
    "api/v1/daemons": ("/api/v1/daemons", {"GET": SIGNED_IN}),
    "api/v1/pairs": ("/api/v1/pairs", {"GET": SIGNED_IN, "POST": "operator"}),
    "api/v1/pairs/bulk": ("/api/v1/pairs/bulk", {"POST": "operator"}),
    "api/v1/pairs/preview": ("/api/v1/pairs/preview", {"POST": "operator"}),
    "api/v1/pairs/<int:row_id>": ("/api/v1/pairs/1", {"GET": SIGNED_IN, "PATCH": "operator", "DELETE": "operator"}),
    "api/v1/history/updates": ("/api/v1/history/updates", {"GET": SIGNED_IN}),
    "api/v1/history/trades": ("/api/v1/history/trades", {"GET": SIGNED_IN}),
    "api/v1/history/completeness": ("/api/v1/history/completeness", {"GET": SIGNED_IN}),
    "api/v1/history/gaps": ("/api/v1/history/gaps", {"GET": SIGNED_IN}),
    "api/v1/accounts": ("/api/v1/accounts", {"GET": "trader", "POST": "trader"}),
    "api/v1/accounts/<int:account_id>": ("/api/v1/accounts/1", {"GET": "trader", "PATCH": "trader"}),
    "api/v1/accounts/<int:account_id>/approve": ("/api/v1/accounts/1/approve", {"POST": "trader"}),
    "api/v1/accounts/<int:account_id>/close": ("/api/v1/accounts/1/close", {"POST": "trader"}),
    "api/v1/accounts/<int:account_id>/key": ("/api/v1/accounts/1/key", {"POST": "trader", "DELETE": "trader"}),
    "api/v1/accounts/<int:account_id>/simulated-key": ("/api/v1/accounts/1/simulated-key", {"POST": "trader"}),
    "api/v1/executors": ("/api/v1/executors", {"GET": "operator"}),
    "api/v1/intents": ("/api/v1/intents", {"GET": "trader", "POST": "trader"}),
    "api/v1/intents/preview": ("/api/v1/intents/preview", {"POST": "trader"}),
    "api/v1/intents/<int:intent_id>": ("/api/v1/intents/1", {"GET": "trader"}),
    "api/v1/intents/<int:intent_id>/cancel": ("/api/v1/intents/1/cancel", {"POST": "trader"}),
    "api/v1/orders": ("/api/v1/orders", {"GET": SIGNED_IN}),
    "api/v1/orders/cancel": ("/api/v1/orders/cancel", {"POST": "trader"}),
    "api/v1/orders/<int:order_id>": ("/api/v1/orders/1", {"GET": SIGNED_IN}),
    "api/v1/orders/<int:order_id>/cancel": ("/api/v1/orders/1/cancel", {"POST": "trader"}),
    "api/v1/fills": ("/api/v1/fills", {"GET": SIGNED_IN}),
    "trader/orders": ("/trader/orders", {"POST": SIGNED_IN}),
    "api/v1/positions": ("/api/v1/positions", {"GET": "trader"}),
    "api/v1/balances": ("/api/v1/balances", {"GET": "trader"}),
    "api/v1/pnl": ("/api/v1/pnl", {"GET": "trader"}),
    "api/v1/funding": ("/api/v1/funding", {"GET": "trader"}),
    "api/v1/risk/states": ("/api/v1/risk/states", {"GET": SIGNED_IN}),
    "api/v1/risk/halt": ("/api/v1/risk/halt", {"POST": "operator"}),
    "api/v1/risk/reduce": ("/api/v1/risk/reduce", {"POST": "operator"}),
    "api/v1/risk/resume": ("/api/v1/risk/resume", {"POST": "trader"}),
    "api/v1/risk/report": ("/api/v1/risk/report", {"GET": SIGNED_IN}),
    "api/v1/risk/flatten": ("/api/v1/risk/flatten", {"GET": SIGNED_IN}),
    "api/v1/risk/switch": ("/api/v1/risk/switch", {"GET": SIGNED_IN, "POST": "admin"}),
    "api/v1/risk/limits": ("/api/v1/risk/limits", {"GET": SIGNED_IN, "POST": "trader"}),
    "api/v1/risk/limits/names": ("/api/v1/risk/limits/names", {"GET": SIGNED_IN}),
    "api/v1/risk/limits/<int:limit_id>": ("/api/v1/risk/limits/1", {"DELETE": "trader"}),
    "api/v1/schema/": ("/api/v1/schema/", {"GET": SIGNED_IN}),
    "api/v1/docs/": ("/api/v1/docs/", {"GET": SIGNED_IN}),
    "actions/resync": ("/actions/resync", {"POST": "operator"}),
    "actions/refresh": ("/actions/refresh", {"POST": "operator"}),
}
PAGES = {  # for people: whoever is not signed in is sent to the login page
    "": "/",
    "fleet/": "/fleet/",
    "me/": "/me/",
    "pairs/": "/pairs/",
    "pairs/catalogue.json": "/pairs/catalogue.json",
    "pairs/changes/": "/pairs/changes/",
    "pairs/refused/": "/pairs/refused/",
    "trading/": "/trading/",
    "trading/orders/": "/trading/orders/",
    "trading/orders/table/": "/trading/orders/table/",
    "trading/orders/last/": "/trading/orders/last/",
    "trading/orders/<int:order_id>/": "/trading/orders/1/",
    "trading/risk/": "/trading/risk/",
    "trading/risk/now/": "/trading/risk/now/",
    "trading/risk/set/": "/trading/risk/set/",
    "trading/state.json": "/trading/state.json",
    "book/": "/book/",
    "book/<str:exchange>/<str:market_type>/<str:pair>/": "/book/binance/spot/BTC-USDT/",
}
TRADERS_PAGES = {
    "trading/orders/new/": "/trading/orders/new/",
    "trading/accounts/": "/trading/accounts/",
    "trading/accounts/new/": "/trading/accounts/new/",
    "trading/accounts/<int:account_id>/": "/trading/accounts/1/",
    "trading/positions/": "/trading/positions/",
    "trading/positions/held/": "/trading/positions/held/",
}
OPERATORS_PAGES = {
    "halt/": "/halt/",
    "trading/risk/left/": "/trading/risk/left/",
    "trading/executors/": "/trading/executors/",
    "trading/executors/work/": "/trading/executors/work/",
}
LOWEST = [
    *((address, SIGNED_IN) for address in PAGES.values()),
    *((address, "operator") for address in OPERATORS_PAGES.values()),
    *((address, "trader") for address in TRADERS_PAGES.values()),
]
OTHERS = {"login/", "logout/", "api/v1/"}  # open to all: the last one is a redirect to the documents
pytestmark = pytest.mark.django_db


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLPattern):
            yield route
        else:
            yield from routes(one, route)


def allowed(role: str | None, lowest: str) -> bool:
    if lowest == ANYBODY:
        return True
    return role in ROLES and ROLES.index(role) >= ROLES.index(lowest)


def test_every_route_has_a_row():
    found = {route for route in routes(get_resolver()) if not route.startswith("admin/")}
    assert found == {*ROUTES, *PAGES, *OPERATORS_PAGES, *TRADERS_PAGES, *OTHERS}


@pytest.fixture
def catalogue(settings) -> None:
    stores_away(settings)
    list_pairs("BTC/USDT")
    intent = rows.intent(rows.trade(Account.objects.get(pk=1)), id=1)  # of the desk
    rows.order(intent, id=1, request_expires_at=timezone.now())
    Alert.objects.create(id=1, kind="HALTED", text="drill")


@pytest.mark.parametrize("route", ROUTES)
def test_every_method_is_as_declared(catalogue, route):
    address, lowest = ROUTES[route]
    clients = [(role, client_of(role)) for role in (None, "without a role", *ROLES)]
    if not address.startswith("/actions/"):  # those are of pages
        clients += [(role, program_of(role)) for role in ("viewer", "trader")]
    for (role, client), method in product(clients, METHODS):
        make_rows()
        code = client.generic(method, address, b"{}", content_type="application/json").status_code
        if method in lowest and allowed(role, lowest[method]):
            assert code not in (401, 403, 405), (role, method, code)
            assert code != 404 or address.endswith("nope"), (role, method, code)
        elif method in lowest:
            assert code == (401 if role is None else 403), (role, method, code)
        else:
            assert code in (401, 403, 405), (role, method, code)


def program_of(role: str) -> Client:
    """Somebody's program, with a token instead of a session."""
    user = User.objects.get(groups__name=role)
    _, token = AuthToken.objects.create(user)
    return Client(headers={"Authorization": f"Token {token}"})


def make_rows() -> None:
    """What the addresses name, and what a request before may have deleted or changed."""
    Monitoring.objects.update_or_create(id=1, defaults={"exchange": "binance", "pair": "BTC/USDT"})
    RiskLimit.objects.update_or_create(id=1, defaults={"scope": "global", "name": "max_open_pair", "value": 9})


@pytest.mark.parametrize(("address", "lowest"), LOWEST)
def test_a_page_is_for_people_with_a_role(catalogue, address, lowest):
    stranger = client_of(None).get(address, follow=True)
    assert stranger.redirect_chain[-1][0].startswith("/login/")
    assert client_of("without a role").get(address, follow=True).status_code == 403
    for role in ROLES:
        assert client_of(role).get(address, follow=True).status_code == (200 if allowed(role, lowest) else 403), role


def admin_addresses() -> Iterator[tuple[str, str]]:
    for model in site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield from ((f"{name}_{view}", reverse(f"{name}_{view}")) for view in ("changelist", "add"))


@pytest.mark.parametrize(("name", "address"), list(admin_addresses()))
def test_the_admin_is_for_staff(catalogue, name, address):
    assert client_of(None).get(address).status_code == 302
    for role in ROLES:
        assert client_of(role).get(address).status_code == 302, role


@pytest.mark.parametrize(("name", "address"), [pair for pair in admin_addresses() if pair[0].endswith("changelist")])
def test_every_table_of_the_admin_opens(catalogue, client, admin_user, name, address):
    client.force_login(admin_user)
    assert client.get(address).status_code == 200


READ_ONLY = (
    *("audit", "lease", "daemon", "chbatch", "feedgap", "tradepair", "monitoringpair", "idempotentanswer"),
    *("account", "wallet", "position", "fundingpayment", "orderintent", "order", "orderevent", "orderfill"),
    *(
        "strayfill",
        "tradehistory",
        "arbitrage",
        "riskstate",
        "risklimit",
        "riskusage",
        "lanepause",
        "tradetype",
        "tradingswitch",
        "alert",
        "paperentry",
        "totp",  # the app is otp_totp
        "group",
        "authtoken",
        *("accessattempt", "accesslog", "accessfailurelog"),
    ),
)
NOT_MADE = ("exchange", "trade")  # what is in the tables may be changed


@pytest.mark.parametrize(("name", "address"), [pair for pair in admin_addresses() if pair[0].endswith("add")])
def test_ledgers_cannot_be_added_to_in_the_admin(catalogue, client, admin_user, name, address):
    client.force_login(admin_user)
    closed = name.split("_")[1] in (*READ_ONLY, *NOT_MADE)
    assert client.get(address).status_code == (403 if closed else 200)
