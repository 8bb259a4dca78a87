"""Which books a daemon holds for its accounts."""

import pytest

from apps.trading.halts import halting
from apps.trading.models import HaltMode, Position, Trade
from apps.trading.risk.view import Scope
from apps.trading.tests import key_rows, rows, stage
from workers.trader import needs

pytestmark = pytest.mark.django_db


@pytest.fixture
def trade() -> Trade:
    """Switched off, and something of it is held on spot."""
    made = stage.trade()
    Trade.objects.filter(pk=made.pk).update(enabled=False)
    Position.objects.create(account=made.account, pair_id=stage.pair_of(made), amount=1)
    return made


def keys(of: Trade) -> set[str]:
    return {str(key) for key in needs.read([of.account_id or 0], 20).subscriptions}


def test_what_is_held_on_spot_needs_no_book_once_its_trade_is_off(trade: Trade):
    assert keys(trade) == set()


@pytest.mark.parametrize("scope", [Scope.GLOBAL, Scope.ACCOUNT])
def test_what_is_to_be_closed_needs_its_book(trade: Trade, scope: Scope):
    of = {"scope": scope, "scope_id": str(trade.account_id) if scope is Scope.ACCOUNT else ""}
    halting.halt(**of, reason="x", actor=key_rows.trader(), mode=HaltMode.FLATTEN, confirmed=True)
    assert keys(trade) == {str(rows.pair().key)}
