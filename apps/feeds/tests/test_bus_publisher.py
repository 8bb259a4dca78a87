import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop
from redis import Redis

from apps.feeds.bus import codec
from apps.feeds.bus.publisher import Publisher
from apps.feeds.bus.redis import Subscriber, read_book
from apps.feeds.market import BookState, PublicTrade, Side
from apps.feeds.shards import shard_of
from apps.feeds.tests.published import BTC, ETH, HandMade
from apps.feeds.tests.redis_process import RedisProcess
from apps.feeds.tests.waiting import end, until

SHARD = shard_of(BTC)


@pytest.fixture
def server() -> Iterator[RedisProcess]:
    process = RedisProcess()
    process.start()
    yield process
    process.close()


@asynccontextmanager
async def publishing(url: str, **options: Any) -> AsyncIterator[Publisher]:
    publisher = Publisher(url, hz=options.pop("hz", 10), **options)
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        await end(task)
        await publisher.aclose()


@asynccontextmanager
async def listening(url: str, *channels: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Messages of the channels as they arrive."""
    heard: list[dict[str, Any]] = []
    subscriber = Subscriber(url, channels=channels)

    async def listen() -> None:
        async for _, payload in subscriber:
            heard.append(codec.decode(payload))

    task = asyncio.create_task(listen())
    await until(lambda: subscriber.connected)
    try:
        yield heard
    finally:
        await end(task)
        await subscriber.aclose()


def stored(url: str, key: Any = BTC, depth: int = 20) -> dict[str, Any] | None:
    with Redis.from_url(url) as client:
        return read_book(client, key, depth)


def trade(n: int) -> PublicTrade:
    return PublicTrade(symbol="S", trade_id=str(n), side=Side.BUY, price=1.0, amount=1.0, exchange_ms=n, received_ns=n)


async def test_a_book_of_an_owned_shard_is_in_its_key_and_on_its_channel(redis_url: str):
    latencies: list[int] = []
    async with (
        publishing(redis_url, on_latency=latencies.append) as publisher,
        listening(redis_url, codec.book_name(BTC)) as heard,
    ):
        publisher.own(SHARD, 3)
        publisher.add(HandMade(received_ns=time.time_ns()))
        await until(lambda: heard)
        assert (heard[0]["fence"], heard[0]["bids"][0]) == (3, [100.0, 1.0])
        book = stored(redis_url, depth=5)
        assert book is not None
        assert len(book["bids"]) == 5
        with Redis.from_url(redis_url) as client:
            assert 0 < client.ttl(codec.book_name(BTC)) <= codec.BOOK_TTL_S
    assert 0 < latencies[0] < 30e9


async def test_nothing_is_published_of_a_shard_that_is_not_owned(redis_url: str):
    async with publishing(redis_url) as publisher:
        publisher.own(shard_of(ETH), 1)
        publisher.add(HandMade())
        publisher.add(HandMade(key=ETH))
        await until(lambda: stored(redis_url, ETH))
        assert stored(redis_url, BTC) is None


async def test_a_lower_fence_is_refused_and_writes_nothing(redis_url: str):
    lost: list[tuple[str, int]] = []
    async with publishing(redis_url) as new, publishing(redis_url, on_fenced=lambda *a: lost.append(a)) as zombie:
        new.own(SHARD, 8)
        new.add(HandMade())
        await until(lambda: stored(redis_url))
        stale = HandMade()
        stale.move(5.0)
        zombie.own(SHARD, 7)
        zombie.add(stale)
        await until(lambda: lost)
        assert lost == [(SHARD, 8)]
        stale.move(4.0)
        zombie.changed(BTC, best=True)
        zombie.remove(BTC, "not watched")
        await zombie.flush()
        book = stored(redis_url)
        assert book is not None
        assert (book["fence"], book["bids"][0][0]) == (8, 100.0)
        assert zombie.fenced == 1


async def test_the_last_word_of_a_former_owner_is_not_served(redis_url: str):
    async with publishing(redis_url) as publisher:
        publisher.own(SHARD, 3)
        publisher.add(HandMade())
        await until(lambda: stored(redis_url))
    with Redis.from_url(redis_url) as client:
        client.set(codec.fence_name(SHARD), 4)
    assert stored(redis_url) is None


async def test_an_invalidation_comes_before_the_book_is_live_again_and_before_other_books(redis_url: str):
    btc, eth = HandMade(), HandMade(key=ETH)
    publisher = Publisher(redis_url, hz=10)
    for shard in {SHARD, shard_of(ETH)}:
        publisher.own(shard, 1)
    publisher.add(eth)
    publisher.add(btc)
    await publisher.flush()
    async with listening(redis_url, codec.book_name(BTC), codec.book_name(ETH)) as heard:
        eth.become(BookState.STALE)
        publisher.changed(ETH, best=True)
        btc.become(BookState.SYNCING, "gap: had 10, got 12")
        publisher.invalidated(BTC)
        btc.become(BookState.LIVE)
        publisher.changed(BTC, best=True)
        await asyncio.sleep(0.025)  # the conflation rate of the best prices
        await publisher.flush()
        await until(lambda: len(heard) == 3)
        assert [(book["pair"], book["state"]) for book in heard[:1]] == [("BTC/USDT", "SYNCING")]
        states = [book["state"] for book in heard if book["pair"] == "BTC/USDT"]
        assert states == ["SYNCING", "LIVE"]
    await publisher.aclose()


async def test_a_fast_book_is_conflated_to_the_rate_and_ends_on_its_last_state(redis_url: str):
    book = HandMade()
    async with publishing(redis_url, hz=20) as publisher, listening(redis_url, codec.book_name(BTC)) as heard:
        publisher.own(SHARD, 1)
        publisher.add(book)
        started = time.monotonic()
        for _ in range(300):
            book.version += 1
            publisher.changed(BTC, best=False)
            await asyncio.sleep(0.001)
        took = time.monotonic() - started
        await until(lambda: heard and heard[-1]["version"] == book.version)
        assert len(heard) <= took * 20 + 3


async def test_a_book_that_is_let_go_says_so_under_a_version_above_all_before(redis_url: str):
    book = HandMade()
    async with publishing(redis_url) as publisher, listening(redis_url, codec.book_name(BTC)) as heard:
        publisher.own(SHARD, 1)
        publisher.add(book)
        await until(lambda: heard)
        publisher.remove(BTC, "not watched any more")
        await until(lambda: heard[-1]["state"] == "DOWN")
        assert heard[-1]["reason"] == "not watched any more"
        publisher.add(HandMade(version=0))
        await until(lambda: heard[-1]["state"] == "LIVE")
        versions = [message["version"] for message in heard]
        assert versions == sorted(set(versions))


async def test_nothing_is_written_while_the_leases_are_in_doubt(redis_url: str):
    trusted = False
    async with publishing(redis_url, may_publish=lambda: trusted) as publisher:
        publisher.own(SHARD, 1)
        publisher.add(HandMade())
        await asyncio.sleep(0.1)
        assert stored(redis_url) is None
        trusted = True
        await until(lambda: stored(redis_url))


async def test_trades_reach_the_channel_in_order_and_the_key_keeps_the_last(redis_url: str):
    async with publishing(redis_url) as publisher, listening(redis_url, codec.trades_name(BTC)) as heard:
        publisher.own(SHARD, 1)
        publisher.add(HandMade())
        publisher.traded(BTC, [trade(n) for n in range(40)])
        await until(lambda: heard)
        publisher.traded(BTC, [trade(n) for n in range(40, 60)])
        await until(lambda: heard[-1]["trades"][-1]["id"] == "59")
        assert [t["id"] for m in heard for t in m["trades"]] == [str(n) for n in range(60)]
        with Redis.from_url(redis_url) as client:

            def tape() -> list[str]:
                return [t["id"] for t in codec.decode(client.get(codec.trades_name(BTC)))["trades"]]

            await until(lambda: tape() == [str(n) for n in range(10, 60)])


async def test_a_full_book_is_read_at_depth_zero_and_its_top_otherwise(redis_url: str):
    async with publishing(redis_url) as publisher:
        publisher.own(SHARD, 1)
        publisher.add(HandMade(depth=0))
        await until(lambda: stored(redis_url, depth=0))
        full, top = stored(redis_url, depth=0), stored(redis_url, depth=50)
        assert full is not None
        assert top is not None
        assert (len(full["bids"]), len(top["bids"])) == (60, 50)


@pytest.mark.faults
async def test_a_redis_that_comes_back_empty_has_all_books_again_within_five_seconds(server: RedisProcess):
    async with (
        publishing(server.url) as publisher,
        listening(server.url, codec.book_name(ETH)) as heard,
    ):
        for shard in {SHARD, shard_of(ETH)}:
            publisher.own(shard, 4)
        publisher.add(HandMade())
        publisher.add(HandMade(key=ETH))
        await until(lambda: stored(server.url, BTC) and stored(server.url, ETH))
        server.kill()
        publisher.changed(BTC, best=True)
        await until(lambda: publisher.away_since_ns)
        server.start()
        await until(lambda: stored(server.url, BTC) and stored(server.url, ETH), 5)
        count = len(heard)
        await until(lambda: len(heard) > count)  # listeners are back as well


@pytest.mark.faults
async def test_a_redis_that_hangs_is_given_up_and_gets_the_latest_state_when_it_is_back(
    server: RedisProcess,
):
    book = HandMade()
    async with publishing(server.url) as publisher:
        publisher.own(SHARD, 1)
        publisher.add(book)
        await until(lambda: stored(server.url))
        server.pause()
        book.move(200.0)
        publisher.changed(BTC, best=True)
        await until(lambda: publisher.away_since_ns)
        book.move(300.0)
        publisher.changed(BTC, best=True)
        server.resume()
        await until(lambda: (stored(server.url) or {}).get("version") == book.version)
        assert publisher.away_since_ns is None


async def test_a_slow_redis_conflates_and_is_not_given_up(server: RedisProcess):
    book = HandMade()
    async with publishing(server.url) as publisher, listening(server.url, f"book:{BTC}") as heard:
        publisher.own(SHARD, 1)
        publisher.add(book)
        await until(lambda: stored(server.url))
        heard.clear()
        server.pause()
        for price in range(200, 230):
            book.move(float(price))
            publisher.changed(BTC, best=True)
            await asyncio.sleep(0.01)
        server.resume()
        await until(lambda: heard and heard[-1]["version"] == book.version)
        assert publisher.away_since_ns is None
        assert len(heard) <= 3  # what was under way, what came meanwhile, and the beat of a book that stands still


def test_books_that_change_in_the_moment_that_the_timer_rings_are_published_under_uvloop(redis_url, monkeypatch):
    monkeypatch.setattr("apps.feeds.bus.publisher.TICK_S", 0.0)

    async def publish() -> None:
        async with publishing(redis_url) as publisher:
            publisher.own(SHARD, 1)
            publisher.add(HandMade(BTC))
            for _ in range(100):
                publisher.changed(BTC, best=True)
            await until(lambda: read_book(redis, BTC, 20) is not None)
            assert not publisher._waiting

    with Redis.from_url(redis_url) as redis, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(publish())
