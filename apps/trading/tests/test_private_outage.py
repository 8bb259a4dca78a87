"""D8: fills while the private socket is away are known exactly soon after it is back, or by sweeps alone.

The exchange's time goes on by as much as the outage lasts; nobody waits for it. CT_FAULTS sets the number of rounds.
"""

import os
from pathlib import Path

import pytest

from apps.feeds.market import MarketType, Side
from apps.feeds.orders import OrderStatus
from apps.feeds.tests.waiting import await_that, timed
from apps.trading.collecting.timetable import Times
from apps.trading.tests import listened_seat, remote_seat, true_fills
from apps.trading.tests.listened_seat import listening, placed, read
from apps.trading.tests.remote_seat import Desk

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(listened_seat.on)
SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
ROUNDS = int(os.environ.get("CT_FAULTS", "1"))
BOUND_S = 15.0
FOR_EVER = 1_000_000  # sockets that are hung up on
EVERYWHERE = [
    ("binance", SPOT),
    ("binance", FUTURES),
    ("bybit", FUTURES),
    ("coinex", SPOT),
    ("htx", SPOT),
    ("htx", FUTURES),
    ("hyperliquid", FUTURES),
    ("kucoin", SPOT),
    ("mexc", FUTURES),
    ("okx", FUTURES),
]
OUTAGES_S = (600, 1, 5, 30, 301, 90, 240, 450, 15, 120)
CASES = [
    pytest.param(market, OUTAGES_S[(at + turn) % len(OUTAGES_S)], at % 2 == turn % 2, id=f"{'-'.join(market)}-{turn}")
    for turn in range(ROUNDS)
    for at, market in enumerate(EVERYWHERE)
]


@pytest.mark.parametrize(("on", "outage_s", "swept"), CASES, indirect=["on"])
def test_fills_of_an_outage_are_exact_within_seconds_of_its_end(on: Desk, tmp_path: Path, outage_s: int, swept: bool):
    """`swept`: sweeps go on meanwhile, and so the place from which the last one must look moves."""
    soon = {"orders_s": 0.2, "trades_s": 0.2, "without_socket_s": 0.2} if swept else {}
    with listening(on, tmp_path, **soon) as collector:
        gone = placed(on, on.near(Side.BUY) - on.step_of(on.instrument))  # others are filled before it
        full = placed(on)
        on.fill(full.exchange_order_id, on.part)
        await_that(lambda: not true_fills.amiss(on))
        on.fault("drop_private", count=FOR_EVER)
        await_that(lambda: not collector.is_ready and not on.truth.outbox.heard)
        on.go_on(outage_s / 4)
        on.fill(full.exchange_order_id, on.part)
        on.go_on(outage_s / 2)
        on.fill(full.exchange_order_id, on.amount - 2 * on.part)
        on.fill(gone.exchange_order_id, on.part)
        on.port.cancel(on.ref(gone))
        on.go_on(outage_s * 3 / 4)
        late = placed(on)
        on.fill(late.exchange_order_id, on.part)
        on.go_on(outage_s)
        on.fault("drop_private", count=0)
        with timed() as passed:
            await_that(lambda: not true_fills.amiss(on))
            await_that(lambda: read(gone).status == OrderStatus.CANCELLED)
            assert passed() <= BOUND_S
        await_that(lambda: collector.is_whole)
        on.fill(late.exchange_order_id, on.part)
        await_that(lambda: not true_fills.amiss(on))
    ended = [(row.status, row.alarms) for row in (read(gone), read(full), read(late))]
    assert ended == [(OrderStatus.CANCELLED, ""), (OrderStatus.FILLED, ""), (OrderStatus.PARTIAL, "")]


def test_while_no_socket_opens_fills_are_exact_within_seconds_at_the_pace_of_the_daemon(on: Desk, tmp_path: Path):
    pace = Times()
    with listening(on, tmp_path, trades_s=pace.trades_s, without_socket_s=pace.without_socket_s) as collector:
        on.fault("drop_private", count=FOR_EVER)
        await_that(lambda: not collector.is_ready)
        row = placed(on, on.near(Side.BUY))
        on.fill(row.exchange_order_id, on.part)
        with timed() as passed:
            await_that(lambda: not true_fills.amiss(on))
            assert passed() <= BOUND_S
    on.fault("drop_private", count=0)
