"""Switches and limits by REST: halting needs one request, going on needs a person, a reason and a password."""

import pytest

from apps.trading.halts import halting
from apps.trading.models import Position, RiskLimit, RiskState
from apps.trading.risk.view import Scope
from apps.trading.tests import rows
from apps.users.models import Audit, IdempotentAnswer
from ctweb.tests.desk import GUARD, Desk, open_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(settings) -> Desk:
    return open_desk(settings)


def state(scope: str = "global", scope_id: str = "") -> str:
    return RiskState.objects.get(scope=scope, scope_id=scope_id).state


def halted(desk: Desk, **scope) -> None:
    assert desk.oleg.post("risk/halt", scope).status_code == 200


def test_an_empty_request_halts_everything_and_answers_when_that_is_committed(desk):
    answer = desk.oleg.post("risk/halt").json()
    assert [answer[name] for name in ("scope", "state", "mode", "by")] == ["global", "HALTED", "cancel", "oleg"]
    assert state() == "HALTED"
    assert Audit.objects.get(action="risk.halt").user == "oleg"


@pytest.mark.parametrize("mode", ["stop", "cancel"])
def test_one_scope_is_halted_in_the_mode_that_is_asked_for(desk, mode):
    account = str(desk.accounts["boris"].pk)
    answer = desk.oleg.post("risk/halt", {"scope": "account", "scope_id": account, "mode": mode}).json()
    assert (answer["mode"], state("account", account), state()) == (mode, "HALTED", "ACTIVE")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": "short"}, "reason"),
        ({"reason": GUARD["reason"]}, "password"),
        ({**GUARD, "password": "guessed"}, "password"),
    ],
)
def test_closing_all_positions_needs_a_reason_and_a_password(desk, body, field):
    answer = desk.oleg.post("risk/halt", {"mode": "flatten", **body})
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert state() == "ACTIVE"


def test_all_positions_are_closed_by_whoever_confirms_it(desk):
    assert desk.oleg.post("risk/halt", {"mode": "flatten", **GUARD}).json()["mode"] == "flatten"


@pytest.mark.parametrize(
    "scope", [{"scope": "account", "scope_id": "999"}, {"scope": "exchange", "scope_id": "x"}, {"scope_id": "1"}]
)
@pytest.mark.parametrize("path", ["risk/halt", "risk/reduce"])
def test_what_is_not_there_is_not_halted(desk, path, scope):
    answer = desk.oleg.post(path, scope)
    assert (answer.status_code, list(answer.json())) == (400, ["scope_id"])


def test_a_number_that_is_written_otherwise_names_nothing(desk):
    """Orders look their switch up as `7`: one of `07` would say HALTED and stop nothing."""
    number = desk.accounts["boris"].pk
    before = RiskState.objects.count()
    for written in (f"0{number}", f"+{number}", f"{number}.0", f"{number}_", "٧"):
        for path in ("risk/halt", "risk/reduce"):
            answer = desk.oleg.post(path, {"scope": "account", "scope_id": written})
            assert (answer.status_code, list(answer.json())) == (400, ["scope_id"]), written
        assert desk.olga.post("risk/resume", {"scope": "account", "scope_id": written, **GUARD}).status_code == 404
    assert RiskState.objects.count() == before


def test_a_scope_is_let_through_what_makes_positions_smaller(desk):
    assert desk.oleg.post("risk/reduce", {"scope": "exchange", "scope_id": "binance"}).json()["state"] == "REDUCING"


def test_going_on_needs_reason_and_password(desk):
    halted(desk)
    for body, field in (
        ({"password": GUARD["password"]}, "reason"),
        ({"reason": GUARD["reason"]}, "password"),
        ({**GUARD, "reason": "too short"}, "reason"),
        ({**GUARD, "password": "guessed"}, "password"),
    ):
        answer = desk.anna.post("risk/resume", body)
        assert (answer.status_code, list(answer.json())) == (400, [field])
    assert state() == "HALTED"
    assert desk.anna.post("risk/resume", GUARD).json()["state"] == "ACTIVE"
    assert Audit.objects.get(action="risk.resume").reason == GUARD["reason"]


def test_somebody_elses_account_is_not_set_going(desk):
    account = str(desk.accounts["boris"].pk)
    trade = rows.trade(desk.accounts["boris"])
    for scope in ({"scope": "account", "scope_id": account}, {"scope": "trade", "scope_id": str(trade.pk)}):
        halted(desk, **scope)
        assert desk.anna.post("risk/resume", {**scope, **GUARD}).status_code == 404
        assert state(**scope) == "HALTED"
        assert desk.boris.post("risk/resume", {**scope, **GUARD}).status_code == 200


def test_the_report_counts_everybodys_orders_and_shows_ones_own(desk):
    for account in desk.accounts.values():
        rows.order(rows.intent(rows.trade(account)), status="OPEN")
    halted(desk)
    found = desk.anna.get("risk/report").json()
    assert (found["state"], found["orders"], found["unconfirmed"], found["is_done"]) == ("HALTED", 3, 3, False)
    shown = {line["account_id"] for line in found["lines"]}
    assert shown == {desk.accounts["anna"].pk, desk.accounts["desk"].pk}
    assert len(desk.olga.get("risk/report").json()["lines"]) == 3


