"""Stopping and setting going again: a row that is read where orders are committed; only a person releases."""

import pytest

from apps.trading.execution.entry.working import work_lane
from apps.trading.halts import halting, report, scopes
from apps.trading.halts.halting import NeedsConfirmation, NeedsReason, NoSuchScope
from apps.trading.models import HaltMode, Order, Position, RiskState
from apps.trading.risk.view import Scope, ScopeState
from apps.trading.tests import key_rows, rows, stage
from apps.users.alerts import NotAPerson, raise_alert, waiting
from apps.users.models import Alert, Audit
from apps.users.services import SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("long_leases")]
SCOPES = [Scope.GLOBAL, Scope.EXCHANGE, Scope.ACCOUNT, Scope.TRADE]


def named(scope: Scope, trade) -> dict[str, str]:
    ids = {Scope.EXCHANGE: trade.exchange, Scope.ACCOUNT: str(trade.account_id), Scope.TRADE: str(trade.pk)}
    return {"scope": scope, "scope_id": ids.get(scope, "")}


def state(**of: str) -> tuple[str, str | None]:
    row = RiskState.objects.get(**of)
    return row.state, row.mode


# the cut-off


@pytest.mark.parametrize("scope", SCOPES)
def test_after_a_halt_nothing_that_waits_is_sent(scope: Scope):
    trade = stage.trade()
    waits = stage.want(trade).intent
    halting.halt(**named(scope, trade), reason="enough", actor=SYSTEM)
    port = stage.Exchange(trade.account_id)
    work_lane(stage.lane(trade), executor=stage.executor(port))
    waits.refresh_from_db()
    assert (waits.state, waits.deny_reason, port.accepted) == ("DONE", "HALTED", [])
    assert stage.want(trade).intent.deny_reason == "HALTED"
    assert Order.objects.count() == 0


@pytest.mark.parametrize("scope", SCOPES)
def test_a_halt_elsewhere_stops_nobody_else(scope: Scope):
    mine, other = stage.trade(), stage.trade(rows.account("okx"))
    halting.halt(**named(scope, other), reason="enough", actor=SYSTEM)
    port = stage.Exchange(mine.account_id)
    assert stage.want(mine).intent.deny_reason == ("HALTED" if scope is Scope.GLOBAL else "")
    work_lane(stage.lane(mine), executor=stage.executor(port))
    assert len(port.accepted) == (0 if scope is Scope.GLOBAL else 1)


def test_a_resume_sets_only_its_own_scope_going():
    trade = stage.trade()
    anna = key_rows.trader()
    for scope in (Scope.ACCOUNT, Scope.TRADE):
        halting.halt(**named(scope, trade), reason="enough", actor=SYSTEM)
    halting.resume(**named(Scope.TRADE, trade), reason="looked at it", actor=anna)
    assert stage.want(trade).intent.deny_reason == "HALTED"
    halting.resume(**named(Scope.ACCOUNT, trade), reason="looked at it", actor=anna)
    assert stage.want(trade).intent.deny_reason == ""


# never milder by itself


def test_what_was_to_be_closed_stays_once_a_person_has_released_it():
    trade = stage.trade()
    anna = key_rows.trader()
    Position.objects.create(account=trade.account, pair_id=stage.pair_of(trade), amount=1)
    of = named(Scope.ACCOUNT, trade)
    halting.halt(**of, reason="x", actor=anna, mode=HaltMode.FLATTEN, confirmed=True)
    piece = stage.want(trade, purpose="flatten", side="sell", type="market", price=None).intent
    assert piece.state == "NEW"
    halting.resume(**of, reason="looked at it", actor=anna)
    port = stage.Exchange(trade.account_id)
    work_lane(stage.lane(trade), executor=stage.executor(port))
    piece.refresh_from_db()
    assert (piece.result, piece.deny_reason, port.accepted) == ("RISK_DENIED", "NOT_CONFIRMED", [])


def test_a_halt_is_never_made_milder_but_by_a_person():
    account = rows.account()
    of = {"scope": Scope.ACCOUNT, "scope_id": str(account.pk)}
    anna = key_rows.trader()
    steps = [
        (lambda: halting.reduce(**of, reason="a", actor=SYSTEM), (ScopeState.REDUCING, None)),
        (lambda: halting.halt(**of, reason="b", actor=SYSTEM, mode=HaltMode.STOP), (ScopeState.HALTED, "stop")),
        (lambda: halting.reduce(**of, reason="c", actor=SYSTEM), (ScopeState.HALTED, "stop")),
        (lambda: halting.halt(**of, reason="d", actor=SYSTEM), (ScopeState.HALTED, "cancel")),
        (lambda: halting.halt(**of, reason="e", actor=SYSTEM, mode=HaltMode.STOP), (ScopeState.HALTED, "cancel")),
        (
            lambda: halting.halt(**of, reason="f", actor=anna, mode=HaltMode.FLATTEN, confirmed=True),
            (ScopeState.HALTED, "flatten"),
        ),
        (lambda: halting.halt(**of, reason="g", actor=SYSTEM), (ScopeState.HALTED, "flatten")),
        (lambda: halting.resume(**of, reason="h", actor=anna), (ScopeState.ACTIVE, None)),
    ]
    for step, expected in steps:
        step()
        assert state(**of) == expected
    assert RiskState.objects.get(**of).reason == "h"


