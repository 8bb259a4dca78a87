import pytest

from apps.trading.halts import scopes
from apps.trading.models import Account, Order, OrderIntent
from apps.trading.risk.view import Scope
from apps.trading.tests import rows

pytestmark = pytest.mark.django_db


def test_a_wide_scope_stays_wide_beside_a_narrow_one():
    """Who halts everything while one account is halted stops the others as well."""
    one, other = (rows.order(rows.intent(rows.trade(rows.account()))) for _ in range(2))
    narrow = str(one.account_id)
    orders = scopes.orders_under(Scope.GLOBAL, "") | scopes.orders_under(Scope.ACCOUNT, narrow)
    intents = scopes.intents_under(Scope.GLOBAL, "") | scopes.intents_under(Scope.ACCOUNT, narrow)
    accounts = scopes.accounts_under(Scope.GLOBAL, "") | scopes.accounts_under(Scope.ACCOUNT, narrow)
    assert set(Order.objects.filter(orders)) == {one, other}
    assert set(OrderIntent.objects.filter(intents)) == {one.intent, other.intent}
    assert {one.account, other.account} <= set(Account.objects.filter(accounts))
