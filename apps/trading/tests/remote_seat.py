"""An account at a simulated exchange as executors have it: its rows, its port, and the exchange's own truth beside it.

The exchanges live on the loop of the process. Their clocks go ahead where a test says so, and ours are measured anew:
nobody waits for an order to expire.
"""

import itertools
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds.client_ids import ClientIds
from apps.feeds.drivers import registry
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.models import Exchange, TradePair
from apps.feeds.orders import NewOrder, OrderRef, OrderType
from apps.feeds.services import sync_instruments
from apps.feeds.simulator.server import Simulator
from apps.feeds.simulator.trading.accounts import Account as TrueAccount
from apps.feeds.tests.plain_accounts import control
from apps.feeds.tests.stand import patience
from apps.feeds.tests.trading_place import Place
from apps.feeds.tests.trading_stand import COINS, RICH, TIMEOUT_S, WideGates, _of, credentials
from apps.feeds.transport import loop
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.gate import Gates
from apps.feeds.transport.http import Http
from apps.feeds.transport.orders import OrderClient, Purpose
from apps.trading import records
from apps.trading.execution.executors.executor import Executor, new_holder
from apps.trading.execution.gateway.asking import Nonces, Seat
from apps.trading.execution.gateway.clocks import Clocks
from apps.trading.execution.gateway.ports import CannotWork
from apps.trading.execution.gateway.remote import RemotePort
from apps.trading.execution.gateway.remote_ports import server_time
from apps.trading.models import AccountMode, Order, OrderIntent
from apps.trading.tests import rows

ANSWER_S = 60.0
EXPIRY_MS = 20_000  # long enough for a machine that is busy
LOOKS_S = (0.0, 2.0, *(EXPIRY_MS / 1000 + each_s for each_s in (18.0, 20.0, 22.0)))  # in the end "not found" counts
IDS = ClientIds("0", b"a key of ids")
NUMBERS = itertools.count(1)


class Exchanges:
    """All eight, while entered. Markets stand still but for what accounts do; limits of requests are not enforced."""

    def __enter__(self) -> "Exchanges":
        self.simulator = Simulator(seed=5, patience=patience(), strict=False)
        loop.run(self.simulator.start(), ANSWER_S)
        self.addresses = Addresses(self.simulator.url)
        self._listed: dict[tuple[str, MarketType], list[Instrument]] = {}
        self.post("fault", op="freeze")
        return self

    def __exit__(self, *_: object) -> None:
        loop.run(self.simulator.stop(), ANSWER_S)

    def post(self, handle: str, **body: Any) -> Any:
        status, answer = loop.run(control(self.simulator, handle, **body), ANSWER_S)
        assert status == 200, answer
        return answer

    def listed(self, exchange: str, market: MarketType) -> list[Instrument]:
        if (exchange, market) not in self._listed:
            self._listed[exchange, market] = loop.run(self._fetch(exchange, market), ANSWER_S)
        return self._listed[exchange, market]

    async def _fetch(self, exchange: str, market: MarketType) -> list[Instrument]:
        driver = registry.driver(exchange)
        async with Http(drivers={exchange: driver}, addresses=self.addresses) as http:
            return await http.fetch_instruments(driver, market)

    def client(
        self, timeout_s: float = TIMEOUT_S, addresses: Addresses | None = None, gates: Gates | None = None
    ) -> OrderClient:
        names = registry.trader_ids()
        return OrderClient(
            drivers={name: registry.driver(name) for name in names},
            traders={name: registry.trader(name) for name in names},
            addresses=addresses or self.addresses,
            timeout_s=timeout_s,
            gates=gates or WideGates(),
        )


