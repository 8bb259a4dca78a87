"""The trading side of a daemon in small, on the simulator's accounts: one stand for each exchange and market.

The markets stand still but for what accounts do. Each test opens an account of its own.
"""

import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from apps.feeds.client_ids import ClientIds
from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Driver, Rate
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import IdForm
from apps.feeds.market import Instrument, InstrumentStatus, MarketType
from apps.feeds.orders import Credentials
from apps.feeds.simulator.server import Simulator
from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.tests import trading_declared
from apps.feeds.tests.stand import patience
from apps.feeds.tests.trading_feed import PATIENCE_S
from apps.feeds.tests.trading_hand import Hand
from apps.feeds.tests.trading_place import Place
from apps.feeds.tests.waiting import until
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.gate import Door, Gate, Gates
from apps.feeds.transport.http import Http
from apps.feeds.transport.orders import OrderClient

# All that must pass; none may fall out of this list in silence.
EXCHANGES = ("binance", "bybit", "okx", "kucoin", "coinex", "htx", "mexc", "hyperliquid")
EVERY = [(exchange, market) for exchange in EXCHANGES for market in (MarketType.SPOT, MarketType.FUTURES)]
COINS, QUOTES = ("BTC", "ETH"), ("USDT", "USDC")
RICH = Decimal(1_000_000)
WORDS = ("key", "secret", "passphrase")
TIMEOUT_S = 20.0  # of a request: CI may be slow


def combinations(behaviour: str) -> list[tuple[str, MarketType]]:
    """The markets on which a behaviour is to be shown."""
    return [each for each in EVERY if trading_declared.reason(*each, behaviour) is None]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Imported by the modules of the suite."""
    if "on" in metafunc.fixturenames:
        chosen = [pytest.param(each, id="-".join(each)) for each in combinations(metafunc.function.__name__)]
        metafunc.parametrize("on", chosen, indirect=True, scope="module")


class WideGates(Gates):
    """No budget holds anybody up here: limits have tests of their own, and these tests share one address."""

    def at(self, name: str, rate: Rate, door: Door) -> Gate:
        return super().at(name, Rate(rate.count * 10_000, rate.per_s), door)


@dataclass
class Stand(Place):
    session: aiohttp.ClientSession
    driver: Driver
    trader: Trader
    addresses: Addresses
    ids: ClientIds = field(default_factory=lambda: ClientIds("0", b"a key of ids"))
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def new_id(self) -> str:
        return self.ids.make(self.form, account_id=1, intent_id=next(self.numbers), attempt=0)

    @property
    def form(self) -> IdForm:
        return self.trader.id_form(self.market)

    # accounts

    @contextlib.asynccontextmanager
    async def account(self, *, made: bool = False, **more: Any) -> AsyncIterator[Hand]:
        """A new account with money, a key and a client of its own; its orders are gone afterwards.

        And nothing secret was shown. `made`: the exchange makes the key. `more` goes to `POST /_sim/accounts`.
        """
        number = next(self.numbers)
        name = f"{self.market}{number}"
        balances = {"balances": self.money(RICH)} | more
        if made:
            told = await self.post("accounts", name=name, **balances)
            keys = Credentials(**{word: told[word] for word in WORDS})
        else:
            keys = credentials(self.exchange, name)
            await self.post("accounts", name=name, **{word: getattr(keys, word) for word in WORDS}, **balances)
        try:
            async with self.client() as client:
                hand = Hand(self, name, keys, client)
                with hand.discreet():
                    await self.enter(hand)
                    yield hand
        finally:
            self.desk.cancel_all(self.desk.accounts[name], self.market)
            await self.post("account_fault", op="clock_drift", count=0)

    async def enter(self, hand: Hand) -> None:
        """Learn what later requests must name, as for a new key."""
        requests = self.trader.account_requests(hand.keys, hand.now_ms())
        answers = [await hand.read(request, lambda answer: answer) for request in requests]
        if answers:
            hand.keys = replace(hand.keys, account=self.trader.parse_account(answers))

    def money(self, amount: Decimal) -> dict[str, dict[str, str]]:
        """So much of each asset that orders here are paid with."""
        rows = [self.desk.market(self.market, each.symbol).listing for each in (self.instrument, self.other)]
        assets = {asset for row in rows for asset in ((row.settle,) if row.settle else (row.base, row.quote))}
        wallet = self.desk.rules.wallets[self.market]
        return {wallet: dict.fromkeys(sorted(assets), str(amount))}

    def truth(self, hand: Hand) -> Account:
        """The account as the exchange has it."""
        return self.desk.accounts[hand.name]

    async def until_heard(self, hand: Hand) -> None:
        """A socket that nothing acknowledges may be open before the exchange listens to it."""
        await until(lambda: self.truth(hand).outbox.listeners, PATIENCE_S)

    async def accepted(self, hand: Hand, client_order_id: str | None = None) -> list[Any]:
        """The account's lines of the accept log."""
        query = {"exchange": self.exchange, "account": hand.name}
        async with self.session.get("/_sim/orders", params=query) as answer:
            rows = await answer.json()
        return [row for row in rows if client_order_id in (None, row["client_id"])]

    async def fill(self, hand: Hand, order_id: str, amount: Decimal) -> None:
        """Let somebody take so much of a resting order."""
        await self.post("fill", account=hand.name, order_id=order_id, size=self.counted(amount))

    async def fault(self, hand: Hand, op: str, **more: Any) -> None:
        await self.post("account_fault", account=hand.name, op=op, **more)

    async def post(self, handle: str, **body: Any) -> Any:
        async with self.session.post(f"/_sim/{handle}", json={"exchange": self.exchange, **body}) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    @property
    def asked(self) -> int:
        """REST requests that came, whoever sent them."""
        return self.simulator.exchanges[self.exchange].asked["rest"]

    @contextlib.contextmanager
    def nothing_sent(self) -> Iterator[None]:
        before = self.asked
        yield
        assert self.asked == before

    def client(self, timeout_s: float = TIMEOUT_S, addresses: Addresses | None = None) -> OrderClient:
        """It shares nothing: what shuts its doors holds up nobody else."""
        return OrderClient(
            drivers={self.exchange: self.driver},
            traders={self.exchange: self.trader},
            addresses=addresses or self.addresses,
            timeout_s=timeout_s,
            gates=WideGates(),
        )


