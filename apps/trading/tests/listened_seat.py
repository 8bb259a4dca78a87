"""An account at a simulated exchange with its orders in the books, as a collector and its sweeps find it."""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.db.backends.signals import connection_created
from msgspec.structs import replace

from apps.feeds.client_ids import ClientIds
from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Rate
from apps.feeds.drivers.trading import Answer
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import OrderStatus
from apps.feeds.tests.trading_hand import PATIENT
from apps.feeds.tests.waiting import end
from apps.feeds.transport import loop
from apps.feeds.transport.gate import Gate
from apps.feeds.transport.orders import Purpose
from apps.feeds.transport.private import PrivateSocket
from apps.trading.bookkeeping import recording
from apps.trading.collecting import sockets
from apps.trading.collecting.collector import Collector
from apps.trading.collecting.spool import Spool
from apps.trading.collecting.timetable import Times
from apps.trading.models import Order, OrderEvent, OrderFill, Position, RiskState, StrayFill, TradeHistory, Wallet
from apps.trading.tests.remote_seat import ANSWER_S, Desk, Exchanges

KEPT = (Order, OrderEvent, OrderFill, TradeHistory, StrayFill, Wallet, Position)
FOREVER_S = 3600.0
AGAIN_S = 0.2  # after a refused login
SOMEBODY = ClientIds("7", b"somebody else")


def seat(exchanges: Exchanges, exchange: str, market: MarketType, folder: Path) -> Iterator[Desk]:
    """Where requests must name the account, it was asked for."""
    desk = Desk(exchanges, exchange, market, folder)
    trader = registry.trader(exchange)
    answers = [
        loop.run(desk.client.ask(exchange, desk.name, request, Purpose.READ, _whole), ANSWER_S)
        for request in trader.account_requests(desk.keys, desk.port.now_ms())
    ]
    if answers:
        desk.keys = replace(desk.keys, account=trader.parse_account(answers))
        desk.port = desk.port_by(desk.client)
    yield desk
    desk.close()


def on(exchanges: Exchanges, tmp_path: Path, settings: Any, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """The same where the test is parametrized, else on Binance's spot. Nobody hears of it: there is no bus."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    yield from seat(exchanges, *getattr(request, "param", ("binance", MarketType.SPOT)), tmp_path)


def _whole(answer: Answer) -> Answer:
    return answer


def placed(on: Desk, price: Decimal | None = None) -> Order:
    """An order of ours that rests; without a price it is the next to be filled."""
    at = on.near(Side.BUY) if price is None else price
    row = on.committed(on.intent(price=at))
    recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    return read(row)


def foreign(on: Desk, client_order_id: str | None = None) -> str:
    """Somebody else's order on our account; the exchange's id of it."""
    row = on.committed()
    named = client_order_id or SOMEBODY.make(on.port.id_form, account_id=1, intent_id=row.pk, attempt=0)
    Order.objects.filter(pk=row.pk).update(status=OrderStatus.CANCELLED)
    new = on.new_order(row, client_order_id=named, price=on.near(Side.BUY))
    return on.port.place(new).exchange_order_id


def read(row: Order) -> Order:
    return Order.objects.select_related("pair__exchange").get(pk=row.pk)


def counted() -> list[int]:
    """Rows of each table."""
    return [model.objects.count() for model in KEPT]


def halted(on: Desk) -> str:
    """Why the account is halted; empty if it is not."""
    row = RiskState.objects.get(scope="account", scope_id=str(on.account.pk))
    return row.reason if row.state == "HALTED" else ""


@contextmanager
def listening(on: Desk, folder: Path, *, whole: bool = True, **times: float) -> Iterator[Collector]:
    """The account's collector on its private socket; nothing is swept on a timer unless `times` say so.

    With `whole` it is entered once the socket runs and the first sweep is done.
    """
    values = dict.fromkeys(("orders_s", "trades_s", "holdings_s", "without_socket_s"), FOREVER_S)
    collector = Collector(
        port=on.port,
        spool=Spool(folder / "events.jsonl"),
        times=Times(**{**values, "away_s": 0.05, "again_s": 0.05, "longest_s": 0.2, **times}),
    )
    task = loop.run(_serve(on, collector), ANSWER_S)
    try:
        if whole:
            until(lambda: collector.is_whole and bool(on.truth.outbox.listeners))
        yield collector
    finally:
        loop.run(end(task), ANSWER_S)


async def _serve(on: Desk, collector: Collector) -> "asyncio.Task[None]":
    socket = PrivateSocket(
        account=on.name,
        keys=on.keys,
        market_type=on.market,
        driver=registry.driver(on.exchange),
        trader=registry.trader(on.exchange),
        client=on.client,
        sink=collector,
        addresses=on.exchanges.addresses,
        gate=Gate(Rate(1000, 1.0)),
        clock=time.time_ns,
        exchange_ms=on.port.now_ms,
        rng=random.Random(1),
        timing=PATIENT,
    )

    async def both() -> None:
        async with asyncio.TaskGroup() as parts:
            parts.create_task(collector.run())
            parts.create_task(sockets.keep(socket, AGAIN_S))

    return asyncio.create_task(both())


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a condition, in a thread that is not the loop's."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.02)


class DatabaseAway:
    """While set, connections of a collector's threads are lost with each statement. Enter it before these are made."""

    def __init__(self) -> None:
        self.is_set = False

    def __enter__(self) -> "DatabaseAway":
        connection_created.connect(self._watch)
        return self

    def __exit__(self, *_: object) -> None:
        connection_created.disconnect(self._watch)

    def _watch(self, *, connection: Any, **_: object) -> None:
        if threading.current_thread().name.startswith(("record account", "sweep account")):
            connection.execute_wrappers.append(self._execute)

    def _execute(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.is_set:
            raise OperationalError(2013, "lost connection")
        return execute(sql, params, many, context)