def test_the_report_of_what_is_not_there_is_not_found(desk):
    assert desk.anna.get("risk/report", scope="account", scope_id="999").status_code == 404
    assert desk.anna.get("risk/report", scope="trade", scope_id="x").status_code == 404


def test_what_a_flatten_would_close_and_leave_is_told_before_it(desk):
    for name in ("anna", "boris"):
        account = desk.accounts[name]
        values = {"amount": "0.5", "opening": 2}
        Position.objects.create(account=account, pair=rows.pair(exchange=account.exchange.code), **values)
    (row,) = desk.anna.get("risk/flatten").json()
    assert (row["account_id"], row["amount"], row["left"]) == (desk.accounts["anna"].pk, "0.5", "2")
    assert "before our first fill" in row["why"]
    assert desk.anna.get("risk/flatten", scope="exchange", scope_id="okx").json() == []
    for scope_id in ("999", str(desk.accounts["boris"].pk)):
        assert desk.anna.get("risk/flatten", scope="account", scope_id=scope_id).status_code == 404
    desk.oleg.post("risk/halt", {"mode": "flatten", **GUARD})
    assert desk.anna.get("risk/report").json()["holdings"] == [row]


def test_states_are_filtered(desk):
    halted(desk)
    found = desk.vera.get("risk/states", state="HALTED").json()["results"]
    assert [(one["scope"], one["by"]) for one in found] == [("global", "oleg")]


def limit(value: str, **changes) -> dict:
    return {"scope": "global", "name": "max_order_usdt", "value": value, **changes}


def test_a_limit_goes_down_at_once_and_up_for_an_administrator(desk):
    assert desk.anna.post("risk/limits", limit("50")).json()["value"] == "50"
    assert set(desk.anna.post("risk/limits", limit("60", **GUARD)).json()) == {"value"}
    assert set(desk.olga.post("risk/limits", limit("60")).json()) == {"reason", "password"}
    assert desk.olga.post("risk/limits", limit("60", **GUARD)).json()["value"] == "60"
    assert [one["value"] for one in desk.vera.get("risk/limits").json()["results"]] == ["60"]


def test_somebody_elses_limit_is_not_set(desk):
    scope = {"scope": "account", "scope_id": str(desk.accounts["boris"].pk)}
    assert desk.anna.post("risk/limits", limit("50", **scope)).status_code == 404
    row = desk.boris.post("risk/limits", limit("50", **scope)).json()
    assert desk.anna.delete(f"risk/limits/{row['id']}").status_code == 404
    assert desk.boris.delete(f"risk/limits/{row['id']}").status_code == 400  # the default is more
    assert desk.olga.delete(f"risk/limits/{row['id']}", GUARD).status_code == 204
    assert not RiskLimit.objects.exists()


def test_a_limit_that_makes_no_sense_is_taken_away_by_an_administrator_since_it_refuses_every_order(desk):
    row = RiskLimit.objects.create(scope="global", name="max_orderz", value=1_000_000)
    assert [one["name"] for one in desk.vera.get("risk/limits").json()["results"]] == ["max_orderz"]
    assert set(desk.anna.delete(f"risk/limits/{row.pk}").json()) == {"value", "reason", "password"}
    assert desk.olga.delete(f"risk/limits/{row.pk}", GUARD).status_code == 204
    assert not RiskLimit.objects.exists()


def test_limits_are_named_with_their_defaults_and_ceilings(desk):
    named = {one["name"]: one for one in desk.vera.get("risk/limits/names").json()}
    assert (named["max_order_usdt"]["default"], named["max_order_usdt"]["ceiling"]) == ("100", "10000")


def test_a_wrong_password_is_counted_as_the_login_pages_are(desk):
    halting.halt(scope=Scope.GLOBAL, reason="drill", actor=halting.control("test"))
    for _ in range(5):
        desk.anna.post("risk/resume", {**GUARD, "password": "guessed"})
    assert desk.anna.post("risk/resume", GUARD).status_code == 429
    assert state() == "HALTED"


def test_live_money_is_turned_on_by_an_administrator_who_proves_it_and_off_by_a_word(desk):
    assert desk.vera.get("risk/switch").json()["live_allowed"] is False
    for body, field in (
        ({}, "reason"),
        ({"reason": GUARD["reason"]}, "password"),
        ({**GUARD, "password": "guessed"}, "password"),
        (GUARD, "code"),
    ):
        assert list(desk.olga.post("risk/switch", {"live_allowed": True, **body}).json()) == [field]
    assert desk.vera.get("risk/switch").json()["live_allowed"] is False
    assert (
        desk.olga.post("risk/switch", desk.olga.coded({"live_allowed": True, **GUARD})).json()["live_allowed"] is True
    )
    assert Audit.objects.get(action="trading.live").reason == GUARD["reason"]
    assert desk.anna.post("risk/switch", {"live_allowed": False}).status_code == 403
    assert desk.olga.post("risk/switch", {"live_allowed": False}).json()["live_allowed"] is False


def test_no_password_is_remembered_even_as_a_digest(desk):
    for path, body in (("risk/limits", limit("50", **GUARD)), ("risk/halt", {"mode": "flatten", **GUARD})):
        assert desk.olga.post(path, body, key="k").status_code == 200
    assert not IdempotentAnswer.objects.exists()