def credentials(exchange: str, name: str) -> Credentials:
    """Keys as the exchange gives them out; each can be found wherever it is shown."""
    if exchange == "hyperliquid":
        digest = sha256(name.encode()).hexdigest()
        return Credentials(key=f"0x{digest[:40]}", secret=f"0x{sha256(digest.encode()).hexdigest()}")
    return Credentials(
        key=f"canarykey{name}a7f3e09b", secret=f"canarysecret{name}c41d88e2", passphrase=f"canarypass{name}5b0e"
    )


async def simulator() -> AsyncIterator[Simulator]:
    """Without limits of requests, which have tests of their own."""
    running = Simulator(seed=5, patience=patience(), strict=False)
    await running.start()
    yield running
    await running.stop()


async def on(request: pytest.FixtureRequest, simulator: Simulator) -> AsyncIterator[Stand]:
    async with standing(simulator, *request.param) as stand:
        yield stand


@contextlib.asynccontextmanager
async def standing(simulator: Simulator, exchange: str, market: MarketType) -> AsyncIterator[Stand]:
    driver, trader, addresses = registry.driver(exchange), registry.trader(exchange), Addresses(simulator.url)
    async with (
        aiohttp.ClientSession(simulator.url) as session,
        Http(drivers={exchange: driver}, addresses=addresses) as http,
    ):
        listed = await http.fetch_instruments(driver, market)
        traded = [each for each in listed if each.status is InstrumentStatus.TRADING and not each.inverse]
        instrument, other = (_of(simulator, exchange, market, coin, traded) for coin in COINS)
        where = {"exchange": exchange, "market_type": market}
        async with session.post("/_sim/fault", json={"op": "freeze", **where}) as answer:
            assert answer.status == 200, await answer.text()
        yield Stand(
            exchange=exchange,
            market=market,
            simulator=simulator,
            session=session,
            driver=driver,
            trader=trader,
            addresses=addresses,
            instruments={each.symbol: each for each in listed},
            instrument=instrument,
            other=other,
        )


def _of(simulator: Simulator, exchange: str, market: MarketType, coin: str, traded: list[Instrument]) -> Instrument:
    """The coin's instrument in the usual quote currency."""
    listings = simulator.exchanges[exchange].listings
    symbols = [
        symbol
        for quote in QUOTES
        for (kind, symbol), row in listings.items()
        if kind == market and row.coin == coin and row.quote == quote and row.live and not row.inverse
    ]
    by_symbol = {each.symbol: each for each in traded}
    return next(by_symbol[symbol] for symbol in symbols if symbol in by_symbol)
