"""What `bench.orders` lets its forks do: paced intents whose way to the wire is timed, and a reconcile."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connections

from apps.feeds.bus.meter import Meter
from apps.feeds.client_ids import ClientIds
from apps.feeds.drivers import registry
from apps.feeds.drivers.trading import Placed
from apps.feeds.market import MarketType, Side
from apps.feeds.models import TradePair
from apps.feeds.orders import NewOrder, OrderType
from apps.feeds.selectors import instrument
from apps.feeds.tests.trading_stand import WideGates
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.gate import RESERVE, Gates
from apps.feeds.transport.orders import OrderClient, Purpose
from apps.trading.collecting import reconciling
from apps.trading.credentials import keys
from apps.trading.execution.entry import working
from apps.trading.execution.executors import lanes
from apps.trading.execution.gateway.asking import Nonces
from apps.trading.models import Order
from apps.trading.order_state import FINAL
from tests.orders import executors, steps

Cell = dict[str, Any]
AT_ONCE = 16
MOST = 10_000  # orders of somebody else on a pair
SOMEBODY = ClientIds("9", b"somebody else's")  # ids of the form that an exchange wants, in nobody's namespace here
_moments = threading.local()


class TimedPort(executors.ShortPort):
    """Notes for the thread that waits when the bytes of an order leave: right after the last check, in the loop's."""

    def place(self, order: NewOrder, *, check: Callable[[], None] | None = None) -> Placed:
        moments: list[float] = []

        def last() -> None:
            if check is not None:
                check()
            moments.append(time.perf_counter())

        try:
            placed: Placed = self._port.place(order, check=last)
        finally:
            _moments.left.extend(moments[-1:])  # it is looked twice: the last time right before the first byte
        return placed


class TimedPorts(executors.ShortPorts):
    def of(self, account_id: int) -> TimedPort:
        return TimedPort(self.remote.of(account_id), executors.TAIL_S)


def paced(cells: list[Cell], every_s: float, threads: int, warm: int, redis_url: str | None = None) -> dict[str, Any]:
    """One intent after the other at its time; `ms` from when it was due to when the bytes of its request left, and what
    each cost this process in `cpu_ms`.

    Each is written (T0) and then worked (T1, the request) by the same thread, as in a daemon that trades: what is late
    because all threads are busy counts as well. Rows of account, pair and TRADE are at hand, as a strategy has them.
    The first `warm` are not counted. `seconds`: from when the first was due until the last left. `redis_url`: where
    hints and events are told, and requests counted.
    """
    settings.REDIS_URL = redis_url or settings.REDIS_URL
    gates = None if redis_url is None else WideGates(Meter(redis_url))
    ports = TimedPorts(executors.ports(gates=gates).remote, executors.TAIL_S)
    todo: queue.Queue[tuple[float, Cell] | None] = queue.Queue()
    told: list[tuple[float, float]] = []
    known = {each["account"]: steps.rows_of(each) for each in {cell["account"]: cell for cell in cells}.values()}

    def work() -> None:
        mine = executors.executor(ports)
        steps.measured(mine, cells[:1])
        while (job := todo.get()) is not None:
            due, cell = job
            _moments.left = []
            steps.intend(cell, mine, known[cell["account"]])
            working.work_lane(lanes.lane_of(cell["account"], cell["pair"]), executor=mine)
            told.extend((due, at) for at in _moments.left)
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    begin, cpu_s = time.perf_counter() + 2.0, time.process_time()
    for number, cell in enumerate(cells):
        due = begin + number * every_s
        time.sleep(max(0.0, due - time.perf_counter()))
        todo.put((due, cell))
    for _ in workers:
        todo.put(None)
    for worker in workers:
        worker.join()
    cpu_ms = (time.process_time() - cpu_s) * 1000 / len(cells)
    counted = sorted(told)[warm:]
    seconds = max(left for _, left in counted) - counted[0][0]
    return {"ms": [(left - due) * 1000 for due, left in counted], "seconds": seconds, "cpu_ms": cpu_ms}


def place_as_others(cell: Cell, number: int, price: str, step: str) -> int:
    """So many orders that rest, each a step lower, by somebody else who has the same key."""
    return asyncio.run(_place_as_others(cell, number, Decimal(price), Decimal(step)))


async def _place_as_others(cell: Cell, number: int, price: Decimal, step: Decimal) -> int:
    driver, trader = registry.driver(cell["exchange"]), registry.trader(cell["exchange"])
    row = await asyncio.to_thread(TradePair.objects.select_related("exchange").get, pk=cell["pair"])
    key, turns = await asyncio.to_thread(keys.open_key, cell["account"]), asyncio.Semaphore(AT_ONCE)
    form, nonces = trader.id_form(MarketType(row.market_type)), Nonces()
    async with OrderClient(
        drivers={cell["exchange"]: driver},
        traders={cell["exchange"]: trader},
        addresses=Addresses(settings.CT_SIMULATOR_URL),
        gates=WideGates(),
        timeout_s=60.0,
    ) as client:

        async def place(at: int) -> None:
            now_ms = nonces.next_ms(time.time_ns() // 1_000_000)
            order = NewOrder(
                instrument=instrument(row),
                client_order_id=SOMEBODY.make(
                    form, account_id=cell["account"], intent_id=row.pk * MOST + at + 1, attempt=0
                ),
                side=Side.BUY,
                type=OrderType.LIMIT,
                expires_ms=now_ms + 30_000,
                amount=Decimal(cell["amount"]),
                price=price - at * step,
            )
            request = trader.place(key, order, now_ms)
            async with turns:
                await client.ask(
                    cell["exchange"],
                    cell["name"],
                    request,
                    Purpose.ORDER,
                    lambda answer: trader.parse_placed(order, answer),
                    turn_s=60.0,
                )

        await asyncio.gather(*(place(at) for at in range(number)))
    return number


def reconcile(cell: Cell) -> dict[str, float]:
    """Seconds that it took within the limits that a daemon keeps, and how many orders are open then."""
    mine = executors.executor(executors.ports(gates=Gates(reserve=RESERVE)))
    steps.measured(mine, [cell])
    began = time.perf_counter()
    reconciling.reconcile(cell["account"], mine)
    took_s = time.perf_counter() - began
    open_now = Order.objects.filter(account_id=cell["account"]).exclude(status__in=list(FINAL)).count()
    return {"seconds": took_s, "open": open_now}
