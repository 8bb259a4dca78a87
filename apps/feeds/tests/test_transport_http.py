"""REST: one limit and one fate per exchange."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from aiohttp import web
from msgspec.structs import replace

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Rate, Request
from apps.feeds.errors import Refused, Retryable, UnknownExchange
from apps.feeds.market import MarketType
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.standing_clock import StandingClock
from apps.feeds.tests.toy import LIMITS, ToyDriver, Watched
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.http import AT_ONCE, Http

BOOK = Request(method="GET", url="https://rest.toy.test/book?symbol=A%26B")
BOOK_PATH = "/rest.toy.test/book?symbol=A%26B"
OTHER = Request(method="GET", url="https://rest.other.test/book")


class RestServer(Watched):
    """Answers each path as `answer` says, others with "fine"; `gate` holds answers back while it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[str] = []
        self.most_at_once = self._at_once = 0
        self.answer: dict[str, web.Response] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.raw_path)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        self.note()
        await self.gate.wait()
        self._at_once -= 1
        made = self.answer.get(request.raw_path, web.Response(text="fine"))
        return web.Response(status=made.status, body=made.body, headers=made.headers)


@contextlib.asynccontextmanager
async def rest_server() -> AsyncIterator[RestServer]:
    server = RestServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = "http://{}:{}".format(*runner.addresses[0])
    try:
        yield server
    finally:
        server.gate.set()
        await runner.cleanup()


def http(server: RestServer, driver: ToyDriver | None = None, **options: float) -> Http:
    drivers = {"toy": driver or ToyDriver(), "other": ToyDriver(exchange_id="other", rest="https://rest.other.test")}
    return Http(drivers=drivers, addresses=Addresses(server.url), **options)


async def test_a_request_goes_out_as_the_driver_wrote_it():
    async with rest_server() as server, http(server) as client:
        assert await client.fetch("toy", BOOK) == b"fine"
        assert server.requests == [BOOK_PATH]


@pytest.mark.parametrize("status", [429, 418])
async def test_while_an_exchange_keeps_us_away_nothing_is_sent_to_it_and_others_are_not_touched(status):
    async with rest_server() as server, http(server) as client:
        server.answer[BOOK_PATH] = web.Response(status=status, headers={"Retry-After": "60"})
        with pytest.raises(Retryable) as ban:
            await client.fetch("toy", BOOK)
        assert ban.value.after_s == 60.0
        server.requests.clear()
        for _ in range(20):
            with pytest.raises(Retryable) as again:
                await client.fetch("toy", BOOK)
            assert 30.0 < again.value.after_s <= 60.0
        assert await client.fetch("other", OTHER) == b"fine"
        assert server.requests == ["/rest.other.test/book"]


async def test_those_who_were_waiting_when_the_ban_came_are_not_sent_either():
    async with rest_server() as server, http(server) as client:
        server.answer[BOOK_PATH] = web.Response(status=418, headers={"Retry-After": "60"})
        server.gate.clear()
        calls = [asyncio.create_task(client.fetch("toy", BOOK)) for _ in range(20)]
        await server.until(lambda: len(server.requests) == AT_ONCE)
        server.gate.set()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(result, Retryable) for result in results)
        assert len(server.requests) == AT_ONCE


async def test_after_the_ban_the_exchange_is_asked_again():
    async with rest_server() as server, http(server) as client:
        server.answer[BOOK_PATH] = web.Response(status=429, headers={"Retry-After": "0.05"})
        with pytest.raises(Retryable) as ban:
            await client.fetch("toy", BOOK)
        server.answer.clear()
        await asyncio.sleep(ban.value.after_s)
        assert await client.fetch("toy", BOOK) == b"fine"


async def test_at_most_four_requests_of_an_exchange_are_on_their_way_at_once():
    async with rest_server() as server, http(server) as client:
        server.gate.clear()
        calls = [asyncio.create_task(client.fetch("toy", BOOK)) for _ in range(20)]
        await server.until(lambda: len(server.requests) >= AT_ONCE)
        server.gate.set()
        assert await asyncio.gather(*calls) == [b"fine"] * 20
        assert server.most_at_once == AT_ONCE


