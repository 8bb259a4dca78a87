import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Request
from apps.feeds.errors import Refused, Retryable
from apps.feeds.market import BookKey, BookSnapshot, Instrument, MarketType
from apps.feeds.subscriptions import Subscription
from apps.feeds.tests.waiting import until
from workers import snapshots as module
from workers.snapshots import Snapshots

BODY = b'{"lastUpdateId": 7, "bids": [["100.0", "1"]], "asks": [["101.0", "1"]]}'


def subscription(base: str = "BTC") -> Subscription:
    return Subscription(
        instrument=Instrument(
            exchange="binance",
            market_type=MarketType.SPOT,
            pair=f"{base}/USDT",
            symbol=f"{base}USDT",
            base=base,
            quote="USDT",
            settle="USDT",
            tick=Decimal("0.01"),
            lot=Decimal("0.001"),
        ),
        depth=50,
    )


class Exchange:
    """Stands for the network: answers as told, and holds requests back until `open` is set."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def fetch(self, driver_id: str, request: Request) -> bytes:
        self.requests.append(request.url)
        await self.open.wait()
        answer = self.answers.pop(0) if self.answers else BODY
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def _short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DELAYS_S", (0.0, 0.02, 0.4))
    monkeypatch.setattr(module, "REFUSED_S", 0.01)


@asynccontextmanager
async def fetching(exchange: Exchange) -> AsyncIterator[tuple[Snapshots, list[tuple[BookKey, BookSnapshot]]]]:
    delivered: list[tuple[BookKey, BookSnapshot]] = []
    snapshots = Snapshots(
        http=exchange,  # type: ignore[arg-type]
        drivers={"binance": registry.driver("binance")},
        deliver=lambda key, snapshot: delivered.append((key, snapshot)),
    )
    running = asyncio.create_task(snapshots.run())
    await asyncio.sleep(0)
    yield snapshots, delivered
    running.cancel()
    await asyncio.wait({running})


async def test_a_snapshot_is_fetched_and_delivered():
    async with fetching(Exchange()) as (snapshots, delivered):
        snapshots.want(subscription())
        await until(lambda: delivered)
        assert delivered[0][0] == subscription().key
        assert (delivered[0][1].seq, delivered[0][1].bids) == (7, [(100.0, 1.0)])


async def test_one_request_per_book_is_under_way_however_often_it_is_wanted():
    exchange = Exchange()
    exchange.open.clear()
    async with fetching(exchange) as (snapshots, delivered):
        for _ in range(5):
            snapshots.want(subscription())
        snapshots.want(subscription("ETH"))
        await until(lambda: len(exchange.requests) == 2)
        exchange.open.set()
        await until(lambda: len(delivered) == 2)
        assert len(exchange.requests) == 2


@pytest.mark.parametrize("failure", [Retryable("HTTP 503", after_s=0.01), Refused("HTTP 400"), b"<html>"])
async def test_after_a_failure_it_is_asked_again(failure: bytes | Exception):
    exchange = Exchange(failure, failure)
    async with fetching(exchange) as (snapshots, delivered):
        snapshots.want(subscription())
        await until(lambda: delivered)
        assert len(exchange.requests) == 3


async def test_snapshots_that_do_not_help_are_asked_for_ever_more_calmly_until_the_book_is_settled():
    exchange, loop = Exchange(), asyncio.get_running_loop()
    async with fetching(exchange) as (snapshots, delivered):
        waits = []
        for number in range(4):
            started = loop.time()
            snapshots.want(subscription())
            await until(lambda number=number: len(delivered) == number + 1)
            waits.append(loop.time() - started)
        assert waits[1] >= 0.02
        assert min(waits[2:]) >= 0.4
        snapshots.settled(subscription().key)
        snapshots.want(subscription())
        await until(lambda: len(delivered) == 5, 0.4)


async def test_a_book_that_is_let_go_gets_no_snapshot():
    exchange = Exchange()
    exchange.open.clear()
    async with fetching(exchange) as (snapshots, delivered):
        snapshots.want(subscription())
        await until(lambda: exchange.requests)
        snapshots.forget(subscription().key)
        exchange.open.set()
        snapshots.want(subscription("ETH"))
        await until(lambda: delivered)
        assert [key.pair for key, _ in delivered] == ["ETH/USDT"]


async def test_a_fault_of_ours_with_one_book_is_counted_and_does_not_stop_the_others():
    exchange = Exchange(ZeroDivisionError("a fault of ours"))
    async with fetching(exchange) as (snapshots, delivered):
        snapshots.want(subscription())
        await until(lambda: exchange.requests)
        snapshots.want(subscription("ETH"))
        await until(lambda: delivered)
        assert snapshots.failures == 1
