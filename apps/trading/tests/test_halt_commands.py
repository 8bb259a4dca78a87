"""`manage.py halt` and `resume`, and the signal file of a host."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from apps.trading.execution.controls import halt_file
from apps.trading.execution.gateway.signal_file import is_halted
from apps.trading.halts import halting
from apps.trading.models import HaltMode, RiskState
from apps.trading.risk.view import Scope
from apps.trading.tests import rows
from apps.users.models import Audit
from apps.users.services import SYSTEM
from apps.users.tests.codes import code_of, device_of
from apps.users.tests.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def path(settings, tmp_path: Path) -> Path:
    settings.CT_HALT_FILE = tmp_path / "HALT"
    return settings.CT_HALT_FILE


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, "--reason", "enough", stdout=out)
    return out.getvalue()


def state(scope: str = "global", scope_id: str = "") -> str:
    return RiskState.objects.get(scope=scope, scope_id=scope_id).state


def test_everything_is_stopped_and_set_going_again_by_name():
    person("trader", "anna")
    assert run("halt") == "global: HALTED, 0 orders, 0 unconfirmed\n"
    assert run("resume", "--user", "anna") == "global: ACTIVE\n"
    trail = Audit.objects.filter(object="global").order_by("pk").values_list("action", "user", "role")
    assert list(trail) == [("risk.halt", "manage.py halt", ""), ("risk.resume", "anna", "trader")]


def test_one_account_is_stopped_and_its_unconfirmed_orders_are_listed():
    trade = rows.trade(rows.account())
    rows.order(rows.intent(trade, state="WORKING"), status="OPEN")
    told = run("halt", "--scope", "account", "--id", str(trade.account_id), "--wait", "0")
    assert "1 orders, 1 unconfirmed" in told
    assert "binance spot BTC/USDT buy 0.5 OPEN its cancel is not asked for yet" in told
    assert (state("account", str(trade.account_id)), state()) == ("HALTED", "ACTIVE")


@pytest.mark.parametrize("name", ["olga", "nobody"])
def test_nobody_but_a_trader_releases_at_a_terminal(name: str):
    person("operator", "olga")
    run("halt")
    with pytest.raises(CommandError, match="it takes a trader"):
        run("resume", "--user", name)
    assert state() == "HALTED"


def test_closing_all_that_is_held_is_said_twice_and_by_somebody():
    person("trader", "anna")
    for words in ((), ("--user", "anna"), ("--confirm-flatten",)):
        with pytest.raises(CommandError, match="second confirmation"):
            run("halt", "--mode", "flatten", *words)
    assert state() == "ACTIVE"
    run("halt", "--mode", "flatten", "--user", "anna", "--confirm-flatten")
    assert RiskState.objects.get(scope="global").mode == "flatten"


@pytest.mark.parametrize("command", [("resume",), ("halt", "--mode", "flatten", "--confirm-flatten")])
def test_at_a_terminal_it_takes_the_code_of_who_has_a_second_factor(command: tuple[str, ...]):
    anna = person("trader", "anna")
    device_of(anna)
    run("halt")
    words = (*command, "--user", "anna")
    with pytest.raises(CommandError, match="needs the code"):
        run(*words)
    code = code_of(anna)
    run(*words, "--code", code)
    assert Audit.objects.latest("change_id").second_factor
    with pytest.raises(CommandError, match="used before"):
        run(*words, "--code", code)


@pytest.mark.parametrize("command", [("resume",), ("halt", "--mode", "flatten", "--confirm-flatten")])
def test_at_a_terminal_nothing_that_reaches_live_money_is_done_without_one(command: tuple[str, ...]):
    person("trader", "anna")
    rows.account(mode="live")
    run("halt")
    with pytest.raises(CommandError, match="enrol one"):
        run(*command, "--user", "anna")
    assert (state(), RiskState.objects.get(scope="global").mode) == ("HALTED", "cancel")


def test_what_there_is_not_is_told():
    with pytest.raises(CommandError, match="there is no account 0"):
        run("halt", "--scope", "account", "--id", "0")


def test_without_a_database_the_signal_file_is_written(path: Path):
    def away(*_: object) -> None:
        raise OperationalError("gone away")

    with connection.execute_wrapper(away), pytest.raises(CommandError, match="no order leaves this host"):
        run("halt")
    assert path.exists()


def test_the_signal_file_halts_everything_once_the_database_answers(path: Path):
    assert halt_file.obey(path) == 0
    path.touch()
    assert [halt_file.obey(path) for _ in range(2)] == [1, 0]
    row = RiskState.objects.get(scope="global")
    assert (row.state, row.mode, row.by) == ("HALTED", "cancel", "signal file")


def test_the_signal_file_cancels_what_a_milder_halt_has_left_working(path: Path):
    halting.halt(scope=Scope.GLOBAL, reason="no new orders", actor=SYSTEM, mode=HaltMode.STOP)
    path.touch()
    assert [halt_file.obey(path) for _ in range(2)] == [1, 0]
    assert RiskState.objects.get(scope="global").mode == "cancel"


def test_taking_the_signal_file_away_releases_nothing(path: Path):
    path.touch()
    halt_file.obey(path)
    path.unlink()
    halt_file.obey(path)
    assert state() == "HALTED"


def test_nobody_is_released_while_the_signal_file_is_there(path: Path):
    person("trader", "anna")
    halting.halt(scope="global", reason="enough", actor=halting.control("risk"))
    path.touch()
    with pytest.raises(CommandError, match="remove"):
        run("resume", "--user", "anna")
    assert state() == "HALTED"


def test_a_signal_file_that_cannot_be_looked_for_counts_as_there(tmp_path: Path):
    nowhere = tmp_path / "a file"
    nowhere.touch()
    assert is_halted(nowhere / "HALT")
    assert not is_halted(tmp_path / "HALT")
