"""Whatever a person must see (R20) reaches the pager, and stops its account when nobody comes within five minutes."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from apps.trading.collecting.silence import Silence
from apps.trading.execution.controls.breaking import break_due
from apps.trading.execution.resolution import overdue
from apps.trading.halts import halting
from apps.trading.models import RiskState, Trade
from apps.trading.risk.view import Scope
from apps.trading.tests import key_rows, rows, stage
from apps.users.alerts import ack
from apps.users.models import Alert
from apps.users.paging import page_due
from apps.users.tests.pager import Listener
from apps.users.transport import webhook
from apps.users.transport.webhook import Webhook
from workers.trader.jobs import Jobs
from workers.trader.leases import call_for
from workers.trader.threads import Job

pytestmark = pytest.mark.django_db


def halted(trade: Trade) -> None:
    control = halting.control("a test")
    halting.halt(scope=Scope.ACCOUNT, scope_id=str(trade.account_id), reason="a test", actor=control)


def looks_for_old_orders() -> Job:
    """As a daemon does it."""
    nothing: Any = None
    jobs = Jobs(
        executor=lambda ports: stage.executor(),
        ports=nothing,
        sending=nothing,
        is_open=bool,
        wakes=nothing,
        reporter=nothing,
        measure_clocks=list,
        accounts=list,
        halt_file=Path("halt"),
        tell=list,
        pagers=[],
    )
    [job] = [job for job in jobs.table() if job.name == "orders without proof"]
    return job


def old(seconds: float) -> Callable[[Trade], None]:
    """An order whose fate nobody has proven for so long."""

    def lose(trade: Trade) -> None:
        since = Now() - timedelta(seconds=seconds)
        intent = rows.intent(trade, state="SENDING", attempt=1)
        rows.order(intent, status="UNKNOWN", created_at=since, unknown_at=since)
        looks_for_old_orders().call()

    return lose


TROUBLES: dict[str, Callable[[Trade], None]] = {
    "HALTED": halted,
    "UNKNOWN": old(overdue.ALERT_S + 1),
    "QUARANTINE": old(overdue.QUARANTINE_S + 1),
    "LEASE_FLAP": lambda trade: call_for(trade.account_id or 0),
    "GAP": lambda trade: Silence(trade.account_id or 0, time.monotonic).call(),
}
each = pytest.mark.parametrize("kind", sorted(TROUBLES))


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.setattr(webhook, "TIMEOUT_S", 60.0)
    made = Listener()
    yield made
    made.end()


@pytest.fixture
def trade() -> Trade:
    made = stage.trade()
    rows.pair(made.pair, made.exchange)
    return made


def state(trade: Trade) -> tuple[str, str]:
    row = RiskState.objects.get(scope="account", scope_id=str(trade.account_id))
    return row.state, row.reason


@each
def test_it_reaches_the_pager(kind: str, trade: Trade, listener: Listener):
    TROUBLES[kind](trade)
    page_due(Webhook(listener.url))
    told = [(page["kind"], page["scope"], page["scope_id"], page["escalates"]) for page in listener.heard]
    assert (kind, "account", str(trade.account_id), True) in told


@pytest.mark.parametrize("kind", sorted(TROUBLES.keys() - {"HALTED"}))
def test_when_nobody_comes_the_account_is_halted_and_that_is_told_as_well(kind: str, trade: Trade, listener: Listener):
    TROUBLES[kind](trade)
    assert (break_due(stage.executor()), state(trade)[0]) == (0, "ACTIVE")
    Alert.objects.update(at=Now() - timedelta(seconds=301))
    assert break_due(stage.executor()) == 1
    assert state(trade) == ("HALTED", "ALERT_UNACKED")
    page_due(Webhook(listener.url))
    assert {kind, "HALTED"} <= {page["kind"] for page in listener.heard}


@pytest.mark.parametrize("kind", sorted(TROUBLES.keys() - {"HALTED"}))
def test_when_somebody_has_come_the_account_goes_on(kind: str, trade: Trade):
    TROUBLES[kind](trade)
    somebody = key_rows.trader()
    for alert in Alert.objects.all():
        ack(alert_id=alert.pk, actor=somebody)
    Alert.objects.update(at=Now() - timedelta(seconds=301))
    assert (break_due(stage.executor()), state(trade)[0]) == (0, "ACTIVE")
