"""What an intent on futures names as leverage is set on the exchange before its order leaves, or it does not leave."""

from contextlib import suppress

import pytest

from apps.feeds.errors import OutcomeUnknown
from apps.feeds.market import MarketType
from apps.feeds.orders import MarginMode
from apps.trading.execution.entry.leverages import settle
from apps.trading.execution.entry.working import work_lane
from apps.trading.models import OrderIntent, Position, Trade
from apps.trading.tests import stage
from apps.trading.tests.stage import Exchange

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("long_leases")]
ISOLATED = MarginMode.ISOLATED


@pytest.fixture
def trade() -> Trade:
    return stage.trade(stage.rich_account(market_type="futures"))


@pytest.fixture
def port(trade: Trade) -> Exchange:
    return Exchange(trade.account_id or 0, market_type=MarketType.FUTURES)


def work(trade: Trade, port: Exchange, **wish: object) -> OrderIntent:
    intent = stage.want(trade, **wish).intent
    work_lane(stage.lane(trade), executor=stage.executor(port))
    intent.refresh_from_db()
    return intent


def test_it_is_set_before_the_first_order_and_not_again(trade, port):
    for _ in range(2):
        assert work(trade, port, leverage=2).state == "WORKING"
    assert port.leverages == [(2, ISOLATED)]
    assert len(port.accepted) == 2
    row = Position.objects.get()
    assert (row.side, row.leverage, row.margin_mode, row.amount) == ("net", 2, "isolated", 0)


def test_another_one_is_set_when_it_is_wanted_or_when_the_exchange_tells_that_it_was_changed(trade, port):
    for leverage in (2, 3):
        work(trade, port, leverage=leverage)
    Position.objects.update(leverage=20, margin_mode="cross")
    assert work(trade, port, leverage=3).state == "WORKING"
    assert port.leverages == [(2, ISOLATED), (3, ISOLATED), (3, ISOLATED)]


def test_each_side_of_a_position_has_it(trade, port):
    for side in ("long", "short"):
        Position.objects.create(account=trade.account, pair_id=stage.pair_of(trade), side=side, leverage=5)
    assert work(trade, port, leverage=2).state == "WORKING"
    assert set(Position.objects.values_list("leverage", "margin_mode")) == {(2, "isolated")}


def test_an_order_for_which_it_cannot_be_set_is_refused(trade, port):
    port.refuses_leverage = True
    refused = work(trade, port, leverage=2)
    assert (refused.result, refused.deny_reason, port.accepted) == ("RISK_DENIED", "LEVERAGE", [])


@pytest.mark.parametrize("error", [OutcomeUnknown("no answer"), KeyboardInterrupt()], ids=["no answer", "it dies"])
def test_what_was_confirmed_before_counts_no_more_once_another_one_was_asked_for(trade, port, error):
    """It may be the one that the exchange has now."""
    work(trade, port, leverage=1)
    port.loses_leverage = error
    with suppress(KeyboardInterrupt):
        assert work(trade, port, leverage=3).deny_reason == "LEVERAGE"
    port.loses_leverage = None
    OrderIntent.objects.filter(state="NEW").update(state="DONE", result="CANCELLED")
    assert work(trade, port, leverage=1).state == "WORKING"
    assert port.leverages == [(1, ISOLATED), (3, ISOLATED), (1, ISOLATED)]


def test_what_was_confirmed_before_holds_where_the_exchange_has_refused_another_one(trade, port):
    work(trade, port, leverage=2)
    port.refuses_leverage = True
    assert work(trade, port, leverage=3).deny_reason == "LEVERAGE"
    assert work(trade, port, leverage=2).state == "WORKING"
    assert port.leverages == [(2, ISOLATED)]


def test_nothing_is_set_where_none_is_named_or_a_position_is_only_made_smaller(trade, port):
    Position.objects.create(account=trade.account, pair_id=stage.pair_of(trade), leverage=3, amount=1, told_amount=1)
    assert work(trade, port).state == "WORKING"
    work(trade, port, leverage=1, side="sell", reduce_only=True)
    assert port.leverages == []


def test_on_spot_and_on_paper_nobody_is_asked(port):
    for account in (stage.rich_account(), stage.rich_account(market_type="futures", mode="paper", name="on paper")):
        trade = stage.trade(account)
        stage.want(trade, leverage=None if account.market_type == "spot" else 1)
        settle(stage.lane(trade), stage.executor(port), port)
    assert port.leverages == []
