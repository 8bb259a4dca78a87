"""What is done to the order of a cell, one step each: by its caller, its executor, its collector, its exchange.

A cell is a dict: account, name, exchange, market_type, symbol, pair, trade (their ids), key, side, amount, price, tif,
purpose, fill (what somebody takes of it while it rests), cancel.
"""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings
from django.db.models.functions import Now

from apps.feeds.errors import Retryable
from apps.feeds.market import Side
from apps.feeds.models import TradePair
from apps.feeds.orders import OrderType, TimeInForce
from apps.trading.collecting import sweep
from apps.trading.collecting.swept import Part
from apps.trading.execution.cancels import cancelling
from apps.trading.execution.entry import intake
from apps.trading.execution.executors.executor import Executor
from apps.trading.execution.gateway.ports import Port
from apps.trading.execution.resolution.resolving import MAX_ERROR_MS
from apps.trading.intent import Purpose
from apps.trading.models import Account, Order, OrderIntent, Trade
from apps.trading.order_state import FINAL
from apps.users.services import Actor
from tests.orders import executors
from tests.orders.endings import IN_DOUBT, unexplained

LONG_MS = 3_600_000
NOBODY = Actor(user="rig")
ANSWER_S = 120.0
Cell = dict[str, Any]
Rows = tuple[Account, TradePair, Trade]


def rows_of(cell: Cell) -> Rows:
    """What an intent names."""
    account = Account.objects.select_related("exchange").get(pk=cell["account"])
    pair = TradePair.objects.select_related("exchange").get(pk=cell["pair"])
    return account, pair, Trade.objects.get(pk=cell["trade"])


def intend(cell: Cell, mine: Executor, known: Rows | None = None) -> OrderIntent:
    """T0, as a caller does who got no answer: the same again under the same key. `known`: as of `rows_of`."""
    account, pair, trade = known or rows_of(cell)
    recorded = intake.record_intent(
        key=cell["key"],
        account=account,
        pair=pair,
        trade=trade,
        side=Side(cell.get("side", "sell")),
        type=OrderType.LIMIT,
        amount=Decimal(cell["amount"]),
        price=Decimal(cell["price"]),
        tif=TimeInForce(cell.get("tif", "gtc")),
        purpose=Purpose(cell.get("purpose", "entry")),
        repeats=True,
        max_age_ms=cell.get("max_age_ms", LONG_MS),
        leverage=1 if cell["market_type"] == "futures" else None,
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


def fault(cell: Cell, op: str, **more: Any) -> None:
    """What befalls the account's next requests, see the simulator's `AccountFaults`."""
    _ask("_sim/account_fault", {"exchange": cell["exchange"], "account": cell["name"], "op": op, **more})


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


def explain(cells: list[Cell], mine: Executor) -> None:
    """Sweep the accounts of orders whose fills nobody told: who died between the two has left them so."""
    collect([{"account": number} for number in {one.account_id for one in unexplained(cells)}], mine)


def accepted(exchange: str, account: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _ask(f"_sim/orders?{urlencode({'exchange': exchange, 'account': account})}")
    return rows


def _ask(path: str, body: dict[str, Any] | None = None) -> Any:
    address = f"{settings.CT_SIMULATOR_URL}/{path}"
    request = Request(address, None if body is None else json.dumps(body).encode())
    with urlopen(request, timeout=ANSWER_S) as answer:
        return json.loads(answer.read())
