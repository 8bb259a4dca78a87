"""KS3, halt by halt: what rests is cancelled and confirmed in time within all limits, what remains is listed, nothing
is accepted that was not under way, and nobody else's order is touched. On every market of every exchange.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.tests.waiting import await_that
from tests.orders import attending, drill, rounds, trials
from tests.orders.rig import Rig, database_of
from tests.orders.storm import TIMES

pytestmark = [pytest.mark.faults, pytest.mark.processes, pytest.mark.mariadb, pytest.mark.timeout(600 * TIMES)]

TRIALS = 200 * TIMES
MARKETS = [(exchange, market) for exchange in drill.EXCHANGES for market in drill.MARKETS]
ROUNDS, PACE_S = 14 * TIMES, 1.0  # so that what an exchange takes in a while is not used up
SLOW, FEW, SLOW_S = "mexc", 6 * TIMES, 3.0  # takes four orders of futures in two seconds
LANES = 8
PATIENCE_S = 540.0 * TIMES
SOON_S = 3.0
MISSED = {
    "cut-off": "was written",
    "cancels": "not over after",
    "others": "of somebody else is cancelled",
}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Exchanges whose limits nobody has used up: other tests send what they like."""
    folder = tmp_path_factory.mktemp("rounds")
    with Rig(folder / "files", database_of(folder), ("tests.orders.attending", "tests.orders.rounds")) as running:
        yield running


def test_each_of_two_hundred_halts_is_carried_out_confirmed_and_listed_as_it_was(fresh: Rig, tmp_path: Path):
    cells = [cell_of(fresh, *each, number) for number, each in enumerate(MARKETS)]
    told, rows = pressed(fresh, cells, tmp_path / "ready", lanes=LANES)
    seen = {count.__name__: count(told, rows) for count in (trials.came_later, trials.turned_away, trials.remained)}
    slowest = max(told, key=lambda trial: trial["took_s"])
    print(f"{len(told)} halts, {len(rows)} orders: {seen}; {slowest['took_s']:.1f} s at {slowest['exchange']}")
    assert trials.wrong(told, rows) == []
    assert sum(bool(trial["resting"]) for trial in told) >= TRIALS
    assert all(seen.values()), seen
    assert fresh.exchanges.get("_sim/state")["breaches"] == {}


@pytest.mark.parametrize("guard", MISSED)
def test_a_guard_of_halts_that_is_taken_out_is_missed(fresh: Rig, tmp_path: Path, guard: str):
    cell = {**cell_of(fresh, "binance", "spot", 0), "rounds": 1, "refused": None}
    told, rows = pressed(fresh, [cell], tmp_path / "ready", without=guard)
    assert any(MISSED[guard] in line for line in trials.wrong(told, rows))


def pressed(
    rig: Rig, cells: list[dict[str, Any]], ready: Path, lanes: int = 1, without: str = ""
) -> tuple[list[rounds.Trial], list[dict[str, Any]]]:
    """The halts of each cell's account, and all that the exchanges have accepted of them."""
    daemon = rig.forks.start(
        attending.attend, cells=cells, seconds=PATIENCE_S, ready=str(ready), lanes=lanes, without=without
    )
    try:
        await_that(ready.exists, PATIENCE_S)
        confirm_s = SOON_S if without else trials.CONFIRMED_S
        told = rig.forks.start(rounds.press, cells=cells, confirm_s=confirm_s).result(PATIENCE_S)
    finally:
        daemon.kill()
        daemon.wait()
    names = {cell["name"] for cell in cells}
    return told, [row for row in rig.exchanges.accepted() if row["account"] in names]


def cell_of(rig: Rig, exchange: str, market: str, number: int) -> dict[str, Any]:
    """Somebody else's order rests on every second account, each exchange's spot or futures; each has its round whose
    cancels end in errors."""
    [cell] = drill.resting(rig, exchange, market, 1)
    often, pace_s = (FEW, SLOW_S) if exchange == SLOW else (ROUNDS, PACE_S)
    more = {"foreign": number % 4 in (0, 3), "refused": number % often}
    return {**cell, "rounds": often, "pace_s": pace_s, **more}
