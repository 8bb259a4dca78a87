"""R7 bounds what trading here makes of an account: coins that lay in its spot wallet before are no exposure of ours."""

from decimal import Decimal

import pytest

from apps.feeds.market import Side
from apps.trading.models import Position, RiskLimit, Trade, Wallet
from apps.trading.tests import rows, stage

pytestmark = pytest.mark.django_db
LIMIT = Decimal(100)  # an order of the stage is worth 60


@pytest.fixture
def trade() -> Trade:
    made = stage.trade()
    RiskLimit.objects.filter(name="max_asset_usdt").update(value=LIMIT)
    assert Wallet.objects.get(account=made.account, asset="BTC").total * stage.MID > LIMIT
    return made


def reasons(of: Trade, side: Side) -> list[str]:
    return [stage.want(of, side=side).intent.deny_reason for _ in range(2)]


def test_an_account_with_coins_may_buy_as_much_as_one_without(trade: Trade):
    assert reasons(trade, Side.BUY) == ["", "ASSET_EXPOSURE"]


def test_what_is_sold_of_coins_from_before_counts_as_what_trading_has_made(trade: Trade):
    assert reasons(trade, Side.SELL) == ["", "ASSET_EXPOSURE"]


def test_a_position_on_futures_counts_from_before_as_well():
    trade = stage.trade(stage.rich_account(market_type="futures"))
    RiskLimit.objects.filter(name="max_asset_usdt").update(value=LIMIT)
    before = {"opening": Decimal("0.002"), "leverage": 1}
    Position.objects.create(account=trade.account, pair=rows.pair(market_type="futures"), **before)
    assert stage.want(trade).intent.deny_reason == "ASSET_EXPOSURE"
