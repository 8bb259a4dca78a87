"""Jobs that hear of orders by the private socket: executors whose collector listens, and who takes up their work."""

import asyncio
import contextlib
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Rate
from apps.feeds.market import MarketType
from apps.feeds.tests.trading_stand import WideGates
from apps.feeds.transport import loop
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.gate import Gate
from apps.feeds.transport.orders import OrderClient
from apps.feeds.transport.private import PrivateSocket
from apps.feeds.transport.timing import Timing
from apps.trading.collecting import sockets
from apps.trading.collecting.collector import Collector
from apps.trading.collecting.spool import Spool
from apps.trading.collecting.timetable import Times
from apps.trading.credentials import keys
from apps.trading.execution.cancels import cancelling
from apps.trading.execution.entry import working
from apps.trading.execution.executors import lanes
from apps.trading.execution.resolution import resolving
from apps.trading.models import IntentState, OrderFill, OrderIntent
from apps.trading.tests.looks import resolve_due
from tests.orders import endings, executors, patience, steps
from tests.orders.steps import Cell

ANSWER_S = 120.0
HEARD_S = 60.0
SOON = Times(orders_s=2.0, trades_s=2.0)  # what no push has told
GAPS_ALONE = Times(orders_s=3600.0, trades_s=3600.0, without_socket_s=3600.0)
TIMING = Timing(backoff_first_s=0.05, backoff_most_s=0.5, ack_s=60.0)


@contextlib.contextmanager
def listening(cells: list[Cell], ports: executors.ShortPorts, times: Times = SOON) -> Iterator[list[Collector]]:
    """Each account's collector on its private socket, once all that happened before is swept."""
    client = loop.run(_client(cells), ANSWER_S)
    made = [_collector(ports.of(cell["account"]), times) for cell in cells]
    listened = [_socket(*each, client) for each in zip(cells, made, strict=True)]
    task = loop.run(_serve(made, listened), ANSWER_S)
    try:
        if not executors.until(lambda: all(each.is_whole for each in made), HEARD_S):
            raise RuntimeError(f"no private socket: {[each.status() for each in made if not each.is_whole]}")
        yield made
    finally:
        loop.run(_end(task, client), ANSWER_S)


async def _client(cells: list[Cell]) -> OrderClient:
    names = {cell["exchange"] for cell in cells}
    return OrderClient(
        drivers={name: registry.driver(name) for name in names},
        traders={name: registry.trader(name) for name in names},
        addresses=Addresses(settings.CT_SIMULATOR_URL),
        gates=WideGates(),
    )


def _collector(port: Any, times: Times) -> Collector:
    spool = Spool(Path(settings.CT_DATA_DIR) / "events" / f"{port.account_id}.jsonl")

    async def make() -> Collector:
        return Collector(port=port, spool=spool, times=times)

    return loop.run(make(), ANSWER_S)


async def _serve(made: list[Collector], listened: list[PrivateSocket]) -> "asyncio.Task[None]":
    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as parts:
            for collector, socket in zip(made, listened, strict=True):
                parts.create_task(collector.run())
                parts.create_task(sockets.keep(socket))

    return asyncio.create_task(all_of_them())


def _socket(cell: Cell, collector: Collector, client: OrderClient) -> PrivateSocket:
    return PrivateSocket(
        account=cell["name"],
        keys=keys.open_key(cell["account"]),
        market_type=MarketType(cell["market_type"]),
        driver=registry.driver(cell["exchange"]),
        trader=registry.trader(cell["exchange"]),
        client=client,
        sink=collector,
        addresses=Addresses(settings.CT_SIMULATOR_URL),
        gate=Gate(Rate(1000, 1.0)),
        clock=time.time_ns,
        exchange_ms=lambda: time.time_ns() // 1_000_000,
        rng=random.Random(1),
        timing=TIMING,
    )


async def _end(task: "asyncio.Task[None]", client: OrderClient) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await client.close()


def live(cell: Cell) -> dict[str, int]:
    """One order from intent to end; what the collector has heard, by kind. `gap`: only the sweep of a gap tells."""
    ports = executors.ports(only=cell["account"])
    mine = executors.executor(ports)
    steps.measured(mine, [cell])
    with listening([cell], ports, GAPS_ALONE if cell["gap"] else SOON) as (collector,):
        patience.patiently(lambda: steps.intend(cell, mine))
        patience.patiently(lambda: working.work_lane(lanes.lane_of(cell["account"], cell["pair"]), executor=mine))
        steps.befall(cell)
        if cell["gap"]:
            os.environ["CT_KILL_AT"] = cell["point"]  # sweeps before the order have passed it
            hang_up(cell)
        executors.until(lambda: is_known(cell), HEARD_S)
        executors.until(lambda: patience.patiently(lambda: _cancelled(cell, mine)), HEARD_S)
        return {name: number for name, number in collector.counts.items() if number}


def hang_up(cell: Cell) -> None:
    """The exchange closes the account's private socket: what is pushed now is lost."""
    steps.fault(cell, "drop_private")


def is_known(cell: Cell) -> bool:
    """Whether we know of all that was executed."""
    there = sum((Decimal(row["filled"]) for row in steps.accepted(cell["exchange"], cell["name"])), Decimal(0))
    amounts = OrderFill.objects.filter(account=cell["account"]).values_list("amount", flat=True)
    return there == sum(amounts, Decimal(0))


def _cancelled(cell: Cell, mine: Any) -> bool:
    steps.cancel([cell], mine)
    resolving.resolve_account(mine, cell["account"])
    return not endings.unsettled([cell])


def recover(cells: list[Cell], seconds: float) -> list[str]:
    """A daemon that was started anew, and callers who ask again, until all is over; what is not."""
    ports = executors.ports()
    mine = executors.executor(ports)
    steps.measured(mine, cells)
    with listening(cells, ports):
        for cell in cells:
            executors.until(lambda cell=cell: patience.patiently(lambda: steps.intend(cell, mine)), seconds)
        executors.until(lambda: patience.patiently(lambda: _turn(cells, mine)), seconds, every_s=0.25)
    return endings.unsettled(cells)


def _turn(cells: list[Cell], mine: Any) -> bool:
    for lane in {lanes.lane_of(each["account"], each["pair"]) for each in cells}:
        if OrderIntent.objects.filter(lane=lane, state=IntentState.NEW).exists():
            working.work_lane(lane, executor=mine)
    resolve_due(mine)
    steps.cancel(cells, mine)
    cancelling.cancel_due(mine)
    return not endings.unsettled(cells)


def sources(accounts: list[int]) -> dict[str, int]:
    """How many fills came by which way."""
    return dict(Counter(OrderFill.objects.filter(account__in=accounts).values_list("source", flat=True)))
