"""The one big button: orders rest at seven exchanges, then all is halted, within the limits that the exchanges set."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.feeds.tests.waiting import await_that, timed
from tests.orders import attending, halts
from tests.orders.rig import Rig
from tests.orders.test_halt import open_ones, resting

EXCHANGES = ("binance", "bybit", "okx", "kucoin", "coinex", "htx", "mexc")
PATIENCE_S = 300.0
REFUSALS = 1_000  # as many as anybody tries


@dataclass(frozen=True, kw_only=True)
class Pressed:
    seconds: float  # from the halt's commit until all that can be cancelled is over, in moments of this process
    orders: int
    asked: dict[str, int]  # requests of each exchange meanwhile
    broken: bool  # a limit of an exchange
    confirmed: dict[str, int]  # of these orders, by the halt's own list
    remaining: dict[str, int]  # the same of the one account whose cancels are refused
    still_open: int  # at the exchanges

    def __str__(self) -> str:
        told = f"{self.orders} orders at {len(EXCHANGES)} exchanges: over after {self.seconds:.1f} s, {self.confirmed}"
        return f"{told}, remaining {self.remaining}; requests {self.asked}, limits broken: {self.broken}"


def press(rig: Rig, accounts: int, orders: int, ready: Path, settle_s: float = 0.0) -> Pressed:
    """`orders` on each of so many accounts of every exchange, and on one more whose cancels end in errors.

    `settle_s`: until what placing has used up of the limits has come back.
    """
    cells = [cell for exchange in EXCHANGES for cell in resting(rig, rig.accounts(accounts, exchange), orders)]
    stuck = resting(rig, rig.accounts(1, EXCHANGES[0]), orders)
    place(rig, [*cells, *stuck])
    one_each = list({cell["account"]: cell for cell in [*cells, *stuck]}.values())
    worker = rig.forks.start(attending.attend, cells=one_each, seconds=PATIENCE_S, ready=str(ready))
    try:
        await_that(ready.exists, PATIENCE_S)
        time.sleep(settle_s)
        rig.exchanges.fault(EXCHANGES[0], stuck[0]["name"], "error_not_placed", kind="cancel", count=REFUSALS)
        return _halted(rig, cells, stuck)
    finally:
        rig.exchanges.fault(EXCHANGES[0], stuck[0]["name"], "error_not_placed", kind="cancel", count=0)
        await_that(lambda: not rig.forks.call(halts.working_still, accounts=_accounts(stuck)), PATIENCE_S)
        rig.forks.call(halts.resume_all)
        worker.kill()
        worker.wait()


def _halted(rig: Rig, cells: list[dict[str, Any]], stuck: list[dict[str, Any]]) -> Pressed:
    numbers, names = _accounts(cells), {cell["name"] for cell in cells}
    before = rig.exchanges.get("_sim/state")
    with timed() as seconds:
        rig.forks.call(halts.halt_all, reason="everything")
        await_that(lambda: not rig.forks.call(halts.working_still, accounts=numbers), PATIENCE_S)
        took_s = seconds()
    after = rig.exchanges.get("_sim/state")
    return Pressed(
        seconds=took_s,
        orders=len(cells),
        asked={name: after["asked"][name]["rest"] - before["asked"][name]["rest"] for name in EXCHANGES},
        broken=after["breaches"] != before["breaches"],
        confirmed=rig.forks.call(halts.verdicts, accounts=numbers),
        remaining=rig.forks.call(halts.verdicts, accounts=_accounts(stuck)),
        still_open=len(open_ones(rig, names)),
    )


def place(rig: Rig, cells: list[dict[str, Any]]) -> None:
    """All rest, and nothing is in doubt."""
    numbers, names = _accounts(cells), {cell["name"] for cell in cells}
    rig.forks.call(halts.want, cells=cells, every_s=0.0)
    worker = rig.forks.start(halts.work, accounts=numbers, seconds=PATIENCE_S)
    await_that(lambda: len(open_ones(rig, names)) == len(cells), PATIENCE_S)
    await_that(lambda: not rig.forks.call(halts.undecided, accounts=numbers), PATIENCE_S)
    worker.kill()
    worker.wait()


def _accounts(cells: list[dict[str, Any]]) -> list[int]:
    return sorted({cell["account"] for cell in cells})
