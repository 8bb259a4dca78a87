"""What somebody has changes no answer to anybody else: no list, no count, no page, no text of a refusal (X2)."""

import re
from typing import Any

import pytest

from apps.feeds.tests.listings import list_pairs
from apps.monitoring.models import Monitoring
from apps.trading.models import RiskState
from apps.trading.tests import whole_account
from apps.users.alerts import raise_alert
from ctweb.tests.desk import Desk, Person, open_desk
from ctweb.tests.test_roles_matrix import OPERATORS_PAGES, PAGES, ROUTES, TRADERS_PAGES

pytestmark = pytest.mark.django_db

NUMBER = 7001
OF_ALL = (  # no row of trading is in them; the report of everything counts everybody's orders: only so it can be done
    *("/status", "/health/live", "/health/ready", "/api/v1/schema/", "/api/v1/docs/", "/api/v1/risk/report"),
)
ASKED = [
    *(address for address, methods in ROUTES.values() if "GET" in methods and address not in OF_ALL),
    *(f"/api/v1/{name}?account={NUMBER}" for name in ("orders", "intents", "fills", "positions", "balances", "pnl")),
    *(f"/api/v1/orders?trade={NUMBER}", f"/api/v1/fills?order={NUMBER}", f"/api/v1/funding?account={NUMBER}"),
    *(f"/api/v1/risk/{name}?scope=account&scope_id={NUMBER}" for name in ("states", "report", "limits", "flatten")),
    f"/api/v1/risk/report?scope=trade&scope_id={NUMBER}",
    *(f"/trading/orders/table/?show=all&account={NUMBER}", f"/trading/orders/new/?account={NUMBER}"),
    *(PAGES | TRADERS_PAGES | OPERATORS_PAGES).values(),
]
OTHERWISE = re.compile(  # what differs from one answer to the next
    rb'nonce="[^"]*"|data-csrf="[^"]*"|"X-CSRFToken": "[^"]*"|csrfmiddlewaretoken" value="[^"]*"|\d+ (?:m?s|min)\b'
    rb'|<time id="as-of"[^<]*|"now": ?\d+|"(?:at_ms|hits|misses|size)": ?\d+|<b>[\d.]+ %</b>[^<]*'
)


@pytest.fixture
def desk(settings) -> Desk:
    list_pairs("BTC/USDT")
    Monitoring.objects.create(exchange="binance", pair="BTC/USDT")  # what is watched is everybody's
    return open_desk(settings)


def told(person: Person) -> dict[str, tuple[int, bytes]]:
    answers: dict[str, Any] = {address: person.client.get(address) for address in ASKED}
    posted = person.client.post("/trader/orders")
    content = {name: (one.status_code, one.getvalue()) for name, one in {**answers, "open orders": posted}.items()}
    return {name: (code, OTHERWISE.sub(b"", text)) for name, (code, text) in content.items()}


@pytest.mark.parametrize("name", ["boris", "vera", "oleg"])
def test_an_account_of_somebody_else_changes_no_answer(desk, name):
    person: Person = getattr(desk, name)
    told(person)  # what is made when it is first asked for
    before = told(person)
    whole_account.make(desk.anna.user, owner=desk.anna.user, number=NUMBER)
    after = told(person)
    assert [address for address in before if before[address] != after[address]] == []
    assert told(desk.anna) != before  # there was something to be seen


def test_trouble_of_somebody_elses_account_changes_no_answer_to_who_only_looks(desk):
    whole_account.make(desk.anna.user, owner=desk.anna.user, number=NUMBER)
    told(desk.vera)
    before = told(desk.vera)
    trouble(desk)
    after = told(desk.vera)
    assert [address for address in before if before[address] != after[address]] == []


def test_who_may_stop_an_account_sees_that_it_is_stopped_and_the_alert_and_nothing_else_of_it(desk):
    whole_account.make(desk.anna.user, owner=desk.anna.user, number=NUMBER)
    assert desk.oleg.get("risk/states", scope_id=str(NUMBER)).json()["count"] == 0
    assert desk.oleg.get("risk/report", scope="account", scope_id=str(NUMBER)).status_code == 404
    trouble(desk)
    seen = desk.oleg.get("risk/states", scope_id=str(NUMBER)).json()["results"]
    assert [(one["scope"], one["state"]) for one in seen] == [("account", "HALTED")]
    report = desk.oleg.get("risk/report", scope="account", scope_id=str(NUMBER)).json()
    assert (report["unconfirmed"], report["lines"], report["holdings"]) == (1, [], [])
    assert [one["scope_id"] for one in desk.oleg.get("alerts").json()["results"]] == [str(NUMBER)]
    shown = {address: text for address, (_, text) in told(desk.oleg).items() if whole_account.MARK.encode() in text}
    assert shown == {}


def trouble(desk: Desk) -> None:
    RiskState.objects.filter(scope="account", scope_id=str(NUMBER)).update(
        state="HALTED", mode="flatten", by="a control"
    )
    raise_alert(kind="UNKNOWN", text="an order is in doubt", scope="account", scope_id=str(NUMBER))


def test_a_limit_of_an_account_is_refused_alike_whether_it_is_somebody_elses_or_nobodys(desk):
    whole_account.make(desk.anna.user, owner=desk.anna.user, number=NUMBER)
    for scope in ("account", "trade"):
        for path, body in (("limits", {"name": "max_order_usdt", "value": "1"}), ("resume", {"reason": "x" * 10})):
            theirs, nobodys = (
                desk.boris.post(f"risk/{path}", {**body, "scope": scope, "scope_id": number, "password": "x"})
                for number in (str(NUMBER), "7002")
            )
            assert theirs.status_code == nobodys.status_code == 404, (scope, path)
            assert theirs.content.replace(b"7001", b"n") == nobodys.content.replace(b"7002", b"n"), (scope, path)


@pytest.mark.parametrize("orders", [[NUMBER], [7002], [NUMBER, 7002], list(range(7000, 7003))])
def test_a_list_of_orders_to_cancel_does_not_tell_whose_they_are(desk, orders):
    whole_account.make(desk.anna.user, owner=desk.anna.user, number=NUMBER)
    answer = desk.boris.post("orders/cancel", {"orders": orders})
    assert (answer.status_code, answer.json()) == (400, {"orders": [f"No order {min(orders)} of yours."]})
