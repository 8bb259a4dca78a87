import math

import pytest

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Resync, Topic, TopicKind
from apps.feeds.errors import UnknownExchange
from apps.feeds.market import DEPTHS, MarketType
from apps.feeds.transport.limits import SlidingWindow

EVERY = [(exchange, market) for exchange in registry.exchange_ids() for market in MarketType]


def test_each_id_makes_its_driver():
    assert len(registry.exchange_ids()) == 8
    assert [registry.driver(one).exchange_id for one in registry.exchange_ids()] == list(registry.exchange_ids())


def test_spelling_of_an_id_is_forgiven():
    assert registry.driver(" OKX ").name == "OKX"


def test_another_name_of_an_exchange_makes_its_driver():
    assert registry.driver("dex").exchange_id == registry.canonical(" DEX") == "hyperliquid"


@pytest.mark.parametrize("name", ["", "dexter", "binanceus", "../okx"])
def test_an_unknown_id_is_refused_with_what_there_is(name):
    with pytest.raises(UnknownExchange, match="one of binance, bybit, okx"):
        registry.driver(name)


def test_each_trader_is_the_other_half_of_a_driver():
    assert set(registry.trader_ids()) <= set(registry.exchange_ids())
    assert [registry.trader(one).exchange_id for one in registry.trader_ids()] == list(registry.trader_ids())


def test_an_exchange_without_a_trader_is_refused():
    with pytest.raises(UnknownExchange, match="not traded on: 'dexter'"):
        registry.trader("dexter")


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_every_topic_has_a_stream_a_category_and_a_socket(exchange, market):
    driver = registry.driver(exchange)
    depths = driver.depths(market)
    topics = [Topic(kind=TopicKind.BOOK, symbol="BTCUSDT", depth=depth) for depth in depths]
    for topic in (*topics, Topic(kind=TopicKind.TRADES, symbol="BTCUSDT")):
        assert "btcusdt" in driver.stream(market, topic).lower()
        assert driver.ws_endpoint(market, driver.category(market, topic)).startswith("wss://")
    assert depths
    assert set(depths) <= set(DEPTHS)
    assert registry.offered_depths()[exchange, market] == depths


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_every_request_goes_over_https_with_a_weight_within_the_budget(exchange, market):
    driver = registry.driver(exchange)
    requests = [driver.instruments_request(market), driver.volumes_request(market)]
    requests += [driver.snapshot_request(market, "BTCUSDT", depth) for depth in driver.depths(market)]
    for request in requests:
        assert (request.method, bool(request.body)) in (("GET", False), ("POST", True))
        assert request.url.startswith("https://")
        assert 1 <= request.weight <= driver.limits(market).rest_weight.count


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_five_hundred_pairs_over_all_markets_have_their_snapshots_within_a_minute(exchange, market):
    """By the weights alone, with the market list before them, however deep the books."""
    driver = registry.driver(exchange)
    pairs = math.ceil(500 / len(EVERY))
    deepest = max(
        (
            driver.snapshot_request(market, "BTCUSDT", depth).weight
            for depth in driver.depths(market)
            if driver.resync(market, depth) is Resync.REST
        ),
        default=0,
    )
    window = SlidingWindow(driver.limits(market).rest_weight)
    now = 0.0
    lists = [driver.instruments_request(market).weight, driver.volumes_request(market).weight]
    for weight in [*lists, *[deepest] * pairs]:
        now += window.delay(now, weight)
        window.take(now, weight)
    assert now < 60


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_commands_stay_within_the_limits_and_number_themselves(exchange, market):
    driver = registry.driver(exchange)
    limits = driver.limits(market)
    topics = [Topic(kind=TopicKind.BOOK, symbol=f"COIN{n}USDT", depth=20) for n in range(limits.topics_per_frame + 1)]
    for make in (driver.subscribe, driver.unsubscribe):
        commands = make(market, topics, 7)
        assert [command.request_id for command in commands] == ["7", "8"]
        assert [topic for command in commands for topic in command.topics] == topics
        assert all(len(command.frame) <= limits.frame_bytes for command in commands)
    assert driver.subscribe(market, [], 7) == []


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_a_heartbeat_leaves_time_before_the_server_hangs_up(exchange, market):
    heartbeat = registry.driver(exchange).heartbeat(market)
    assert heartbeat.every_s + heartbeat.answer_s <= 40
