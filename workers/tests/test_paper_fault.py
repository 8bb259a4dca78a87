"""A fault of ours while a paper account is matched: it ends that account, and nothing else."""

import asyncio
import contextlib
import math
import threading
from pathlib import Path

import pytest

from apps.feeds.errors import OutcomeUnknown
from apps.feeds.market import Side
from apps.feeds.orders import OrderStatus
from apps.feeds.tests.waiting import until
from apps.trading.execution.runtime import failing
from apps.trading.models import RiskState
from apps.users.models import Alert
from workers.database import Database, DatabaseAwayError
from workers.paper.desk import Desk
from workers.paper.journal import MatcherFailed
from workers.tests.test_paper_desk import ASKS, BIDS, Place, _account, aside, place_of, row

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

NONSENSE = math.nan  # no exchange's frame gets so far: it stands for whatever nobody has thought of


async def _ended(place: Place) -> BaseException | None:
    """What ended the account."""
    assert place.serving is not None
    await asyncio.wait({place.serving}, timeout=60)
    return place.serving.exception()


async def _answers(database: Database) -> None:
    """Wait until it does."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(DatabaseAwayError):
                await database.call(bool)
                return
            await asyncio.sleep(0.01)


def _halted(account_id: int) -> tuple[str, str]:
    state = RiskState.objects.get(scope="account", scope_id=str(account_id))
    return state.state, state.reason


async def test_a_fault_of_one_account_halts_it_and_neither_the_feed_nor_another_account_hears_of_it(tmp_path: Path):
    async with place_of(tmp_path) as place:
        other_id, _ = await aside(_account)
        other = Place(other_id, place.instrument, tmp_path)
        other.desk, other.windows, other.held = place.desk, place.windows, place.held
        other.numbers = iter(range(100, 200))
        await place.open()
        await other.open(resource="account:y")
        place.held.show(BIDS, ASKS)
        rests, _ = await place.place(Side.BUY, "2", "98.5")
        before = failing.counts().get("paper accounts", 0)

        place.held.trade(Side.SELL, NONSENSE, 1.0)

        assert isinstance(await _ended(place), MatcherFailed)
        state, reason = await aside(_halted, place.account_id)
        assert state == "HALTED"
        assert "its matcher failed: InvalidOperation" in reason
        alerts = await aside(lambda: list(Alert.objects.values_list("kind", "scope_id")))
        assert alerts == [("HALTED", str(place.account_id))]
        assert failing.counts()["paper accounts"] == before + 1
        assert place.account_id not in place.desk.ports

        place.held.show(BIDS, ASKS)
        ours, _ = await other.place(Side.BUY, "1")
        assert (await aside(other.port.look_up, other.ref(ours))).status is OrderStatus.FILLED
        assert (await row(rests)).status == "OPEN"
        await other.kill()
        await other.database.close()


async def test_what_was_told_before_a_fault_is_written_and_the_account_goes_on_from_there(tmp_path: Path):
    async with place_of(tmp_path) as place:
        await place.open()
        place.held.show(BIDS, ASKS)
        rests, _ = await place.place(Side.BUY, "2", "98.5")
        place.held.trade(Side.SELL, 98.0, 1.0)
        place.held.trade(Side.SELL, NONSENSE, 1.0)
        assert isinstance(await _ended(place), MatcherFailed)
        assert (await row(rests)).filled == 1
        await place.open()
        await aside(place.port.cancel, place.ref(rests))
        assert (await aside(place.port.look_up, place.ref(rests))).status is OrderStatus.CANCELLED


@pytest.mark.parametrize("latency_ms", [0, 20])
async def test_whoever_asked_hears_that_the_outcome_is_unknown(tmp_path: Path, latency_ms: int):
    async with place_of(tmp_path) as place:
        place.desk = Desk(
            database=place.database,
            windows=place.windows,
            halt_file=place.halt_file,
            need=lambda: place.windows.need(place.desk.keys),
            latency_ms=latency_ms,
        )
        await place.open()
        asked = asyncio.create_task(place.place(Side.BUY, "1"))
        await until(lambda: place.held.key in place.desk.keys)
        place.held.show([(99.0, NONSENSE)], [(101.0, NONSENSE)])
        with pytest.raises(OutcomeUnknown):
            await asked
        assert isinstance(await _ended(place), MatcherFailed)
        assert (await aside(_halted, place.account_id))[0] == "HALTED"


async def test_an_account_that_failed_while_the_database_was_away_is_halted_before_it_is_matched_again(tmp_path: Path):
    async with place_of(tmp_path) as place:
        await place.open()
        place.held.show(BIDS, ASKS)
        await place.place(Side.BUY, "2", "98.5")
        await aside(place.port.balances)
        back = threading.Event()
        try:
            with pytest.raises(DatabaseAwayError):
                await place.database.call(back.wait, timeout_s=0.01)
            place.held.trade(Side.SELL, NONSENSE, 1.0)
            assert isinstance(await _ended(place), DatabaseAwayError)
            assert (await aside(_halted, place.account_id))[0] == "ACTIVE"
        finally:
            back.set()
        await _answers(place.database)
        await place.open()
        assert (await aside(_halted, place.account_id))[0] == "HALTED"
