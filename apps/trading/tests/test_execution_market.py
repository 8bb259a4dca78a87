"""Books as risk takes them, and what assets are worth."""

from decimal import Decimal

import msgspec
import pytest
from redis import Redis

from apps.feeds.bus import codec
from apps.feeds.market import BookKey, BookState, Instrument, MarketType
from apps.feeds.shards import shard_of
from apps.trading.execution.pretrade import rates
from apps.trading.execution.pretrade.market import REST_S, RedisMarket, exact, mid_of, top_of

KEY = BookKey("binance", MarketType.SPOT, "BTC/USDT")
NOW_NS = 1_795_164_734_000_000_000


def book(**changes) -> dict:
    return {
        "state": "LIVE",
        "fence": 3,
        "checked_ns": NOW_NS - 100_000_000,
        "bids": [[60_000.1, 1.5], [60_000.0, 2.5]],
        "asks": [[60_000.2, 0.1], [60_000.3, 0.2]],
        **changes,
    }


def publish(redis: Redis, key: BookKey = KEY, fence: int = 3, **changes) -> None:
    redis.set(codec.book_name(key), msgspec.json.encode(book(**changes)))
    redis.set(codec.fence_name(shard_of(key)), fence)


@pytest.fixture
def redis(redis_url):
    with Redis.from_url(redis_url) as client:
        yield client


def market(redis_url: str) -> RedisMarket:
    """It waits for Redis as long as it takes."""
    return RedisMarket(Redis.from_url(redis_url), clock=lambda: NOW_NS)


def test_a_top_is_what_the_exchange_has_written():
    top = top_of(book(), NOW_NS)
    assert top is not None
    assert (top.state, top.age_ms, top.owner_is_current) == (BookState.LIVE, 100, True)
    assert (top.bid, top.ask) == (Decimal("60000.1"), Decimal("60000.2"))
    assert (top.bid_depth, top.ask_depth) == (Decimal("4.0"), Decimal("0.3"))


def test_of_a_deep_book_twenty_levels_count():
    levels = [[100.0 + number, 1.0] for number in range(50)]
    top = top_of(book(asks=levels), NOW_NS)
    assert top is not None
    assert top.ask_depth == 20


@pytest.mark.parametrize("changes", [{"bids": []}, {"asks": []}, {"checked_ns": None}])
def test_a_book_without_a_side_or_without_proof_of_life_is_none(changes):
    assert top_of(book(**changes), NOW_NS) is None


@pytest.mark.parametrize(("ahead_ms", "age_ms"), [(100, 0), (250, 0), (251, -251)])
def test_clocks_of_hosts_may_differ_a_little(ahead_ms, age_ms):
    top = top_of(book(checked_ns=NOW_NS + ahead_ms * 1_000_000), NOW_NS)
    assert top is not None
    assert top.age_ms == age_ms


@pytest.mark.parametrize("number", [0.1, 60_000.1, 1e-8, 123_456_789.000_01])
def test_numbers_are_those_that_were_written(number):
    assert float(exact(number)) == number
    assert exact(number) == Decimal(str(number))


@pytest.mark.parametrize("changes", [{"state": "STALE"}, {"bids": [[60_001.0, 1.0]]}])
def test_a_book_that_is_not_live_or_is_crossed_has_no_middle(changes):
    assert mid_of(top_of(book(**changes), NOW_NS)) is None


def test_the_published_book_is_read(redis, redis_url):
    publish(redis)
    top = market(redis_url).top(KEY)
    assert top is not None
    assert top.bid == Decimal("60000.1")
    assert market(redis_url).mid(KEY) == Decimal("60000.15")


def test_the_last_word_of_a_former_owner_is_no_book(redis, redis_url):
    publish(redis, fence=4)
    assert market(redis_url).top(KEY) is None


def test_a_book_that_nobody_publishes_is_none(redis_url):
    assert market(redis_url).top(KEY) is None
    assert market(redis_url).mid(KEY) is None


def test_without_redis_there_are_no_books_and_it_is_not_asked_for_each():
    clock = [100.0]
    away = RedisMarket(Redis.from_url("redis://127.0.0.1:9/0"), monotonic=lambda: clock[0])
    assert away.top(KEY) is None
    away._redis = Asked()
    assert away.top(KEY) is None
    clock[0] += REST_S
    with pytest.raises(AssertionError):
        away.top(KEY)


class Asked:
    def mget(self, names):
        raise AssertionError(names)


# rates


class Middles:
    def __init__(self, **mids: str) -> None:
        self.mids = mids

    def top(self, key: BookKey):
        raise AssertionError(f"rates need the middle alone, not the book of {key}")

    def mid(self, key: BookKey) -> Decimal | None:
        found = self.mids.get(f"{key.exchange}_{key.pair.replace('/', '_')}")
        return None if found is None else Decimal(found)


def instrument(pair: str, exchange: str = "binance") -> Instrument:
    base, quote = pair.split("/")
    return Instrument(
        exchange=exchange,
        market_type=MarketType.SPOT,
        pair=pair,
        symbol=pair,
        base=base,
        quote=quote,
        settle=quote,
        tick=Decimal("0.01"),
        lot=Decimal("0.01"),
    )


def test_currencies_are_worth_what_a_live_book_says_at_home_first():
    books = Middles(okx_EUR_USDT="1.1", binance_EUR_USDT="1.2")
    assert rates.quotes(["EUR", "USDT"], ["binance", "okx"], books) == {"USDT": 1, "EUR": Decimal("1.2")}
    assert rates.quotes(["EUR"], ["bybit", "okx"], books)["EUR"] == Decimal("1.1")


def test_dollars_without_a_book_are_at_par_and_others_are_unknown():
    assert rates.quotes(["USDC", "EUR"], ["binance"], Middles()) == {"USDT": 1, "USDC": 1}
    assert rates.quotes(["USDC"], ["binance"], Middles(binance_USDC_USDT="0.98"))["USDC"] == Decimal("0.98")


def test_what_is_traded_is_worth_the_middle_of_its_book_in_usdt():
    books = Middles(binance_BTC_EUR="50000", binance_BTC_USDC="60000")
    known = {"EUR": Decimal("1.1"), "USDC": Decimal(1)}
    listed = [instrument("BTC/EUR"), instrument("BTC/USDC"), instrument("ETH/EUR"), instrument("BTC/GBP")]
    assert rates.bases(listed, known, books, {}) == {"BTC": 60_000}


def test_a_middle_that_is_known_is_not_asked_for():
    listed = instrument("BTC/USDT")
    assert rates.bases([listed], {"USDT": Decimal(1)}, Middles(), {listed.key: Decimal(7)}) == {"BTC": 7}