async def test_requests_keep_the_weight_that_the_exchange_allows(monkeypatch):
    driver = ToyDriver(rules=replace(LIMITS, rest_weight=Rate(10, 1.0)))
    async with rest_server() as server, http(server, driver) as client:
        monkeypatch.setattr(time, "monotonic", clock := StandingClock())
        calls = [asyncio.create_task(client.fetch("toy", replace(BOOK, weight=5))) for _ in range(6)]
        for sent in (2, 4, 6):
            await server.until(lambda sent=sent: server.requests.count(BOOK_PATH) == sent)
            clock.skip(0.9)
            for _ in range(3):  # answers come behind what was sent before them
                await client.fetch("other", OTHER)
            assert server.requests.count(BOOK_PATH) == sent
            clock.skip(0.3)
        assert await asyncio.gather(*calls) == [b"fine"] * 6


class TwoHosts(ToyDriver):
    """Lists are on one host, books on another."""

    def snapshot_request(self, market_type: MarketType, symbol: str, depth: int) -> Request:
        return replace(BOOK, url="https://books.toy.test/book")


async def test_every_host_that_a_driver_asks_keeps_its_weight():
    async with rest_server() as server, http(server, TwoHosts()) as client:
        assert await client.fetch("toy", BOOK) == b"fine"
        assert await client.fetch("toy", TwoHosts().snapshot_request(MarketType.SPOT, "A", 20)) == b"fine"


async def test_a_server_error_may_be_tried_again_and_bans_nobody():
    async with rest_server() as server, http(server) as client:
        server.answer[BOOK_PATH] = web.Response(status=503)
        for _ in range(2):
            with pytest.raises(Retryable, match=r"rest\.toy\.test: HTTP 503"):
                await client.fetch("toy", BOOK)
        assert len(server.requests) == 2


async def test_a_refusal_brings_the_exchange_s_own_words():
    async with rest_server() as server, http(server) as client:
        server.answer[BOOK_PATH] = web.Response(status=400, text='{"code":-1121,"msg":"Invalid symbol."}')
        with pytest.raises(Refused, match=r"Invalid symbol\.") as refusal:
            await client.fetch("toy", BOOK)
        assert refusal.value.code == "400"


async def test_redirects_are_not_followed():
    async with rest_server() as server, http(server) as client:
        server.answer[BOOK_PATH] = web.Response(status=302, headers={"Location": "/elsewhere"})
        with pytest.raises(Refused):
            await client.fetch("toy", BOOK)
        assert len(server.requests) == 1


async def test_an_answer_that_takes_too_long_may_be_tried_again():
    async with rest_server() as server, http(server, timeout_s=0.1) as client:
        server.gate.clear()
        with pytest.raises(Retryable):
            await client.fetch("toy", BOOK)


async def test_an_exchange_that_cannot_be_reached_may_be_tried_again():
    async with rest_server() as server:
        client = http(server)
    async with client:
        with pytest.raises(Retryable):
            await client.fetch("toy", BOOK)


async def test_an_exchange_without_a_driver_is_unknown():
    async with rest_server() as server, http(server) as client:
        with pytest.raises(UnknownExchange):
            await client.fetch("nowhere", BOOK)


async def test_a_market_list_is_read_to_its_last_page_and_gets_its_volumes():
    async with rest_server() as server, http(server) as client:
        server.answer = {
            "/rest.toy.test/instruments?page=1": web.Response(text='{"symbols":["A","B"],"next":"2"}'),
            "/rest.toy.test/instruments?page=2": web.Response(text='{"symbols":["C"]}'),
            "/rest.toy.test/volumes": web.Response(text='{"A": 12.5}'),
        }
        listed = await client.fetch_instruments(ToyDriver(), MarketType.SPOT)
        assert [(each.symbol, each.volume_24h) for each in listed] == [("A", Decimal("12.5")), ("B", None), ("C", None)]


@pytest.mark.parametrize("market", list(MarketType))
@pytest.mark.parametrize("exchange", registry.exchange_ids())
async def test_lists_and_books_of_the_real_drivers_come_from_the_simulator(exchange, market):
    simulator = Simulator(seed=3)
    await simulator.start()
    driver = registry.driver(exchange)
    try:
        async with Http(drivers={exchange: driver}, addresses=Addresses(simulator.url)) as client:
            listed = {each.pair: each for each in await client.fetch_instruments(driver, market)}
            assert len(listed) >= 60
            bitcoin = listed.get("BTC/USDT") or listed["BTC/USDC"]
            assert bitcoin.volume_24h > 0
            body = await client.fetch(exchange, driver.snapshot_request(market, bitcoin.symbol, 20))
            book = driver.parse_snapshot(market, bitcoin.symbol, body, 1)
            assert book.bids[0][0] < book.asks[0][0]
    finally:
        await simulator.stop()
