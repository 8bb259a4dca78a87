"""Statements that are written out do what Django's would."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from apps.trading.execution.runtime import statements
from apps.trading.models import Order, OrderEvent, Wallet
from apps.trading.tests import rows

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 20, 12, 0, 0, 123_456, tzinfo=UTC)
SMALL = Decimal("1E-18")
PLAIN = ("trade_id", "exchange_id", "pair_id", "account_id", "intent_id", "type", "side", "amount", "price", "status")


@pytest.fixture
def order() -> Order:
    return rows.order(rows.intent(rows.trade(rows.account())))


def event(order: Order, seq: int) -> dict:
    return {
        "order_id": order.pk,
        "seq": seq,
        "kind": f"k{seq}",
        "to_status": "OPEN",
        "evidence": {"n": [seq]},
        "at": AT,
    }


def wallets(*expected: Decimal) -> list[Wallet]:
    account = rows.account()
    return [
        Wallet.objects.create(account=account, asset=f"A{number}", total=0, expected=each)
        for number, each in enumerate(expected)
    ]


@pytest.mark.parametrize("number", [1, 3])
def test_rows_that_are_written_together_tell_their_numbers_in_order(order, number):
    numbers = statements.insert_all(OrderEvent, [event(order, seq) for seq in range(1, number + 1)])
    written = OrderEvent.objects.in_bulk(numbers)
    assert [written[each].seq for each in numbers] == list(range(1, number + 1))
    assert written[numbers[-1]].evidence == {"n": [number]}


def test_a_row_is_read_as_django_reads_it(order):
    assert statements.first(Order, "WHERE id = %s", [order.pk]) == (read := Order.objects.get(pk=order.pk))
    found = statements.first(Order, "WHERE id = %s", [order.pk])
    names = [field.attname for field in Order._meta.concrete_fields]
    assert [getattr(found, name) for name in names] == [getattr(read, name) for name in names]


def test_rows_without_a_match_are_none(order):
    assert statements.first(Order, "WHERE id = %s", [order.pk + 1]) is None
    assert statements.rows(Order, "WHERE id = %s", [order.pk + 1]) == []


def test_a_row_is_changed_only_while_it_is_as_it_was_read(order):
    assert not statements.update(Order, order.pk, {"told": SMALL}, status="OPEN")
    assert not statements.update(Order, order.pk, {"told": SMALL}, filled__lte=-SMALL)
    assert statements.update(Order, order.pk, {"told": SMALL}, status="PENDING", filled__lte=Decimal(0))
    assert Order.objects.get().told == SMALL


def test_an_id_that_is_not_known_yet_may_become_any_and_then_stays(order):
    for name, taken in (("x1", True), ("x1", True), ("x2", False)):
        values = {"exchange_order_id": name}
        assert statements.update(Order, order.pk, values, exchange_order_id__or_null=name) is taken


def test_each_row_gets_its_own_value_and_others_stay():
    first, second, other = wallets(Decimal(1), Decimal(2), Decimal(3))
    long = Decimal("12345678901234567889.999999999999999999")
    statements.update_each(Wallet, "expected", {first.pk: SMALL, second.pk: long}, AT)
    told = {row.pk: (row.expected, row.updated_at == AT) for row in Wallet.objects.filter(account=first.account)}
    assert told == {
        first.pk: (SMALL, True),
        second.pk: (long, True),
        other.pk: (Decimal(3), False),
    }


def test_where_there_is_nothing_to_change_nothing_is_asked(django_assert_num_queries):
    with django_assert_num_queries(0):
        statements.update_each(Wallet, "expected", {}, AT)
        assert statements.insert_all(OrderEvent, []) == []


def test_writes_that_are_told_together_are_all_done_and_each_tells_what_it_found(order):
    done = statements.together(
        statements.inserting(OrderEvent, event(order, 1)),
        statements.updating(Order, order.pk, {"told": SMALL}, status="PENDING"),
        statements.updating(Order, order.pk, {"told": Decimal(2)}, status="OPEN"),
    )
    assert (done.found, Order.objects.get().told) == ([1, 1, 0], SMALL)
    assert OrderEvent.objects.get().pk == done.number


def test_a_row_may_belong_to_the_one_that_was_made_right_before_it(order):
    values = {name: getattr(order, name) for name in PLAIN} | {"client_order_id": "next", "attempt": 1}
    second = {name: value for name, value in event(order, 1).items() if name != "order_id"}
    done = statements.together(
        statements.inserting(Order, values), statements.inserting(OrderEvent, second, of_last="order_id")
    )
    assert (OrderEvent.objects.get().order_id, Order.objects.get(pk=done.number).client_order_id) == (
        done.number,
        "next",
    )


def test_of_writes_that_are_told_together_those_behind_one_that_fails_are_not_done(order):
    statements.insert(OrderEvent, event(order, 1))
    with pytest.raises(IntegrityError), transaction.atomic():
        statements.together(
            statements.updating(Order, order.pk, {"told": SMALL}),
            statements.inserting(OrderEvent, event(order, 1)),
            statements.updating(Order, order.pk, {"told": Decimal(2)}),
        )
    assert Order.objects.get().told == 0


def test_writes_that_are_told_together_cost_one_way_where_the_database_takes_them_so(order, django_assert_num_queries):
    writes = [statements.updating(Order, order.pk, {"told": Decimal(each)}) for each in range(3)]
    with django_assert_num_queries(1 if connection.vendor == "mysql" else 3):
        statements.together(*writes)
