"""The ports of one process to the exchanges: one for each account, with its sealed key opened when it is first used."""

import threading
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.db import connection
from msgspec import Struct

from apps.feeds.bus.meter import Meter
from apps.feeds.drivers import registry
from apps.feeds.errors import Retryable
from apps.feeds.market import MarketType
from apps.feeds.transport import loop
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.gate import RESERVE, Gates
from apps.feeds.transport.orders import OrderClient, Purpose
from apps.trading.credentials import keyring, keys
from apps.trading.credentials.sealing import CannotOpen
from apps.trading.execution.gateway.asking import ANSWER_S, Nonces, Run, Seat
from apps.trading.execution.gateway.clocks import Clocks, Sample, steady_s
from apps.trading.execution.gateway.ports import CannotWork, KeyClosed
from apps.trading.execution.gateway.remote import RemotePort
from apps.trading.models import Account, AccountKey, AccountMode

STAMP = (
    "SELECT a.active, a.mode, a.exchange_account, k.version, k.key_id"
    " FROM account a LEFT JOIN account_key k ON k.account_id = a.id WHERE a.id = %s"
)


class Stamp(Struct, frozen=True):
    """What of an account and its key a port was made for."""

    mode: str
    exchange_account: str
    version: int
    key_id: str


class RemotePorts:
    """See `ports.Ports`. Keys are in memory only, and dropped when theirs is changed, sealed anew or taken away."""

    def __init__(
        self,
        client: OrderClient,
        *,
        run: Run = loop.run,
        clocks: Clocks,
        halt_file: Path,
        simulated: bool,
        meter: Meter | None = None,
    ) -> None:
        """`simulated`: no address leads to a real exchange. `meter`: to be closed with the client."""
        self.clocks = clocks
        self._client, self._run, self._meter = client, run, meter
        self._halt_file, self._simulated = halt_file, simulated
        self._lock = threading.Lock()
        self._ports: dict[int, tuple[Stamp, RemotePort]] = {}
        self._nonces: dict[bytes, Nonces] = {}

    async def close(self) -> None:
        """On the loop that the requests run on; nothing is asked any more."""
        await self._client.close()
        if self._meter is not None:
            await self._meter.close()

    def of(self, account_id: int) -> RemotePort:
        try:
            stamp = self._stamp(account_id)
            with self._lock:
                known = self._ports.get(account_id)
                if known is None or known[0] != stamp:
                    known = self._ports[account_id] = stamp, self._open(account_id)
        except CannotWork:
            with self._lock:
                self._ports.pop(account_id, None)
            raise
        return known[1]

    def _stamp(self, account_id: int) -> Stamp:
        """Of an account that this process may send for; raise CannotWork, saying why."""
        with connection.cursor() as cursor:
            cursor.execute(STAMP, [account_id])
            row = cursor.fetchone()
        if row is None or not row[0]:
            raise CannotWork(f"account {account_id} is closed")
        _, mode, exchange_account, version, key_id = row
        if mode == AccountMode.PAPER:
            raise CannotWork(f"account {account_id} is on paper: its matcher is in another process")
        if mode == AccountMode.TESTNET and not self._simulated:
            raise CannotWork(f"account {account_id} is for the simulator, and this process has the real exchanges")
        if version is None:
            raise CannotWork(f"account {account_id} has no key")
        return Stamp(mode, exchange_account, version, key_id)

    def _open(self, account_id: int) -> RemotePort:
        row = Account.objects.select_related("exchange").get(pk=account_id)
        exchange, market_type = row.exchange.code, MarketType(row.market_type)
        try:
            opened = keys.open_key(account_id)
        except AccountKey.DoesNotExist as error:
            raise CannotWork(f"account {account_id} has no key") from error
        except (keys.NotAnExecutor, CannotOpen, keyring.KeyFileRefused) as error:
            raise KeyClosed(f"account {account_id}: {error or type(error).__name__}") from error
        nonces = self._nonces.setdefault(sha256(opened.key.encode()).digest(), Nonces())
        return RemotePort(
            Seat(account_id=account_id, exchange=exchange, market_type=market_type, keys=opened),
            client=self._client,
            trader=registry.trader(exchange),
            run=self._run,
            clock=self.clocks.of(exchange, market_type),
            nonces=nonces,
            halt_file=self._halt_file,
        )


def server_time(client: OrderClient, run: Run, exchange: str, market_type: MarketType) -> Sample:
    """Ask an exchange for its time, on nobody's account; raises FeedError. The wait for a turn is not counted."""
    trader = registry.trader(exchange)
    left = steady_s()

    def leaves() -> None:
        nonlocal left
        left = steady_s()

    asked = client.ask(
        exchange,
        "clock",
        trader.server_time(market_type),
        Purpose.READ,
        lambda answer: Sample(trader.parse_server_time(market_type, answer), left, steady_s()),
        check=leaves,
    )
    try:
        return run(asked, ANSWER_S)
    except TimeoutError:  # who was stopped for a while has not waited for the answer
        raise Retryable(f"{exchange}: nobody waited for its time") from None


def connect(*, gates: Gates | None = None, run: Run = loop.run) -> RemotePorts:
    """Ports as the settings say. `gates`: those of this process, else new ones that share limits over Redis."""
    meter = Meter(settings.REDIS_URL) if gates is None else None
    client = OrderClient(
        drivers={name: registry.driver(name) for name in registry.trader_ids()},
        traders={name: registry.trader(name) for name in registry.trader_ids()},
        addresses=Addresses(settings.CT_SIMULATOR_URL),
        gates=gates or Gates(meter, reserve=RESERVE),
    )
    return RemotePorts(
        client,
        run=run,
        clocks=Clocks(lambda exchange, market_type: server_time(client, run, exchange, market_type)),
        halt_file=settings.CT_HALT_FILE,
        simulated=settings.CT_SIMULATOR_URL is not None,
        meter=meter,
    )
