"""Whose is what: own accounts and the desk's, an administrator all."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group

from apps.trading import selectors
from apps.trading.models import Account, Order, OrderFill, OrderIntent, Trade
from apps.trading.tests import rows
from apps.users.models import User

pytestmark = pytest.mark.django_db


def person(name: str, role: str = "trader") -> User:
    user = User.objects.create(username=name)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def people() -> dict[str, User]:
    return {name: person(name, role) for name, role in (("anna", "trader"), ("boris", "trader"), ("olga", "admin"))}


@pytest.fixture
def books(people) -> dict[str, Account]:
    """An account of Anna's, one of Boris's and one of the desk's, each with a filled order; no others."""
    Account.objects.update(is_default=None)
    made = {name: rows.account(owner=people[name]) for name in ("anna", "boris")} | {"desk": rows.account()}
    for each in made.values():
        rows.fill(rows.order(rows.intent(rows.trade(each))))
    return made


@pytest.mark.parametrize(
    ("name", "seen"),
    [("anna", {"anna", "desk"}), ("boris", {"boris", "desk"}), ("olga", {"anna", "boris", "desk"})],
)
def test_one_sees_own_accounts_and_the_desks(people, books, name, seen):
    found = selectors.accounts(user=people[name]).filter(pk__in=[each.pk for each in books.values()])
    assert {each.pk for each in found} == {books[one].pk for one in seen}


@pytest.mark.parametrize("model", [Trade, OrderIntent, Order, OrderFill])
def test_one_sees_what_belongs_to_those_accounts(people, books, model):
    assert selectors.visible(model.objects.all(), user=people["anna"]).count() == 2
    assert selectors.visible(model.objects.all(), user=people["olga"]).count() == 3
    assert not selectors.visible(model.objects.all(), user=people["anna"]).filter(account=books["boris"]).exists()


def test_rows_of_no_account_are_the_desks(people, books):
    Trade.objects.create(exchange="binance", pair="BTC/USDT")
    assert selectors.visible(Trade.objects.filter(account=None), user=people["anna"]).count() == 1


@pytest.mark.parametrize(
    ("name", "may"),
    [("anna", {"anna", "desk"}), ("boris", {"boris", "desk"}), ("olga", {"anna", "boris", "desk"})],
)
def test_one_trades_on_own_accounts_and_the_desks(people, books, name, may):
    assert {one for one, each in books.items() if selectors.may_trade(user=people[name], account=each)} == may


def test_nobody_else_trades(books):
    watchers = [person("vera", "viewer"), person("oleg", "operator"), AnonymousUser()]
    assert not any(selectors.may_trade(user=user, account=each) for user in watchers for each in books.values())