@pytest.mark.parametrize(("said", "shown"), [("close it", "first; close it"), ("", "first")])
def test_a_worse_halt_keeps_the_reason_of_the_first(said: str, shown: str):
    of = {"scope": Scope.ACCOUNT, "scope_id": str(rows.account().pk)}
    halting.halt(**of, reason="first", actor=SYSTEM, mode=HaltMode.STOP)
    assert halting.halt(**of, reason=said, actor=SYSTEM).reason == shown
    halting.resume(**of, reason="looked at it", actor=key_rows.trader())
    assert halting.halt(**of, reason="again", actor=SYSTEM).reason == "again"


def test_saying_it_again_writes_nothing():
    account = rows.account()
    of = {"scope": Scope.ACCOUNT, "scope_id": str(account.pk)}
    first = halting.halt(**of, reason="a", actor=SYSTEM)
    second = halting.halt(**of, reason="b", actor=SYSTEM)
    assert (second.at, second.reason) == (first.at, "a")
    assert Audit.objects.filter(action="risk.halt").count() == 1
    assert Alert.objects.filter(kind="HALTED").count() == 1


def test_closing_everything_needs_a_person_who_says_so_twice():
    for actor, confirmed in ((SYSTEM, True), (key_rows.trader(), False)):
        with pytest.raises(NeedsConfirmation):
            halting.halt(scope=Scope.GLOBAL, reason="enough", actor=actor, mode=HaltMode.FLATTEN, confirmed=confirmed)
    assert state(scope=Scope.GLOBAL, scope_id="") == (ScopeState.ACTIVE, None)


def test_only_a_person_with_a_reason_sets_going_again():
    account = rows.account()
    of = {"scope": Scope.ACCOUNT, "scope_id": str(account.pk)}
    halting.halt(**of, reason="enough", actor=SYSTEM)
    with pytest.raises(NotAPerson):
        halting.resume(**of, reason="it looks fine", actor=SYSTEM)
    with pytest.raises(NeedsReason):
        halting.resume(**of, reason="  ", actor=key_rows.trader())
    assert state(**of) == (ScopeState.HALTED, "cancel")


def test_what_there_is_not_cannot_be_stopped():
    for scope, scope_id in (
        (Scope.GLOBAL, "everything"),
        (Scope.EXCHANGE, "nowhere"),
        (Scope.ACCOUNT, "0"),
        (Scope.ACCOUNT, "12345678901234567890"),
        (Scope.TRADE, "١"),
        (Scope.TRADE, ""),
    ):
        with pytest.raises(NoSuchScope):
            halting.halt(scope=scope, scope_id=scope_id, reason="enough", actor=SYSTEM)


def test_a_switch_that_is_missing_can_be_stopped_and_released():
    trade = rows.trade(rows.account())
    of = named(Scope.TRADE, trade)
    RiskState.objects.filter(**of).delete()
    halting.halt(**of, reason="enough", actor=SYSTEM)
    assert state(**of) == (ScopeState.HALTED, "cancel")
    RiskState.objects.filter(**of).delete()
    halting.reduce(**of, reason="enough", actor=SYSTEM)
    assert state(**of) == (ScopeState.HALTED, "stop")  # as severe as its absence
    halting.resume(**of, reason="it was lost", actor=key_rows.trader())
    assert state(**of) == (ScopeState.ACTIVE, None)


# what is told


def test_every_change_is_in_the_trail_with_its_reason():
    account = rows.account()
    of = {"scope": Scope.ACCOUNT, "scope_id": str(account.pk)}
    halting.halt(**of, reason="enough", actor=halting.control("risk"))
    halting.resume(**of, reason="looked at it", actor=key_rows.trader())
    told = [
        (row.action, row.user, row.reason) for row in Audit.objects.filter(object=scopes.name_of(**of)).order_by("pk")
    ]
    assert told == [("risk.halt", "risk", "enough"), ("risk.resume", "anna", "looked at it")]


def test_who_resumes_a_scope_has_seen_its_alerts():
    account = rows.account()
    of = {"scope": Scope.ACCOUNT, "scope_id": str(account.pk)}
    raise_alert(kind="UNKNOWN", text="somewhere else", scope="account", scope_id="0")
    halting.halt(**of, reason="enough", actor=SYSTEM)
    halting.resume(**of, reason="looked at it", actor=key_rows.trader())
    assert waiting(**of).count() == 0
    assert waiting().count() == 1
    assert Alert.objects.get(**of).acked_by == "anna"


def test_a_resumed_account_takes_off_what_its_dead_man_has_left():
    account = rows.account()
    type(account).objects.filter(pk=account.pk).update(dead_man_fired_at="2026-01-01T00:00:00Z")
    halting.resume(scope=Scope.ACCOUNT, scope_id=str(account.pk), reason="seen", actor=key_rows.trader())
    account.refresh_from_db()
    assert account.dead_man_fired_at is None


