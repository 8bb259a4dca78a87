"""The suite of trading is whole: every market, at least thirty behaviours, no exception without a reason."""

from apps.feeds.drivers import registry
from apps.feeds.market import MarketType
from apps.feeds.simulator.server import KINDS
from apps.feeds.tests import trading_declared, trading_stand
from apps.feeds.tests.trading_suite import behaviours

LEAST = 30


def test_every_exchange_that_can_be_traded_on_or_is_simulated_is_named():
    assert len(trading_stand.EVERY) == 16
    assert set(trading_stand.EXCHANGES) == set(registry.trader_ids()) == {kind.name for kind in KINDS}


def test_every_market_shows_at_least_thirty_behaviours():
    for each in trading_stand.EVERY:
        shown = [name for name in behaviours() if each in trading_stand.combinations(name)]
        assert len(shown) >= LEAST, each


def test_each_behaviour_is_shown_or_declared_not_to_be_had_with_a_reason():
    for name in behaviours():
        shown = trading_stand.combinations(name)
        assert shown, name
        declared = [each for each in trading_stand.EVERY if trading_declared.reason(*each, name)]
        assert sorted([*shown, *declared]) == sorted(trading_stand.EVERY)


def test_what_is_declared_is_of_behaviours_and_markets_that_there_are():
    places = {name for exchange in trading_stand.EXCHANGES for name in (exchange, *_markets(exchange))}
    named = [*trading_declared.FUTURES_ONLY, *trading_declared.SPOT_ONLY, *trading_declared.DECLARED]
    assert set(named) <= set(behaviours())
    for reasons in [*trading_declared.DECLARED.values(), *trading_declared.OTHERWISE]:
        assert set(reasons) <= places
        assert all(reasons.values())


def _markets(exchange: str) -> list[str]:
    return [f"{exchange}-{market}" for market in MarketType]
