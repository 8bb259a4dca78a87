"""The life of one order from intent to end, which a fork lives until it dies, and others take up where it was left.

A cell is a dict: account, name, exchange, market_type, symbol, pair, trade (their ids), key, side, amount, price, tif,
purpose, fill (what somebody takes of it while it rests), cancel.
"""

import json
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from django.db.models.functions import Now

import apps.trading.tasks  # noqa: F401 (who wakes a lane imports it late)
from apps.feeds.errors import Retryable
from apps.feeds.market import Side
from apps.feeds.models import TradePair
from apps.feeds.orders import OrderStatus, OrderType, TimeInForce
from apps.trading.collecting import sweep
from apps.trading.collecting.sweep import Part
from apps.trading.execution import cancelling, intake, resolving, working
from apps.trading.execution.executor import Executor
from apps.trading.execution.lanes import lane_of
from apps.trading.execution.ports import Port
from apps.trading.execution.resolving import MAX_ERROR_MS
from apps.trading.execution.transactions import is_passing
from apps.trading.intent import Purpose
from apps.trading.models import Account, IntentState, Order, OrderIntent, Trade
from apps.trading.order_state import FINAL
from apps.users.services import Actor
from tests.orders import executors

LONG_MS = 3_600_000
NOBODY = Actor(user="rig")
ANSWER_S = 120.0
AWAY_S = 0.2
IN_DOUBT = (OrderStatus.PENDING, OrderStatus.UNKNOWN)
Cell = dict[str, Any]


def live(cell: Cell) -> dict[str, int]:
    """All of it; what the executor did, by name. It cares for its own account: others may stand still on their rows."""
    mine = executors.executor(executors.ports(only=cell["account"]))
    measured(mine, [cell])
    patiently(lambda: intend(cell, mine))
    patiently(lambda: working.work_lane(lane_of(cell["account"], cell["pair"]), executor=mine))
    befall(cell)
    patiently(lambda: collect([cell], mine))
    for _ in range(2):
        patiently(lambda: look_now([cell]))
        patiently(lambda: resolving.resolve_due(mine))
        patiently(lambda: cancel([cell], mine))
    return dict(mine.tally.counts())


def intend(cell: Cell, mine: Executor) -> OrderIntent:
    """T0, as a caller does who got no answer: the same again under the same key."""
    recorded = intake.record_intent(
        key=cell["key"],
        account=Account.objects.select_related("exchange").get(pk=cell["account"]),
        pair=TradePair.objects.select_related("exchange").get(pk=cell["pair"]),
        trade=Trade.objects.get(pk=cell["trade"]),
        side=Side(cell.get("side", "sell")),
        type=OrderType.LIMIT,
        amount=Decimal(cell["amount"]),
        price=Decimal(cell["price"]),
        tif=TimeInForce(cell.get("tif", "gtc")),
        purpose=Purpose(cell.get("purpose", "entry")),
        repeats=True,
        max_age_ms=cell.get("max_age_ms", LONG_MS),
        user=None,
        market=mine.market,
    )
    return recorded.intent


def measured(mine: Executor, cells: list[Cell]) -> None:
    """The exchanges' clocks, as every executor measures them before it sends."""
    clocks = mine.ports.remote.clocks  # type: ignore[attr-defined]
    for cell in {each["exchange"]: each for each in cells}.values():
        port = mine.ports.of(cell["account"])
        if not executors.until(lambda: clocks.measure_due() >= 0 and is_sure(port)):  # noqa: B023 (called here)
            raise RuntimeError(f"no clock of {cell['exchange']}: {port.clock_error_ms()}")


def is_sure(port: Port) -> bool:
    error_ms = port.clock_error_ms()
    return error_ms is not None and error_ms <= MAX_ERROR_MS


def befall(cell: Cell) -> None:
    """Somebody takes a part of what rests."""
    if not cell.get("fill"):
        return
    for row in accepted(cell["exchange"], cell["name"]):
        if row["status"] == "open":
            body = {"exchange": cell["exchange"], "account": cell["name"], "order_id": row["order_id"]}
            with suppress(OSError):  # it may have ended meanwhile
                _ask("_sim/fill", {**body, "size": cell["fill"]})


def patiently(turn: Callable[[], Any]) -> Any:
    """What a worker's loop does when the database does not answer, or somebody who stands still holds rows locked: it
    comes again, see False.
    """
    try:
        return turn()
    except (OperationalError, InterfaceError) as error:
        if not (isinstance(error, OperationalError) and is_passing(error)):
            connections.close_all()
            time.sleep(AWAY_S)
        return False


def collect(cells: list[Cell], mine: Executor) -> None:
    """What a collector's sweep does after a gap."""
    for account in {each["account"] for each in cells}:
        with suppress(Retryable):  # the exchange keeps the account away for a while
            sweep.sweep(mine.ports.of(account), {Part.ORDERS, Part.TRADES})


