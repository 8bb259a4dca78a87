"""A daemon against a simulator that does wrong."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from msgspec.structs import replace
from redis.asyncio import Redis

from apps.feeds import leases, selectors
from apps.feeds.bus import codec
from apps.feeds.bus.redis import read_daemons_async
from apps.feeds.market import BookKey
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.waiting import until
from workers import fetcher
from workers.options import Options
from workers.tests.daemon import all_live, fault, listening, options, running, sent, state, switch, trade, watch

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

BTC, ETH, SOL = (f"binance:spot:{base}/USDT" for base in ("BTC", "ETH", "SOL"))
BYBIT, OKX = "bybit:spot:BTC/USDT", "okx:spot:BTC/USDT"


@pytest.fixture
def chosen(simulator: Simulator, redis_url: str, tmp_path: Path, settings: Any) -> Options:
    settings.REDIS_URL = redis_url  # services nudge there
    return options(redis_url=redis_url, simulator_url=simulator.url, data_dir=tmp_path)


def states(heard: list[dict[str, Any]], key: str) -> list[str]:
    """Each state once, as it followed the one before."""
    pair = BookKey.parse(key)
    mine = [book["state"] for book in heard if (book["exchange"], book["pair"]) == (pair.exchange, pair.pair)]
    return [name for at, name in enumerate(mine) if at == 0 or mine[at - 1] != name]


def subscribed(simulator: Simulator) -> set[str]:
    """Symbols of all book channels that anybody listens to."""
    return {stream.market.listing.symbol for stream in simulator.world.engine.streams() if stream.kind == "book"}


def reasons(heard: list[dict[str, Any]]) -> set[str]:
    return {book["reason"] for book in heard if book["reason"]}


@pytest.mark.parametrize("key", [ETH, BYBIT, OKX])
async def test_a_gap_is_published_before_the_book_is_live_again_and_touches_no_other_pair(
    simulator: Simulator, chosen: Options, key: str
):
    others = [SOL, "bybit:spot:SOL/USDT", "okx:spot:SOL/USDT"]
    await watch(key, *others, depth=50)
    async with running(chosen) as monitor:
        await all_live(monitor, key, *others)
        async with listening(chosen.redis_url, "book:*") as heard:
            await fault(simulator, "gap", key)
            await until(lambda: "gap" in " ".join(reasons(heard)))
            await all_live(monitor, key)
            await until(lambda: states(heard, key)[-1] == "LIVE")
        assert states(heard, key)[-2:] == ["SYNCING", "LIVE"]
        for other in others:
            assert set(states(heard, other)) <= {"LIVE"}
        broken = [book for book in heard if book["state"] != "LIVE"]
        assert all(book["bids"] == [] == book["asks"] for book in broken)
        versions = [book["version"] for book in heard if (book["exchange"], book["pair"]) == tuple(key.split(":")[::2])]
        assert versions == sorted(versions)
        assert monitor.outages.last_hour(BookKey.parse(key), time.monotonic()) == 1


async def test_a_pair_that_falls_silent_is_stale_within_its_limit_and_comes_back(simulator: Simulator, chosen: Options):
    await watch(BTC, ETH)
    async with running(chosen) as monitor:
        await all_live(monitor, BTC, ETH)
        async with listening(chosen.redis_url, "book:*") as heard:
            await fault(simulator, "mute", BTC)
            await until(lambda: "STALE" in states(heard, BTC), 6)
            assert state(monitor, ETH) == "LIVE"
            await fault(simulator, "unmute", BTC)
            await until(lambda: states(heard, BTC)[-2:] == ["STALE", "LIVE"])
        assert set(states(heard, ETH)) == {"LIVE"}


async def test_a_lost_socket_takes_its_books_down_at_once_and_they_come_back(simulator: Simulator, chosen: Options):
    await watch(BYBIT, OKX)
    async with running(chosen) as monitor:
        await all_live(monitor, BYBIT, OKX)
        async with listening(chosen.redis_url, "book:*") as heard:
            await fault(simulator, "disconnect", BYBIT)
            await until(lambda: "DOWN" in states(heard, BYBIT), 1)
            await all_live(monitor, BYBIT)
            await until(lambda: states(heard, BYBIT)[-1] == "LIVE")
        assert [name for name in states(heard, BYBIT) if name != "SYNCING"][-2:] == ["DOWN", "LIVE"]
        assert set(states(heard, OKX)) <= {"LIVE"}
        assert monitor.feed.back_to_live.count(time.monotonic()) == 1


async def test_a_row_reaches_the_socket_within_two_seconds_and_costs_the_others_nothing(
    simulator: Simulator, chosen: Options
):
    await watch(BTC, ETH, depth=50)
    async with running(chosen) as monitor:
        await all_live(monitor, BTC, ETH)
        asked = monitor.feed.find(BookKey.parse(BTC)).book.asked_ns
        await watch(SOL, depth=50)
        await until(lambda: "SOLUSDT" in subscribed(simulator), 2)
        await all_live(monitor, SOL, seconds=2)
        await switch(ETH, on=False)
        await until(lambda: "ETHUSDT" not in subscribed(simulator), 2)
        kept = monitor.feed.find(BookKey.parse(BTC))
        (stream,) = await sent(simulator, BTC)
        assert kept.book.asked_ns == asked
        assert kept.book.counts.gaps == 0
        assert stream["sent"] - kept.messages < 20  # trades are counted in messages as well


async def test_a_nudge_is_heard_at_once(simulator: Simulator, chosen: Options, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetcher, "EVERY_S", 60.0)
    await watch(BTC)
    async with running(chosen) as monitor:
        redis = Redis.from_url(chosen.redis_url)
        async with redis:
            await _nudge_until_live(redis, monitor, BTC)
            await watch(ETH)
            await redis.publish(codec.NUDGE_CHANNEL, "rows")
            await until(lambda: state(monitor, ETH) is not None, 1)


async def _nudge_until_live(redis: Redis, monitor: Any, key: str) -> None:
    """The catalogue is filled after the first look at the rows, and this daemon looks once a minute."""
    async with asyncio.timeout(45):
        while state(monitor, key) != "LIVE":
            await redis.publish(codec.NUDGE_CHANNEL, "rows")
            await asyncio.sleep(0.1)


async def test_rows_that_cannot_run_say_why_and_stop_nothing_else(chosen: Options):
    await watch(BTC, "mtgox:spot:BTC/USDT", "okx:spot:NOPE/USDT")
    async with running(chosen) as monitor:
        await all_live(monitor, BTC)
        reasons = {row.pair: row.reason for row in monitor.status.read().refused if row.exchange == "okx"}
        assert reasons == {"NOPE/USDT": "'NOPE/USDT' is not in the catalogue of okx spot"}
        assert len(monitor.status.read().refused) == 2


async def test_a_pair_that_is_traded_gets_its_book_as_a_watched_one_does(chosen: Options):
    await watch(BTC)
    await trade(BTC, ETH, "okx:spot:NOPE/USDT")
    async with running(chosen) as monitor:
        await all_live(monitor, BTC, ETH)
        assert [(row.source, row.pair) for row in monitor.status.read().refused] == [("trade", "NOPE/USDT")]


async def test_a_malformed_frame_is_counted_and_kept_and_the_books_go_on(simulator: Simulator, chosen: Options):
    await watch(OKX)
    async with running(chosen) as monitor:
        await all_live(monitor, OKX)
        await fault(simulator, "malformed", OKX, count=3)
        await until(lambda: monitor.markets.malformed.counts.total() == 3)
        file = chosen.data_dir / "malformed/okx.jsonl"
        await until(lambda: file.exists() and len(file.read_bytes().splitlines()) == 3)
        assert [link.reconnects for link in monitor.pool.links()] == [0]
        await all_live(monitor, OKX)


async def test_an_operator_resyncs_one_book(chosen: Options):
    await watch(BTC, ETH, depth=50)
    async with running(chosen) as monitor:
        await all_live(monitor, BTC, ETH)
        async with listening(chosen.redis_url, "book:*") as heard, Redis.from_url(chosen.redis_url) as redis:
            command = codec.encode_command(codec.DaemonCommand(op="resync", key=ETH))
            await redis.publish(codec.command_name("d1"), command)
            await until(lambda: states(heard, ETH)[-2:] == ["SYNCING", "LIVE"])
        assert "resync asked for by an operator" in reasons(heard)
        assert set(states(heard, BTC)) <= {"LIVE"}


async def test_a_depth_that_changes_moves_only_its_own_pair(chosen: Options):
    await watch(BTC, ETH, depth=20)
    async with running(chosen) as monitor:
        await all_live(monitor, BTC, ETH)
        before = monitor.feed.find(BookKey.parse(ETH)).book
        await watch(BTC, depth=50)
        await until(lambda: monitor.feed.find(BookKey.parse(BTC)).book.depth == 50)
        await all_live(monitor, BTC)
        assert monitor.feed.find(BookKey.parse(ETH)).book is before


async def test_the_status_says_of_every_book_and_socket_how_it_is(chosen: Options):
    await watch(BTC, OKX)
    async with running(chosen) as monitor, Redis.from_url(chosen.redis_url) as redis:
        await all_live(monitor, BTC, OKX)
        status: dict[str, Any] = {}
        async with asyncio.timeout(60):
            while not (
                status
                and status["pairs"] == 2  # and not from before the second was taken
                and status["state"] == "ALIVE"  # nor LAGGING, as the machine may let it
                and status["history"]["rows_s"]
                and all(book["state"] == "LIVE" and book["msg_s"] for book in status["books"])
            ):
                await asyncio.sleep(0.1)
                for status in await read_daemons_async(redis):
                    assert status["daemon"] == "d1"
        assert (status["daemon"], status["pairs"], status["sockets"]) == ("d1", 2, 2)
        books = {book["key"]: book for book in status["books"]}
        assert books[BTC]["state"] == "LIVE"
        assert books[BTC]["step"] == "SYNCED"
        assert books[BTC]["asked_ms"] <= books[BTC]["subscribed_ms"] <= books[BTC]["synced_ms"]
        assert 0 <= books[BTC]["age_ms"] < books[BTC]["limit_ms"]
        assert status["publish_ms"]["p99"] > 0
        assert {link["exchange"] for link in status["connections"]} == {"binance", "okx"}


async def test_an_orderly_stop_says_goodbye_for_every_book(chosen: Options):
    await watch(BTC, OKX)
    async with listening(chosen.redis_url, "book:*") as heard:
        async with running(chosen) as monitor:
            await all_live(monitor, BTC, OKX)
        await until(lambda: [states(heard, key)[-1] for key in (BTC, OKX)] == ["DOWN", "DOWN"])
        assert "daemon d1 stops" in reasons(heard)
    assert list((chosen.data_dir / "spool").rglob("*.part")) == []  # everything is sealed


async def test_a_snapshot_that_fails_is_asked_for_again(simulator: Simulator, chosen: Options):
    await watch(ETH, BYBIT, depth=50)
    async with running(chosen) as monitor:
        await all_live(monitor, ETH, BYBIT)
        await fault(simulator, "rest_error", ETH, symbol=None)
        await fault(simulator, "gap", ETH)
        await until(lambda: state(monitor, ETH) == "SYNCING")
        await fault(simulator, "rest_ok", ETH, symbol=None)
        await all_live(monitor, ETH)
        assert monitor.feed.find(BookKey.parse(BYBIT)).book.counts.resyncs == 0


async def test_a_pair_that_does_not_fit_waits_with_the_reason_and_starts_when_there_is_room(chosen: Options):
    await watch(BYBIT, OKX)
    async with running(replace(chosen, max_connections=1)) as monitor:
        await until(lambda: {state(monitor, BYBIT), state(monitor, OKX)} == {"LIVE", "DOWN"})
        runs, waits = (BYBIT, OKX) if state(monitor, BYBIT) == "LIVE" else (OKX, BYBIT)
        assert "no room" in monitor.feed.find(BookKey.parse(waits)).book.reason
        await switch(runs, on=False)
        await all_live(monitor, waits)


async def test_a_database_that_goes_away_costs_no_book(chosen: Options, monkeypatch: pytest.MonkeyPatch):
    await watch(BTC)
    async with running(chosen) as monitor:
        await all_live(monitor, BTC)
        before = monitor.feed.find(BookKey.parse(BTC)).book

        def gone() -> None:
            raise OperationalError("server has gone away")

        with monkeypatch.context() as patch:
            patch.setattr(selectors, "exchanges", gone)
            patch.setattr(leases, "rooms", lambda **of: gone())
            await until(lambda: monitor.ownership.database_away)
            await until(lambda: before.version > 0 and monitor.ownership.trusted())
            version = before.version
            await until(lambda: before.version > version + 5)
        await until(lambda: not monitor.ownership.database_away)
        assert monitor.feed.find(BookKey.parse(BTC)).book is before
        assert before.state == "LIVE"


async def test_a_daemon_told_to_drain_gives_its_pairs_away_and_says_so(chosen: Options):
    await watch(BTC)
    async with running(chosen) as monitor, Redis.from_url(chosen.redis_url) as redis:
        await all_live(monitor, BTC)
        for nonsense in (b"[]", b'{"op": "dance"}', b'{"op": "resync", "key": "BTC"}', b'{"op": "drain"}'):
            await redis.publish(codec.command_name("d1"), nonsense)
        await until(lambda: state(monitor, BTC) is None)
        assert monitor.status.read().state == "DRAINING"
        assert monitor.ownership.fences == {}