class Desk(Place):
    """An account with much money, its rows, and its port. `clocks` are those of an executor of its own."""

    def __init__(self, exchanges: Exchanges, exchange: str, market: MarketType, folder: Path) -> None:
        listed = exchanges.listed(exchange, market)
        traded = [each for each in listed if not each.inverse]
        simulator = exchanges.simulator
        instrument, other = (_of(simulator, exchange, market, coin, traded) for coin in COINS)
        super().__init__(exchange, market, simulator, {each.symbol: each for each in listed}, instrument, other)
        self.exchanges, self.halt_file = exchanges, folder / "HALT"
        self.name = f"{market}{next(NUMBERS)}"
        self.keys = credentials(exchange, self.name)
        shown = {"key": self.keys.key, "secret": self.keys.secret, "passphrase": self.keys.passphrase}
        self.post("accounts", name=self.name, balances=self._money(), **shown)
        self.client, self._watch = exchanges.client(), exchanges.client()  # who is shut out still learns the time
        self.clocks = Clocks(lambda name, kind: server_time(self._watch, loop.run, name, kind))
        self._enter()
        self._write_rows()
        self.port = self.port_by(self.client)
        self.measure()

    def _enter(self) -> None:
        """Learn what later requests must name, as for a new key."""
        trader, now_ms = registry.trader(self.exchange), time.time_ns() // 1_000_000
        asked = [
            self._watch.send(self.exchange, self.name, request, Purpose.READ)
            for request in trader.account_requests(self.keys, now_ms)
        ]
        answers = [loop.run(each, ANSWER_S) for each in asked]
        if answers:
            self.keys = replace(self.keys, account=trader.parse_account(answers))

    def _write_rows(self) -> None:
        Exchange.objects.get_or_create(code=self.exchange, defaults={"name": self.exchange})
        sync_instruments(exchange=self.exchange, market_type=self.market, instruments=[self.instrument, self.other])
        self.pair, self.other_pair = (
            TradePair.objects.select_related("exchange").get(
                exchange__code=self.exchange, market_type=self.market, pair=each.pair
            )
            for each in (self.instrument, self.other)
        )
        self.account = rows.account(self.exchange, self.market, mode=AccountMode.TESTNET)
        self.trade = rows.trade(self.account, self.instrument.pair)

    def _money(self) -> dict[str, dict[str, str]]:
        listings = [self.desk.market(self.market, each.symbol).listing for each in (self.instrument, self.other)]
        assets = {asset for row in listings for asset in ((row.settle,) if row.settle else (row.base, row.quote))}
        return {self.desk.rules.wallets[self.market]: dict.fromkeys(sorted(assets), str(RICH))}

    def close(self) -> None:
        self.fault("clock_drift", count=0, account=None)
        for client in (self.client, self._watch):
            loop.run(client.close(), ANSWER_S)

    # the way there

    def port_by(self, client: OrderClient) -> RemotePort:
        return RemotePort(
            Seat(account_id=self.account.pk, exchange=self.exchange, market_type=self.market, keys=self.keys),
            client=client,
            trader=registry.trader(self.exchange),
            run=loop.run,
            clock=self.clocks.of(self.exchange, self.market),
            nonces=Nonces(),
            halt_file=self.halt_file,
        )

    def executor(self) -> Executor:
        return Executor(
            holder=new_holder(),
            build_id="b",
            ports=Only(self.port),
            market=NoMarket(),
            ids=IDS,
            expiry_ms=EXPIRY_MS,
            gated=False,  # no daemon looks after the account
        )

    def measure(self) -> None:
        """Twice: a step of the exchange's time is believed when it is seen again."""
        clock = self.clocks.of(self.exchange, self.market)
        for _ in range(2):
            clock.note(server_time(self._watch, loop.run, self.exchange, self.market))

    def go_on(self, seconds: float) -> None:
        """It is so much later at the exchange than it is here, and we have noticed."""
        self.fault("clock_drift", seconds=seconds, account=None)
        self.measure()

    # orders

    def intent(self, **values: Any) -> OrderIntent:
        made = {"amount": self.amount, "price": self.far(Side.BUY), "state": "SENDING", "attempt": 1}
        return rows.intent(self.trade, **{**made, **values})

    def committed(self, of: OrderIntent | None = None, **values: Any) -> Order:
        """The row of an order whose request may leave now."""
        intent = of or self.intent()
        attempt = values.get("attempt", 0)
        form = self.port.id_form
        made = {
            "client_order_id": IDS.make(form, account_id=self.account.pk, intent_id=intent.pk, attempt=attempt),
            "request_expires_at": records.time_of(self.port.now_ms() + EXPIRY_MS),
        }
        row = rows.order(intent, **{**made, **values})
        return Order.objects.select_related("pair__exchange", "exchange", "intent").get(pk=row.pk)

    def new_order(self, row: Order, **values: Any) -> NewOrder:
        made = {
            "instrument": self.instrument,
            "client_order_id": row.client_order_id,
            "side": Side(row.side),
            "type": OrderType.LIMIT,
            "expires_ms": records.milliseconds(row.request_expires_at),
            "amount": row.amount,
            "price": row.price,
        }
        return NewOrder(**{**made, **values})

    def ref(self, row: Order) -> OrderRef:
        return OrderRef(
            instrument=self.instrument, client_order_id=row.client_order_id, exchange_order_id=row.exchange_order_id
        )

    # the exchange

    @property
    def truth(self) -> TrueAccount:
        return self.desk.accounts[self.name]

    def post(self, handle: str, **body: Any) -> Any:
        return self.exchanges.post(handle, exchange=self.exchange, **body)

    def fault(self, op: str, **more: Any) -> None:
        self.post("account_fault", **{"account": self.name, "op": op, **more})

    def fill(self, exchange_order_id: str, amount: Decimal) -> None:
        self.post("fill", account=self.name, order_id=exchange_order_id, size=self.counted(amount))

    def accepted(self) -> list[Any]:
        return [each for each in self.desk.accepted if each.account == self.name]

    @property
    def asked(self) -> int:
        return self.simulator.exchanges[self.exchange].asked["rest"]


class Only:
    """Ports of a process that has a way to one account."""

    def __init__(self, port: RemotePort) -> None:
        self._port = port

    def of(self, account_id: int) -> RemotePort:
        if account_id != self._port.account_id:
            raise CannotWork(f"no way to account {account_id}")
        return self._port


class NoMarket:
    def top(self, key: object) -> None:
        return None

    def mid(self, key: object) -> None:
        return None


def exchanges() -> Iterator[Exchanges]:
    with Exchanges() as running:
        yield running


def on(exchanges: Exchanges, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """An account at the exchange and on the market that the test is parametrized with, else on Binance's spot."""
    desk = Desk(exchanges, *getattr(request, "param", ("binance", MarketType.SPOT)), tmp_path)
    yield desk
    desk.close()