def look_now(cells: list[Cell]) -> None:
    """As if the time of the next look had come, for orders whose fate is known."""
    rows = Order.objects.filter(account__in=[each["account"] for each in cells], next_check_at__isnull=False)
    rows.exclude(status__in=[*FINAL, *IN_DOUBT]).update(next_check_at=Now())


def cancel(cells: list[Cell], mine: Executor) -> None:
    accounts = [each["account"] for each in cells if each.get("cancel")]
    rows = Order.objects.filter(account__in=accounts, intent__isnull=False, cancel_state="NONE")
    for row in rows.exclude(status__in=list(FINAL)):
        cancelling.request_cancel(row, NOBODY)
    for account in accounts:
        cancelling.cancel_due(mine, account_id=account)


def recover(cells: list[Cell], threads: int, seconds: float) -> list[str]:
    """Executors that were started anew, and callers who ask again, until all is over; what is not."""
    ports = executors.ports()
    in_threads([lambda part=part: _take_up(part, ports, seconds) for part in _parts(cells, threads)])
    return unsettled(cells)


def _take_up(cells: list[Cell], ports: Any, seconds: float) -> None:
    mine = executors.executor(ports)
    if not cells:
        return
    measured(mine, cells)
    for cell in cells:
        executors.until(lambda cell=cell: patiently(lambda: intend(cell, mine)), seconds)
    executors.until(lambda: patiently(lambda: _turn(cells, mine)), seconds, every_s=0.25)


def _turn(cells: list[Cell], mine: Executor) -> bool:
    for lane in {lane_of(each["account"], each["pair"]) for each in cells}:
        if OrderIntent.objects.filter(lane=lane, state=IntentState.NEW).exists():
            working.work_lane(lane, executor=mine)
    resolving.resolve_due(mine, 5)
    cancel(cells, mine)
    look_now(cells)
    explain(cells, mine)
    return not unsettled(cells)


def intend_all(cells: list[Cell]) -> int:
    """How many were written and not refused at once."""
    mine = executors.executor()
    return sum(intend(cell, mine).state != IntentState.DONE for cell in cells)


def serve(accounts: list[int], threads: int, seconds: float) -> int:
    """Work as an executor does until nothing of these accounts is left; how many requests left."""
    ports = executors.ports()
    cells = [{"account": number, "exchange": "binance"} for number in accounts]
    sent: list[int] = []

    def work() -> None:
        mine = executors.executor(ports)
        executors.until(lambda: patiently(lambda: measured(mine, cells[:1]) or True))
        number = 0

        def turn() -> bool:
            nonlocal number
            number += working.sweep(executor=mine)
            resolving.resolve_due(mine)
            cancelling.cancel_due(mine)
            explain(cells, mine)
            return not unsettled(cells)

        executors.until(lambda: patiently(turn), seconds, every_s=0.1)
        sent.append(number)

    in_threads([work] * threads)
    return sum(sent)


def unsettled(cells: list[Cell]) -> list[str]:
    """What is not over yet: intents that are not done, orders whose fills are not all told."""
    accounts = [each["account"] for each in cells]
    intents = OrderIntent.objects.filter(account__in=accounts).exclude(state=IntentState.DONE)
    lines = [f"intent {one.intent_key} is {one.state}" for one in intents]
    return lines + [f"order {one} of {one.filled} has fills that nobody told" for one in unexplained(cells)]


def in_doubt(cell: Cell) -> int:
    """How many of its orders wait for a proof, or of its intents for their turn."""
    orders = Order.objects.filter(account=cell["account"], status__in=IN_DOUBT)
    waiting = OrderIntent.objects.filter(account=cell["account"], state__in=(IntentState.NEW, IntentState.SENDING))
    return orders.count() + waiting.count()


def unexplained(cells: list[Cell]) -> list[Order]:
    """Filled further than their fills tell."""
    filled = Order.objects.filter(account__in=[each["account"] for each in cells], filled__gt=0)
    rows = filled.prefetch_related("fills")
    return [one for one in rows if sum((fill.amount for fill in one.fills.all()), Decimal(0)) != one.filled]


def explain(cells: list[Cell], mine: Executor) -> None:
    """Sweep the accounts of orders whose fills nobody told: who died between the two has left them so."""
    collect([{"account": number} for number in {one.account_id for one in unexplained(cells)}], mine)


def accepted(exchange: str, account: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _ask(f"_sim/orders?{urlencode({'exchange': exchange, 'account': account})}")
    return rows


def _parts(cells: list[Cell], number: int) -> list[list[Cell]]:
    return [cells[at::number] for at in range(number)]


def in_threads(jobs: list[Callable[[], None]]) -> None:
    """Raise what the first of them raised."""
    failed: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 (raised below)
            traceback.print_exc()  # at once: the others may run for long
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def _ask(path: str, body: dict[str, Any] | None = None) -> Any:
    address = f"{settings.CT_SIMULATOR_URL}/{path}"
    request = Request(address, None if body is None else json.dumps(body).encode())
    with urlopen(request, timeout=ANSWER_S) as answer:
        return json.loads(answer.read())
