"""The usual shape, as a measure of the rig: it must be seen to double orders.

A queue with late acknowledgement: a task whose worker dies is delivered again. A worker that gets no answer, or one
that says nothing definite, sends the same order again, with the same id, four times at most.
"""

import asyncio
import os
import time
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from apps.feeds.drivers import registry
from apps.feeds.errors import OutcomeUnknown, Refused, Retryable
from apps.feeds.market import Side
from apps.feeds.models import TradePair
from apps.feeds.orders import NewOrder, OrderType, TimeInForce
from apps.feeds.selectors import instrument
from apps.feeds.tests.trading_stand import WideGates, credentials
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.orders import OrderClient, Purpose

RESENDS = 4
EXPIRY_MS = 5_000  # Binance's own default
LOOK_S = 0.05
TABLE = """
    CREATE TABLE IF NOT EXISTS naive_task (
        id INTEGER PRIMARY KEY, account VARCHAR(100), pair INTEGER, price VARCHAR(50), amount VARCHAR(50),
        state VARCHAR(10) NOT NULL DEFAULT 'NEW', worker INTEGER
    )
"""


def queue(tasks: list[dict[str, Any]]) -> None:
    """Tasks of `account` (its name), `pair` (its id), `price` and `amount`; ids go up from 1."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS naive_task")
        cursor.execute(TABLE)
        rows = [(number, t["account"], t["pair"], t["price"], t["amount"]) for number, t in enumerate(tasks, 1)]
        cursor.executemany(
            "INSERT INTO naive_task (id, account, pair, price, amount) VALUES (%s, %s, %s, %s, %s)", rows
        )


def left() -> int:
    return len(_rows("SELECT id FROM naive_task WHERE state <> 'DONE'"))


def deliver_again(worker: int) -> None:
    """What the broker does with what a dead worker has not acknowledged."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE naive_task SET state = 'NEW' WHERE state = 'TAKEN' AND worker = %s", [worker])


def work(timeout_s: float) -> None:
    """Until nothing is left."""
    asyncio.run(_work(timeout_s))


async def _work(timeout_s: float) -> None:
    driver, trader = registry.driver("binance"), registry.trader("binance")
    async with OrderClient(
        drivers={"binance": driver},
        traders={"binance": trader},
        addresses=Addresses(settings.CT_SIMULATOR_URL),
        timeout_s=timeout_s,
        gates=WideGates(),
    ) as client:
        while await asyncio.to_thread(left):
            task = await asyncio.to_thread(_take)
            if task is None:
                await asyncio.sleep(LOOK_S)
                continue
            await _send(client, trader, task)
            await asyncio.to_thread(_acknowledge, task[0])


async def _send(client: OrderClient, trader: Any, task: tuple[Any, ...]) -> None:
    number, account, pair, price, amount = task
    row = await asyncio.to_thread(TradePair.objects.select_related("exchange").get, pk=pair)
    keys = credentials("binance", account)
    for _ in range(1 + RESENDS):
        now_ms = time.time_ns() // 1_000_000
        order = NewOrder(
            instrument=instrument(row),
            client_order_id=f"naive{number}",
            side=Side.SELL,
            type=OrderType.LIMIT,
            tif=TimeInForce.IOC,
            expires_ms=now_ms + EXPIRY_MS,
            amount=Decimal(amount),
            price=Decimal(price),
        )
        try:
            await client.ask(
                "binance",
                account,
                trader.place(keys, order, now_ms),
                Purpose.ORDER,
                lambda answer, order=order: trader.parse_placed(order, answer),
            )
        except (OutcomeUnknown, Retryable):
            continue
        except Refused:
            return
        return


@transaction.atomic
def _take() -> tuple[Any, ...] | None:
    lock = " FOR UPDATE SKIP LOCKED" if connection.vendor == "mysql" else ""
    found = _rows(f"SELECT id, account, pair, price, amount FROM naive_task WHERE state = 'NEW' LIMIT 1{lock}")
    if not found:
        return None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE naive_task SET state = 'TAKEN', worker = %s WHERE id = %s", [os.getpid(), found[0][0]])
    return found[0]


def _acknowledge(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE naive_task SET state = 'DONE' WHERE id = %s", [number])


def _rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())
