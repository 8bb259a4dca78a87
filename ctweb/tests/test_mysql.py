"""What MySQL or MariaDB is told and tells, beside what Django would say by itself."""

from datetime import datetime

import pytest
from django.db import connection, transaction

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.mariadb]
COUNTED = ("Com_begin", "Com_commit", "Com_rollback", "Com_set_option", "Com_select")


def counts() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Com_%%'", [])
        told = dict(cursor.fetchall())
    return {name: int(told[name]) for name in COUNTED}


def read(text: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(text, [])
        return cursor.fetchone()[0]


def told_meanwhile(before: dict[str, int]) -> dict[str, int]:
    return {name: number - before[name] for name, number in counts().items() if number != before[name]}


def test_a_transaction_costs_the_server_two_statements_beside_its_own():
    before = counts()
    with transaction.atomic():
        read("SELECT 1")
    assert told_meanwhile(before) == {"Com_begin": 1, "Com_select": 1, "Com_commit": 1}


def test_one_that_fails_is_rolled_back_and_the_next_statement_stands_alone_again():
    before = counts()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError
    assert told_meanwhile(before) == {"Com_begin": 1, "Com_rollback": 1}
    assert (read("SELECT @@autocommit"), read("SELECT @@in_transaction")) == (1, 0)


def test_one_inside_another_is_undone_alone():
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
        assert read("SELECT @@in_transaction") == 1


def test_times_are_read_to_the_microsecond():
    told = [read(f"SELECT CAST('2026-11-21 02:31:47{rest}' AS DATETIME(6))") for rest in (".158986", "")]
    assert told == [datetime.fromisoformat(f"2026-11-21T02:31:47{rest}") for rest in (".158986", "")]


def test_zeros_are_no_time():
    assert read("SELECT CAST('0000-00-00 00:00:00' AS DATETIME(6))") is None
