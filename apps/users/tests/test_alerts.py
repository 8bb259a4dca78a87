"""Alerts wait for a person."""

from datetime import timedelta

import pytest

from apps.trading.risk.limits import Limits
from apps.users import alerts
from apps.users.alerts import NotAPerson, ack, halts_at, raise_alert, waiting
from apps.users.models import Alert, Audit
from apps.users.services import SYSTEM, Actor
from apps.users.tests.people import person

pytestmark = pytest.mark.django_db


def anna() -> Actor:
    user = person("operator", "anna")
    return Actor(user="anna", user_id=user.pk)


def test_the_same_trouble_is_one_alert_until_somebody_has_seen_it():
    first = raise_alert(kind="HALTED", text="a", scope="account", scope_id="1")
    assert raise_alert(kind="HALTED", text="b", scope="account", scope_id="1").pk == first.pk
    assert raise_alert(kind="HALTED", text="c", scope="account", scope_id="2").pk != first.pk
    assert ack(alert_id=first.pk, actor=anna())
    again = raise_alert(kind="HALTED", text="d", scope="account", scope_id="1")
    assert (again.pk != first.pk, again.text) == (True, "d")


def test_trouble_of_which_there_is_no_second_is_told_once():
    first = raise_alert(kind="UNKNOWN", text="a", subject="order 1", once=True)
    ack(alert_id=first.pk, actor=anna())
    assert raise_alert(kind="UNKNOWN", text="b", subject="order 1", once=True).pk == first.pk


def test_a_person_acknowledges_once_and_the_trail_tells():
    alert = raise_alert(kind="HALTED", text="a")
    user = anna()
    assert [ack(alert_id=alert.pk, actor=user) for _ in range(2)] == [True, False]
    alert.refresh_from_db()
    assert (alert.acked_by, alert.acked_at is not None) == ("anna", True)
    assert Audit.objects.filter(action="alert.ack", object=f"alert {alert.pk}").count() == 1


def test_a_program_acknowledges_nothing():
    alert = raise_alert(kind="HALTED", text="a")
    with pytest.raises(NotAPerson):
        ack(alert_id=alert.pk, actor=SYSTEM)
    with pytest.raises(NotAPerson):
        alerts.ack_scope(scope="", scope_id="", actor=SYSTEM)
    assert waiting().count() == 1


@pytest.mark.parametrize(
    ("values", "halts"),
    [
        ({"scope": "account"}, True),
        ({"scope": "trade"}, True),
        ({"scope": "exchange"}, False),
        ({"scope": "account", "escalates": False}, False),
        ({"scope": "account", "kind": "HALTED"}, False),
        ({"scope": "trade", "kind": "HALTED"}, True),
    ],
)
def test_an_alert_knows_when_its_account_is_halted(values, halts):
    row = raise_alert(**{"kind": "UNKNOWN", "text": "a", "scope_id": "1", **values})
    row.refresh_from_db()
    assert halts_at(row) == (row.at + timedelta(minutes=5) if halts else None)


def test_the_five_minutes_are_those_of_the_risk_controls():
    assert timedelta(milliseconds=Limits().max_unacked_ms) == alerts.UNACKED


def test_an_escalation_is_noted_once():
    raise_alert(kind="HALTED", text="a", scope="account", scope_id="1")
    assert [alerts.escalate(scope="account", scope_id="1") for _ in range(2)] == [1, 0]
    assert Alert.objects.get().escalated_at is not None


def test_a_text_that_is_too_long_is_cut():
    assert raise_alert(kind="A" * 30, text="x" * 600).text == "x" * 500


def test_trouble_that_is_over_waits_for_nobody_and_the_next_is_a_new_alert():
    of = {"kind": "NO_TIMER", "scope": "account", "scope_id": "1"}
    first = raise_alert(text="a", once=True, **of)
    assert [alerts.clear(**of) for _ in range(2)] == [1, 0]
    assert waiting().count() == 0
    assert raise_alert(text="b", once=True, **of).pk != first.pk
