"""Accounts at exchanges: their private sockets, and who records what these push."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog
from django.db import DatabaseError, connections

from apps.feeds.bus.meter import Meter
from apps.feeds.drivers import registry
from apps.feeds.transport import loop
from apps.feeds.transport.orders import OrderClient
from apps.feeds.transport.private import PrivateSocket
from apps.trading.collecting import sockets
from apps.trading.collecting.collector import Collector
from apps.trading.collecting.spool import Spool
from apps.trading.credentials import keys
from apps.trading.execution.executors.vitals import Care
from apps.trading.execution.gateway.clocks import Clocks
from apps.trading.execution.gateway.ports import CannotWork
from apps.trading.execution.gateway.remote import RemotePort
from apps.trading.execution.gateway.remote_ports import RemotePorts, server_time
from workers.markets import Markets

log = structlog.get_logger(__name__)
T = TypeVar("T")

LOOK_S = 10.0  # how soon a changed key is noticed


class Exchanges:
    """Sockets live in the daemon's event loop, beside the books. What executors ask for does not wait for these: it has
    the process's other loop, with the same limits and closed doors."""

    def __init__(self, markets: Markets, *, redis_url: str, data_dir: Path, halt_file: Path, simulated: bool) -> None:
        self._markets = markets
        self._data_dir = data_dir
        self._traders = {name: registry.trader(name) for name in registry.trader_ids()}
        self._client = OrderClient(
            drivers=markets.drivers, traders=self._traders, addresses=markets.addresses, gates=markets.gates
        )
        meter = Meter(redis_url)
        asking = OrderClient(
            drivers=markets.drivers,
            traders=self._traders,
            addresses=markets.addresses,
            gates=markets.gates.of_another_loop(meter),
        )
        self.clocks = Clocks(lambda exchange, market: server_time(asking, loop.run, exchange, market))
        self.ports = RemotePorts(asking, clocks=self.clocks, halt_file=halt_file, simulated=simulated, meter=meter)
        self.collectors: dict[int, Collector] = {}

    async def serve(self, account_id: int, opened: Callable[[], None]) -> None:
        """Collect the account's events until cancelled; raise CannotWork, also when its key is another one by now."""
        port = await _aside(self.ports.of, account_id)
        collector = Collector(
            port=port,
            spool=Spool(self._data_dir / "events" / f"{account_id}.jsonl"),
            malformed=lambda link, frame, error, at_ns: self._markets.malformed.keep(
                link.exchange, link.id, frame, error, at_ns
            ),
        )
        socket = await self._socket(port, collector)
        self.collectors[account_id] = collector
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(collector.run(), name=f"collector {account_id}")
                parts.create_task(sockets.keep(socket), name=f"private socket {account_id}")
                opened()
                await self._until_changed(account_id, port)
        except* CannotWork as changed:
            raise CannotWork(str(changed.exceptions[0])) from None
        finally:
            del self.collectors[account_id]

    def care_of(self, account_id: int, step: str, reason: str, failures: int) -> Care:
        """How an account fares, of any thread; one on paper has no collector. `failures`: of reconciling."""
        collector = self.collectors.get(account_id)
        counts = {"reconciles failed": failures}
        if collector is None:
            return Care(account_id=account_id, step=step, reason=reason, counts=counts if failures else {})
        told = collector.status()
        counts |= {name: int(value) for name, value in told.items() if name not in ("account", "ready", "whole")}
        return Care(
            account_id=account_id,
            step=step,
            reason=reason,
            ready=told["ready"],
            whole=told["whole"],
            counts={name: number for name, number in counts.items() if number},
        )

    async def close(self) -> None:
        await loop.elsewhere(self.ports.close())
        await self._client.close()

    async def _socket(self, port: RemotePort, collector: Collector) -> PrivateSocket:
        """The key is in memory as long as the socket is, which logs in with it each time."""
        exchange, clock = port.exchange, self.clocks.of(port.exchange, port.market_type)
        return PrivateSocket(
            account=str(port.account_id),
            keys=await _aside(keys.open_key, port.account_id),
            market_type=port.market_type,
            driver=self._markets.drivers[exchange],
            trader=self._traders[exchange],
            client=self._client,
            sink=collector,
            addresses=self._markets.addresses,
            gate=self._markets.pool.gate(exchange),
            clock=time.time_ns,
            exchange_ms=clock.now_ms,
            rng=random.SystemRandom(),
        )

    async def _until_changed(self, account_id: int, port: RemotePort) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                now = await _aside(self.ports.of, account_id)
            except DatabaseError:
                continue  # whoever keeps the lease has said so
            if now is not port:
                raise CannotWork(f"account {account_id}: its key was changed")


async def _aside(call: Callable[..., T], *args: Any) -> T:
    """In a thread, with a connection to the database for this once."""

    def called() -> T:
        try:
            return call(*args)
        finally:
            connections.close_all()

    return await asyncio.to_thread(called)
