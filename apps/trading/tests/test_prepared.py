"""Statements that a database reads once are asked with other values each time."""

import pytest
from django.db import connection

from apps.trading.execution.runtime import prepared
from apps.trading.models import Order
from apps.trading.tests import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> Order:
    return rows.order(rows.intent(rows.trade(rows.account())))


def told(text: str, **values: object) -> list:
    with connection.cursor() as cursor:
        prepared.execute(cursor, text, values)
        return [list(each) for each in cursor.fetchall()]


def test_a_statement_that_is_kept_takes_other_values_each_time(order):
    text = "SELECT ID, 'a%%' FROM ORDERS WHERE STATUS = %(status)s AND (ID = %(id)s OR ID = %(id)s + 1)"
    assert told(text, status="PENDING", id=order.pk) == [[order.pk, "a%"]]
    assert told(text, status="OPEN", id=order.pk) == []
    assert told(text, status="PENDING", id=order.pk - 1) == [[order.pk, "a%"]]


def test_two_statements_that_are_kept_are_told_apart(order):
    assert told("SELECT ID FROM ORDERS WHERE ID = %(id)s", id=order.pk) == [[order.pk]]
    assert told("SELECT STATUS FROM ORDERS WHERE ID = %(id)s", id=order.pk) == [["PENDING"]]


@pytest.mark.mariadb
def test_a_statement_is_kept_once_for_each_connection(order, django_assert_num_queries):
    text = "SELECT ID, 'kept' FROM ORDERS WHERE ID = %(id)s"
    with django_assert_num_queries(1 + 1):
        told(text, id=order.pk)
    with django_assert_num_queries(1):
        told(text, id=order.pk)
