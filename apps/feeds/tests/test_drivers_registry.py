import pytest

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Topic, TopicKind
from apps.feeds.errors import UnknownExchange
from apps.feeds.market import DEPTHS, MarketType

EVERY = [(exchange, market) for exchange in registry.exchange_ids() for market in MarketType]


def test_each_id_makes_its_driver():
    assert registry.exchange_ids() == ("binance", "bybit", "okx")
    assert [registry.driver(one).exchange_id for one in registry.exchange_ids()] == list(registry.exchange_ids())


def test_spelling_of_an_id_is_forgiven():
    assert registry.driver(" OKX ").name == "OKX"


@pytest.mark.parametrize("name", ["", "dex", "binanceus", "../okx"])
def test_an_unknown_id_is_refused_with_what_there_is(name):
    with pytest.raises(UnknownExchange, match="one of binance, bybit, okx"):
        registry.driver(name)


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_every_topic_has_a_stream_a_category_and_a_socket(exchange, market):
    driver = registry.driver(exchange)
    topics = [Topic(kind=TopicKind.BOOK, symbol="BTCUSDT", depth=depth) for depth in DEPTHS]
    for topic in (*topics, Topic(kind=TopicKind.TRADES, symbol="BTCUSDT")):
        assert "btcusdt" in driver.stream(market, topic).lower()
        assert driver.ws_endpoint(market, driver.category(market, topic)).startswith("wss://")
    assert list(driver.depths(market)) == list(DEPTHS)


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_every_request_is_a_get_over_https_with_a_weight_within_the_budget(exchange, market):
    driver = registry.driver(exchange)
    requests = [driver.instruments_request(market), driver.volumes_request(market)]
    requests += [driver.snapshot_request(market, "BTCUSDT", depth) for depth in DEPTHS]
    for request in requests:
        assert request.method == "GET"
        assert request.url.startswith("https://")
        assert 1 <= request.weight <= driver.limits(market).rest_weight.count


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
