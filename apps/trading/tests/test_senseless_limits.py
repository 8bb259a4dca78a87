"""A limit that was written past the system, and makes no sense: no order passes, and every halt is carried out."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from apps.trading.execution.cancels import cancelling
from apps.trading.execution.controls import flattening
from apps.trading.execution.controls.breaking import break_due
from apps.trading.execution.entry.working import work_lane
from apps.trading.execution.executors.lanes import lane_of
from apps.trading.halts import halting
from apps.trading.models import HaltMode, OrderIntent, RiskLimit, RiskState, Trade
from apps.trading.risk.limits import Limits, of_halts
from apps.trading.risk.view import Scope
from apps.trading.tests import remote_seat, rows, stage
from apps.trading.tests.remote_seat import Desk
from apps.trading.tests.test_halt_carried_out import at_exchange, halt, holding, open_order
from apps.users.models import Alert
from apps.users.services import SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("long_leases")]
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(remote_seat.on)


UNCHECKED = {"sqlite": "PRAGMA ignore_check_constraints = {}", "mysql": "SET SESSION check_constraint_checks = {}"}
ON = {"sqlite": (1, 0), "mysql": (0, 1)}  # without, and with CHECKs
TEXTS = ("NaN", "Infinity", "many")  # SQLite keeps them, other databases refuse them in a column of numbers
CLOSING = [
    *(("max_order_usdt", "-5"), ("max_order_usdt", "0"), ("max_order_usdt", "1e-17"), ("max_depth_share", "0")),
    *(("max_open_pair", "0.5"), ("max_orders_s", "0"), ("max_book_age_ms", "-1"), ("no_such_limit", "1")),
    *(("max_order_usdt", text) for text in TEXTS),
]
CANCELS = [("max_cancels_s", value) for value in ("-1", "0", "99999999999999999999", *TEXTS)]
TRIPS = [("max_order_usdt", "-5"), ("max_unknown", "0.5"), ("no_such_limit", "1"), ("max_unknown", "NaN")]


@contextmanager
def unchecked() -> Iterator[None]:
    statement, (without, checked) = UNCHECKED[connection.vendor], ON[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(statement.format(without))
        try:
            yield
        finally:
            cursor.execute(statement.format(checked))


def write(name: str, value: str) -> None:
    """As somebody's own SQL does, of everything."""
    RiskLimit.objects.filter(name=name).delete()
    if value in TEXTS and connection.vendor != "sqlite":
        with pytest.raises(DatabaseError):
            _insert(name, value)
        return
    with unchecked():
        _insert(name, value)


def _insert(name: str, value: str) -> None:
    statement = "INSERT INTO risk_limit (scope, scope_id, name, value) VALUES ('global', '', %s, %s)"
    with connection.cursor() as cursor:
        cursor.execute(statement, [name, value])


def flattened(on: Desk, name: str, value: str) -> Decimal:
    executor = holding(on)
    write(name, value)
    halt(on, HaltMode.FLATTEN)
    for _ in range(3):
        flattening.flatten_due(executor)
        work_lane(lane_of(on.account.pk, on.pair.pk), executor=executor)
    assert {each.deny_reason for each in OrderIntent.objects.filter(purpose="flatten")} == {""}
    return at_exchange(on)


def cancelled(on: Desk, name: str, value: str) -> int:
    """Under a halt of the TRADE, whose cancels are held to their rate."""
    open_order(on)
    write(name, value)
    halting.halt(scope=Scope.TRADE, scope_id=str(on.trade.pk), reason="enough", actor=SYSTEM)
    return cancelling.cancel_due(on.executor())


@pytest.mark.parametrize(("name", "value"), CLOSING)
def test_what_is_held_is_closed_whatever_a_limit_says(on: Desk, name: str, value: str):
    assert flattened(on, name, value) == on.lot  # of the last one the fee was taken


@pytest.mark.parametrize(("name", "value"), CANCELS)
def test_what_rests_is_cancelled_whatever_a_limit_says(on: Desk, name: str, value: str):
    assert cancelled(on, name, value) == 1


@pytest.mark.parametrize(("name", "value"), [("max_order_usdt", "-5"), ("max_open_pair", "0.5"), ("no_limit", "1")])
def test_new_orders_are_refused_and_a_person_told_until_the_row_is_gone(name: str, value: str):
    trade = stage.trade()
    write(name, value)
    assert stage.want(trade).intent.deny_reason == "FAILED"
    for _ in range(2):
        break_due(stage.executor())
    (alert,) = Alert.objects.filter(kind="LIMIT")
    assert (alert.scope, alert.escalates, alert.cleared_at) == ("global", False, None)
    assert name in alert.text
    RiskLimit.objects.filter(name=name).delete()
    break_due(stage.executor())
    alert.refresh_from_db()
    assert alert.cleared_at is not None
    assert stage.want(trade).intent.deny_reason == ""


@pytest.mark.parametrize(("name", "value"), TRIPS)
def test_a_control_halts_by_itself_whatever_a_limit_says(name: str, value: str):
    trade: Trade = stage.trade()
    write(name, value)
    for _ in range(3):
        rows.order(rows.intent(trade, state="DONE", result="REJECTED"), status="UNKNOWN", unknown_at=Now())
    break_due(stage.executor())
    found = RiskState.objects.get(scope="account", scope_id=str(trade.account_id))
    assert (found.state, found.reason) == ("HALTED", "UNKNOWN_BREAKER")


def test_a_closing_order_is_held_to_no_limit_that_is_stricter_than_its_default():
    told = [("max_order_usdt", Decimal(5)), ("max_orders_s", Decimal(9)), ("max_open_pair", Decimal("NaN"))]
    assert of_halts(told, closing=True) == Limits(max_orders_s=9)
    assert of_halts(told, closing=False) == Limits(max_order_usdt=Decimal(5), max_orders_s=9)
