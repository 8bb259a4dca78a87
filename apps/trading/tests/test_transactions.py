"""Transactions are short, and repeated as a whole where the database asks for it."""

from contextlib import nullcontext
from threading import Event, Thread

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.backends.mysql.base import DatabaseWrapper

from apps.trading.execution.runtime import prepared, statements, transactions
from apps.trading.execution.runtime.transactions import TRIES, in_transaction, is_inside, mend
from apps.trading.models import RiskUsage
from apps.trading.tests import rows
from apps.trading.tests.threads import WAIT_S, closing, together

DEADLOCK = OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")


class Failing:
    """Raises `error` so many times, then answers the number of the call."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.times, self.calls = error, times, 0

    def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return self.calls


@pytest.mark.django_db
@pytest.mark.parametrize("code", [1205, 1213, 1969, 3024])
def test_what_the_database_gives_up_is_tried_again(code):
    call = Failing(OperationalError(code, "try again"), TRIES - 1)
    assert in_transaction(call)() == TRIES


@pytest.mark.django_db
def test_not_for_ever():
    call = Failing(DEADLOCK, 100)
    with pytest.raises(OperationalError):
        in_transaction(call)()
    assert call.calls == TRIES


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError(2013, "lost"), OperationalError(), IntegrityError(1062, "twice")])
def test_other_errors_come_out_at_once(error):
    call = Failing(error, 1)
    with pytest.raises(type(error)):
        in_transaction(call)()
    assert call.calls == 1


@pytest.mark.django_db
def test_only_the_outermost_is_repeated():
    inner = Failing(DEADLOCK, 1)
    outer_calls = []

    @in_transaction
    def outer() -> int:
        outer_calls.append(is_inside())
        return in_transaction(inner)()

    assert outer() == 2
    assert outer_calls == [True, True]


@pytest.mark.django_db
def test_nothing_of_a_failed_try_stays():
    account = rows.account()
    calls = []

    @in_transaction
    def write() -> None:
        calls.append(RiskUsage.objects.get(pk=account.pk).fees)
        RiskUsage.objects.filter(pk=account.pk).update(fees=1)
        if len(calls) == 1:
            raise DEADLOCK

    write()
    assert calls == [0, 0]


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_two_that_wait_for_each_other_both_succeed():
    first, second = rows.account(), rows.account()
    met = [Event(), Event()]

    def write(number: int) -> int:
        order = [first.pk, second.pk] if number == 0 else [second.pk, first.pk]
        calls = []

        @in_transaction
        def both() -> None:
            calls.append(number)
            RiskUsage.objects.filter(pk=order[0]).update(fees=number)
            met[number].set()
            assert met[1 - number].wait(WAIT_S)
            RiskUsage.objects.filter(pk=order[1]).update(fees=number)

        both()
        return len(calls)

    assert sorted(together(2, write)) == [1, 2]


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_no_statement_waits_longer_than_its_bound(monkeypatch):
    account = rows.account()
    monkeypatch.setattr(transactions, "STATEMENT_S", 0.05)
    held, go_on = Event(), Event()

    @closing
    def hold() -> None:
        with transaction.atomic():
            RiskUsage.objects.select_for_update().get(pk=account.pk)
            held.set()
            assert go_on.wait(WAIT_S)

    thread = Thread(target=hold)
    thread.start()
    assert held.wait(WAIT_S)
    with pytest.raises(OperationalError, match="1969"):
        in_transaction(lambda: RiskUsage.objects.select_for_update().get(pk=account.pk))()
    go_on.set()
    thread.join(WAIT_S)
    RiskUsage.objects.select_for_update().filter(pk=account.pk)  # others' statements are not bounded


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_statement_that_is_kept_is_bounded_as_well(monkeypatch):
    monkeypatch.setattr(transactions, "STATEMENT_S", 0.05)

    def wait() -> None:
        with connection.cursor() as cursor:
            prepared.execute(cursor, "SELECT SLEEP(%(seconds)s)", {"seconds": WAIT_S})

    with pytest.raises(OperationalError, match="1969"):
        in_transaction(wait)()


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_each_of_the_statements_that_are_told_in_one_go_is_bounded(monkeypatch):
    monkeypatch.setattr(transactions, "STATEMENT_S", 0.05)
    writes = statements.Write("SELECT 1", []), statements.Write("SELECT SLEEP(%s)", [WAIT_S])
    with pytest.raises(OperationalError, match="1969"):
        in_transaction(lambda: statements.together(*writes))()


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_connection_that_the_server_has_ended_is_given_up():
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        number = cursor.fetchone()[0]
    together(1, lambda _: _kill(number))
    with pytest.raises(OperationalError):
        RiskUsage.objects.count()
    mend()
    assert RiskUsage.objects.count() >= 0


def _kill(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"KILL {number}")


@pytest.fixture
def as_mysql(monkeypatch) -> None:
    """What is done on MySQL, whose server ends no transaction that stands still."""
    monkeypatch.setattr(DatabaseWrapper, "mysql_is_mariadb", False)


def bounds() -> dict[str, float]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@wait_timeout, @@global.wait_timeout, @@idle_transaction_timeout")
        return dict(zip(("own", "all", "transaction"), cursor.fetchone(), strict=True))


@pytest.mark.mariadb
@pytest.mark.usefixtures("as_mysql")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_who_stands_still_in_a_transaction_lets_go_though_the_server_bounds_none(monkeypatch):
    account = rows.account()
    monkeypatch.setattr(transactions, "IDLE_S", 1)
    held, go_on, ended = Event(), Event(), []

    @closing
    def hold() -> None:
        def stand_still() -> None:
            assert bounds()["transaction"] == 0
            RiskUsage.objects.filter(pk=account.pk).update(fees=1)
            held.set()
            assert go_on.wait(WAIT_S)
            RiskUsage.objects.filter(pk=account.pk).update(fees=2)

        while not ended:
            try:
                in_transaction(stand_still)()
            except OperationalError as error:
                connection.close()
                if held.is_set():  # else the machine stood still before
                    ended.append(error.args[0])

    thread = Thread(target=hold)
    thread.start()
    assert held.wait(WAIT_S)
    connection.ensure_connection()
    with transaction.atomic():  # waits as long as a lock may be waited for at all
        assert RiskUsage.objects.select_for_update().get(pk=account.pk).fees == 0
    go_on.set()
    thread.join(WAIT_S)
    assert len(ended) == 1
    assert ended[0] in (2006, 2013, 4031)


@pytest.mark.mariadb
@pytest.mark.usefixtures("as_mysql")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("error", [None, IntegrityError(1062, "twice")])
def test_between_transactions_a_connection_may_rest(error):
    within = []

    def call() -> None:
        within.append(bounds()["own"])
        if error is not None:
            raise error

    def rest(_: int) -> dict[str, float]:
        with nullcontext() if error is None else pytest.raises(IntegrityError):
            in_transaction(call)()
        return bounds()

    (after,) = together(1, rest)
    assert within == [transactions.IDLE_S]
    assert after["own"] == after["all"] > transactions.IDLE_S
