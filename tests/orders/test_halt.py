"""KS1 to KS3: once a halt is committed nothing is sent any more, and what rests is cancelled and confirmed."""

import signal
import time
from random import Random
from typing import Any

import pytest

from apps.feeds.drivers import registry
from apps.feeds.drivers.trading import ExpiryCheck
from apps.feeds.market import MarketType
from apps.feeds.tests.waiting import await_that, timed
from tests.orders import drill, evidence, halts, sales
from tests.orders.invariants import at_most_once, monotone
from tests.orders.rig import Rig
from tests.orders.storm import TIMES

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(1800 * TIMES)]

MARKETS = [(exchange, market) for exchange in drill.EXCHANGES for market in drill.MARKETS]
OF_MARKET, OF_EACH = 13 * TIMES, 6  # accounts, each halted once, and orders of each
WORKERS, CALLERS, EVERY_S = 4, 2, 0.01  # 200 intents a second, where the machine is fast enough
HALT_EVERY_S = 0.07
EXPIRY_MS = 2_000  # what left before the halt may be accepted for so long
PATIENCE_S = 600.0
EXCHANGES = ("binance", "bybit", "okx", "kucoin", "coinex", "htx", "mexc")


def test_nothing_is_accepted_later_than_a_halt_and_one_expiry_whoever_stands_still(rig: Rig):
    """KS1 and KS2 on every market of every exchange: halts at random instants under load. Half of the executors stand
    still at any time; there is no Redis at all, and no Celery.
    """
    by_market = [drill.resting(rig, *where, OF_EACH, OF_MARKET) for where in MARKETS]
    cells = [cell for row in zip(*by_market, strict=True) for cell in row]
    numbers = list(dict.fromkeys(cell["account"] for cell in cells))
    names, markets = {cell["name"] for cell in cells}, {_market(cell) for cell in cells}
    workers = [rig.forks.start(halts.work, accounts=numbers, seconds=PATIENCE_S) for _ in range(WORKERS)]
    with timed() as seconds:
        callers = [rig.forks.start(halts.want, cells=cells[each::CALLERS], every_s=EVERY_S) for each in range(CALLERS)]
        await_that(lambda: {_market(row) for row in rig.exchanges.accepted() if row["account"] in names} == markets)
        pressed = rig.forks.start(halts.press, accounts=numbers, seed=1, every_s=HALT_EVERY_S)
        disturb(workers, until=lambda: pressed.status is not None)
        committed = pressed.result()
        for caller in callers:
            caller.result()
        rate = len(cells) / seconds()
    await_that(lambda: not rig.forks.call(halts.working_still, accounts=numbers), PATIENCE_S)
    for worker in workers:
        worker.kill()
    print(f"{len(numbers)} halts, {rate:.0f} intents/s: {judge(rig, cells, committed)}")


def test_what_rests_at_seven_exchanges_is_cancelled_and_confirmed_by_one_row(rig: Rig):
    """KS3"""
    cells = [cell for exchange in EXCHANGES for cell in resting(rig, rig.accounts(3, exchange), 3)]
    numbers = sorted({cell["account"] for cell in cells})
    rig.forks.call(halts.want, cells=cells, every_s=0.0)
    worker = rig.forks.start(halts.work, accounts=numbers, seconds=PATIENCE_S)
    names = {cell["name"] for cell in cells}
    await_that(lambda: len(open_ones(rig, names)) >= len(cells) / 2, PATIENCE_S)
    try:
        began = time.monotonic()
        rig.forks.call(halts.halt_all, reason="everything")
        await_that(lambda: not rig.forks.call(halts.working_still, accounts=numbers), PATIENCE_S)
        print(f"{len(cells)} orders at {len(EXCHANGES)} exchanges over after {time.monotonic() - began:.1f} s")
        assert open_ones(rig, names) == []
        told = rig.forks.call(halts.verdicts, accounts=numbers)
        assert set(told) == {"confirmed"}
    finally:
        rig.forks.call(halts.resume_all)
        worker.kill()


def judge(rig: Rig, cells: list[dict[str, Any]], committed: dict[str, Any]) -> str:
    """Assert that no account was served later than its halt and one expiry, and some before; what was seen.

    Where a request cannot carry an expiry, one of an executor that stood still comes when it comes: that is cancelled.
    """
    by_name = {cell["name"]: committed[str(cell["account"])] for cell in cells}
    accepted = [row for row in rig.exchanges.accepted() if row["account"] in by_name]
    late = [row for row in accepted if row["ms"] > by_name[row["account"]]["committed_ms"] + EXPIRY_MS]
    known = rig.forks.call(evidence.told, accounts=[int(number) for number in committed])
    denied = [each for each in known["intents"] if each["deny_reason"] == "HALTED"]
    assert [row for row in late if _expires(row)] == []
    assert rig.forks.call(halts.written_later, halts=committed) == []
    assert {row["status"] for row in accepted} <= {"cancelled"}
    assert [*at_most_once(accepted, known), *monotone(known)] == []
    assert accepted
    assert denied
    assert {_market(row) for row in accepted} == {_market(cell) for cell in cells}
    return f"{len(accepted)} orders accepted, {len(denied)} intents denied, {len(late)} came late without an expiry"


def _market(row: dict[str, Any]) -> tuple[str, str]:
    return row["exchange"], row["market_type"]


def _expires(row: dict[str, Any]) -> bool:
    market = MarketType(row["market_type"])
    return registry.trader(row["exchange"]).expiry(market).check is not ExpiryCheck.NONE


def resting(rig: Rig, accounts: list[dict[str, Any]], of_each: int) -> list[dict[str, Any]]:
    """Entries that rest, of different amounts: the same again would be taken for a mistake."""
    price = round(rig.middle(accounts[0]) * 99 / 100)
    cells = []
    for account in accounts:
        for number, cell in enumerate(sales.cells(rig, [account], of_each, f"rest-{account['name']}")):
            more = {"side": "buy", "tif": "gtc", "purpose": "entry", "price": f"{price - number}"}
            cells.append({**cell, **more})
    return cells


def open_ones(rig: Rig, names: set[str]) -> list[dict[str, Any]]:
    return [row for row in rig.exchanges.accepted() if row["account"] in names and row["status"] == "open"]


def disturb(workers: list[Any], until: Any) -> None:
    """Half of the executors stand still at any time, for longer than a request is good, and wake up again."""
    chance = Random(3)
    while not until():
        asleep = [worker for worker in chance.sample(workers, len(workers) // 2) if worker.send(signal.SIGSTOP)]
        time.sleep(chance.uniform(0.2, 3.0))
        for worker in asleep:
            worker.send(signal.SIGCONT)
        time.sleep(0.1)
