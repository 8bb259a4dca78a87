"""Accounts whose exchange has a timer of its own, and how executors and tests look at it."""

from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds.drivers import registry
from apps.feeds.drivers.trading import DeadManTerms
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.tests.trading_place import FAR, PARTS
from apps.feeds.transport import loop
from apps.feeds.transport.orders import Purpose
from apps.trading.bookkeeping import recording
from apps.trading.execution.controls.dead_men import tend
from apps.trading.models import Account, FillSource, Order
from apps.trading.tests import rows
from apps.trading.tests.remote_seat import Desk, Exchanges, Only

# All orders of the account's market share a timer.
SHARED = {
    "kucoin-spot",
    "okx-spot",
    "okx-futures",
    "htx-spot",
    "htx-futures",
    "hyperliquid-spot",
    "hyperliquid-futures",
}
LEAST_VOLUME = "apps.feeds.simulator.hyperliquid.dead_man.LEAST_VOLUME"  # of who may have a timer there
APART = {"binance-futures"}  # each instrument has its own
KEPT = SHARED | APART  # where the exchange has one that we use
NOT_OFFERED = {
    "binance-spot": "there is none",
    "kucoin-futures": "classic accounts have none",
    **dict.fromkeys(("bybit-spot", "bybit-futures"), "the exchange switches it on by hand, for whom it knows"),
    **dict.fromkeys(("mexc-spot", "mexc-futures", "coinex-spot", "coinex-futures"), "there is none"),
}


def on(
    request: pytest.FixtureRequest, exchanges: Exchanges, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setattr(LEAST_VOLUME, Decimal(0))
    exchange, _, market = request.param.partition("-")
    desk = Desk(exchanges, exchange, MarketType(market), tmp_path)
    enter(desk)
    yield desk
    desk.close()


def enter(on: Desk) -> None:
    """Learn what later requests must name, as for a new key."""
    trader = registry.trader(on.exchange)
    answers = [
        loop.run(on.client.ask(on.exchange, on.name, request, Purpose.READ, lambda answer: answer), 60)
        for request in trader.account_requests(on.keys, on.port.now_ms())
    ]
    if answers:
        on.keys = replace(on.keys, account=trader.parse_account(answers))
        on.port = on.port_by(on.client)


def resting(on: Desk, **values: Any) -> Order:
    row = on.committed(on.intent(**values))
    recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    return row


def resting_elsewhere(on: Desk) -> Order:
    """An entry of the other instrument."""
    step = on.step_of(on.other)
    price = (on.best(Side.BUY, on.other) * FAR[Side.BUY] / step).to_integral_value(ROUND_FLOOR) * step
    trade = rows.trade(on.account, on.other.pair)
    row = on.committed(rows.intent(trade, amount=PARTS * on.part_of(on.other), price=price, state="SENDING", attempt=1))
    recording.record_placed(row.pk, on.port.place(on.new_order(row, instrument=on.other)))
    return row


def end(on: Desk, row: Order, instrument: Instrument) -> None:
    ref = replace(on.ref(row), instrument=instrument)
    on.port.cancel(ref)
    recording.record_update(on.account.pk, instrument, on.port.look_up(ref), FillSource.REST)


def look(on: Desk, **more: Any) -> int:
    return tend(Only(on.port), [on.account.pk], **more)


def deadline(on: Desk) -> int | None:
    return Account.objects.get(pk=on.account.pk).dead_man_ms


def terms(on: Desk) -> DeadManTerms:
    found = on.port.dead_man_terms
    assert found is not None
    return found


def is_armed(on: Desk) -> bool:
    """By what the exchange itself waits for."""
    return bool(on.truth.switches)