# the list of what a halt came to


def order(trade, **values):
    return rows.order(rows.intent(trade, state="SENDING"), **values)


def lines(trade) -> dict[str, tuple[str, str]]:
    told = halting.report(**named(Scope.ACCOUNT, trade))
    assert told is not None
    return {line.client_order_id: (line.verdict, line.why) for line in told.lines}


def test_the_list_says_of_each_order_what_proves_that_it_is_over_or_why_nothing_does():
    trade = stage.trade()
    before = order(trade, status="CANCELLED", client_order_id="long ago", ended_at="2026-01-01T00:00:00Z")
    halting.halt(**named(Scope.ACCOUNT, trade), reason="enough", actor=SYSTEM)
    since = RiskState.objects.get(**named(Scope.ACCOUNT, trade)).at
    order(trade, status="CANCELLED", client_order_id="gone", cancel_state="CONFIRMED", ended_at=since)
    order(trade, status="FILLED", client_order_id="filled", cancel_state="TOO_LATE", ended_at=since)
    took = order(trade, status="OPEN", client_order_id="taken", cancel_state="SENT")
    took.events.create(seq=1, kind="cancel taken", to_status="OPEN")
    order(trade, status="OPEN", client_order_id="on its way", cancel_state="SENT")
    order(trade, status="OPEN", client_order_id="asked", cancel_state="REQUESTED")
    lost = {"last_error_code": "500", "last_error": "OutcomeUnknown: no answer"}
    order(trade, status="OPEN", client_order_id="lost", cancel_state="UNKNOWN", **lost)
    order(trade, status="UNKNOWN", client_order_id="unknown", cancel_state="SENT")
    order(trade, status="PENDING", client_order_id="flying")
    told = lines(trade)
    assert {name: verdict for name, (verdict, _) in told.items()} == {
        "gone": "confirmed",
        "filled": "confirmed",
        "taken": "cancelled",
        "on its way": "unconfirmed",
        "asked": "unconfirmed",
        "lost": "unconfirmed",
        "unknown": "unconfirmed",
        "flying": "unconfirmed",
    }
    assert told["on its way"][1] == "the cancel is on its way"
    assert told["lost"][1] == "the answer to the cancel is lost, it is sent again (500: OutcomeUnknown: no answer)"
    assert before.client_order_id not in told


def test_it_is_done_when_all_is_confirmed():
    trade = stage.trade()
    of = named(Scope.ACCOUNT, trade)
    row = order(trade, status="OPEN")
    halting.halt(**of, reason="enough", actor=SYSTEM)
    assert not halting.report(**of).is_done
    Order.objects.filter(pk=row.pk).update(status="CANCELLED", ended_at=RiskState.objects.get(**of).at)
    told = halting.report(**of)
    assert (told.is_done, told.unconfirmed, told.waiting) == (True, 0, 0)


def test_it_is_not_done_while_something_works_however_much_has_ended_since(monkeypatch):
    monkeypatch.setattr(report, "MOST_LINES", 2)
    trade = stage.trade()
    of = named(Scope.ACCOUNT, trade)
    halting.halt(**of, reason="enough", actor=SYSTEM)
    for _ in range(3):
        order(trade, status="CANCELLED", ended_at=RiskState.objects.get(**of).at)
    order(trade, status="OPEN", client_order_id="works")
    assert lines(trade)["works"][0] == "unconfirmed"
    told = halting.report(**of)
    assert (told.is_done, told.unconfirmed, len(told.lines)) == (False, 1, 2)


def test_orders_of_others_and_elsewhere_are_not_in_the_list():
    trade, other = stage.trade(), stage.trade()
    order(other, status="OPEN")
    external = order(trade, status="OPEN", client_order_id="not ours")
    Order.objects.filter(pk=external.pk).update(intent=None, is_external=True)
    halting.halt(**named(Scope.ACCOUNT, trade), reason="enough", actor=SYSTEM)
    assert lines(trade) == {}


def test_a_halt_that_only_stops_says_that_orders_are_left_working():
    trade = stage.trade()
    order(trade, status="OPEN", client_order_id="rests")
    assert stage.want(trade).intent.state == "NEW"
    halting.halt(**named(Scope.ACCOUNT, trade), reason="enough", actor=SYSTEM, mode=HaltMode.STOP)
    assert lines(trade) == {"rests": ("unconfirmed", "left working: the halt only stops new orders")}
    assert halting.report(**named(Scope.ACCOUNT, trade)).waiting == 1


def test_what_a_halt_closes_itself_is_not_among_what_will_never_be_sent():
    trade = stage.trade()
    anna = key_rows.trader()
    halting.halt(**named(Scope.ACCOUNT, trade), reason="x", actor=anna, mode=HaltMode.FLATTEN, confirmed=True)
    rows.intent(trade, purpose="flatten")
    assert halting.report(**named(Scope.ACCOUNT, trade)).waiting == 0
