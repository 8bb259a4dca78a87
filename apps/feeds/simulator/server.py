"""The simulator: all exchanges on one port of the loopback, under `/HOST/...`."""

import asyncio
import random
import signal
from pathlib import Path

import structlog
from aiohttp import hdrs, web

from apps.feeds.simulator.binance.exchange import Binance
from apps.feeds.simulator.bybit.exchange import Bybit
from apps.feeds.simulator.coinex.exchange import Coinex
from apps.feeds.simulator.control import Control
from apps.feeds.simulator.engine import Engine
from apps.feeds.simulator.exchange import Exchange, World
from apps.feeds.simulator.faults import Faults
from apps.feeds.simulator.htx.exchange import Htx
from apps.feeds.simulator.hyperliquid.exchange import Hyperliquid
from apps.feeds.simulator.journal import Journal
from apps.feeds.simulator.kucoin.exchange import Kucoin
from apps.feeds.simulator.limits import Breaches, Patience
from apps.feeds.simulator.mexc.exchange import Mexc
from apps.feeds.simulator.okx.exchange import Okx
from apps.feeds.simulator.trading.control import TradingControl
from apps.feeds.simulator.trading.keeping import Keeper

log = structlog.get_logger(__name__)

KINDS: tuple[type[Binance | Bybit | Okx | Kucoin | Coinex | Htx | Mexc | Hyperliquid], ...] = (
    Binance,
    Bybit,
    Okx,
    Kucoin,
    Coinex,
    Htx,
    Mexc,
    Hyperliquid,
)
WATCH_S = 0.1


class Simulator:
    """Call `start` and `stop` in one event loop."""

    url: str

    def __init__(
        self,
        *,
        seed: int = 1,
        rate: float | None = None,
        replay: Path | None = None,
        patience: Patience | None = None,
        strict: bool = True,
        accounts: Path | None = None,
    ) -> None:
        """`rate`: book messages a second over all channels, None for the exchanges' own pace.

        `replay`: folder with recordings that take the place of the random markets. `strict`: limits are enforced,
        else only counted. `accounts`: a file that keeps the accounts that the exchanges make keys for.
        Raises ValueError when the folder holds no recording.
        """
        faults, journal = Faults(lambda: asyncio.get_running_loop().time()), Journal()
        self.world = World(
            seed=seed,
            engine=Engine(faults=faults, journal=journal, rng=random.Random(seed), rate=rate),
            faults=faults,
            journal=journal,
            breaches=Breaches(),
            patience=patience or Patience(),
            strict=strict,
        )
        self.exchanges: dict[str, Exchange] = {
            kind.name: kind(self.world, None if replay is None else replay / kind.name) for kind in KINDS
        }
        if not any(exchange.listings for exchange in self.exchanges.values()):
            raise ValueError(f"no recordings under {replay}")
        self._hosts = {host: exchange for exchange in self.exchanges.values() for host in exchange.hosts}
        self._accounts = accounts
        self._keeper: Keeper | None = None
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Serve until `stop`; returns the port. Raises OSError when it is taken, ValueError for unreadable accounts."""
        if self._accounts is not None:
            desks = {name: exchange.desk for name, exchange in self.exchanges.items()}
            self._keeper = Keeper(self._accounts, desks)
            self._keeper.load()
        app = web.Application()
        app.add_routes(Control(self).routes())
        app.add_routes(TradingControl(self.exchanges).routes())
        app.router.add_route("*", "/{host}", self._handle)
        app.router.add_route("*", "/{host}/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError:
            await self._runner.cleanup()
            if self._keeper is not None:
                self._keeper.close()
            raise
        port = self._runner.addresses[0][1]
        self.url = f"http://{host}:{port}"
        self._tasks = [
            asyncio.create_task(self.world.engine.run(), name="simulator engine"),
            asyncio.create_task(self._watch(), name="simulator watch"),
        ]
        return port

    async def stop(self) -> None:
        """Hang up on everybody and free the port, well under two seconds; raises what a part died of."""
        for task in self._tasks:
            task.cancel()
        ends = await asyncio.gather(*self._tasks, return_exceptions=True)
        for exchange in self.exchanges.values():
            for socket in list(exchange.sockets.values()):
                socket.hang_up()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._keeper is not None:
            self._keeper.close()
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def failed(self) -> None:
        """Returns never; raises when a part of the simulator dies."""
        await asyncio.gather(*self._tasks)

    def apply_silence(self) -> None:
        """Bring every socket in line with the fault `silence`."""
        for exchange in self.exchanges.values():
            for socket in exchange.sockets.values():
                socket.silent = exchange.silenced(socket)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        host, path = request.match_info["host"], request.match_info.get("path", "")
        if host == request.url.host:  # an address that an exchange gave out, here already, and rewritten once more
            host, _, path = path.partition("/")
        exchange = self._hosts.get(host)
        if exchange is None:
            return web.Response(status=404, text="no such host here")
        if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
            return await exchange.connect(request, host, path)
        exchange.asked["rest"] += 1
        answer = exchange.rest(request, host, path)
        return answer if isinstance(answer, web.StreamResponse) else await answer

    async def _watch(self) -> None:
        while True:
            now = asyncio.get_running_loop().time()
            self.apply_silence()
            for exchange in self.exchanges.values():
                for socket in list(exchange.sockets.values()):
                    if not socket.silent and not socket.closing:
                        exchange.watch(socket, now)
            if self._keeper is not None:
                self._keeper.keep_all()
            await asyncio.sleep(WATCH_S)


async def serve(
    *,
    host: str = "127.0.0.1",
    port: int,
    seed: int = 1,
    rate: float | None = None,
    replay: Path | None = None,
    accounts: Path | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, or until cancelled."""
    simulator = Simulator(seed=seed, rate=rate, replay=replay, accounts=accounts)
    await simulator.start(host, port)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    markets = sum(len(exchange.listings) for exchange in simulator.exchanges.values())
    log.info("listening", url=simulator.url, markets=markets, replay=None if replay is None else str(replay))
    try:
        waits = {asyncio.ensure_future(told.wait()), asyncio.ensure_future(simulator.failed())}
        done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        for task in done:
            task.result()
    finally:
        await simulator.stop()
        log.info("stopped")
