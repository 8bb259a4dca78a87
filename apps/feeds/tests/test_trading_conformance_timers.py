"""What every exchange with a timer of its own has to pass: it ends what nobody looks after, and only that."""

from decimal import Decimal

import pytest
import pytest_asyncio

from apps.feeds.orders import OrderStatus
from apps.feeds.tests import trading_stand
from apps.feeds.tests.trading_feed import FINAL
from apps.feeds.tests.trading_hand import Hand
from apps.feeds.tests.trading_stand import Stand, pytest_generate_tests  # noqa: F401 (pytest finds it here)
from apps.feeds.transport.orders import Purpose

pytestmark = [pytest.mark.conformance, pytest.mark.asyncio(loop_scope="module")]
simulator = pytest_asyncio.fixture(trading_stand.simulator, scope="module", loop_scope="module")
on = pytest_asyncio.fixture(trading_stand.on, scope="module", loop_scope="module")


async def press(on: Stand, hand: Hand, *, arms: bool = True) -> int | None:
    """When it is due, None for never."""
    terms = on.trader.dead_man_terms(hand.keys, on.market)
    assert terms is not None
    timer_ms, now_ms = terms.timer_ms if arms else None, hand.now_ms()
    instrument = on.instrument if terms.by_instrument else None
    request = on.trader.dead_man(hand.keys, on.market, timer_ms, now_ms, instrument)
    assert request is not None
    return await hand.ask(
        request, Purpose.ORDER, lambda answer: on.trader.parse_dead_man(on.market, timer_ms, now_ms, answer)
    )


@pytest.fixture(autouse=True)
def everybody_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hyperliquid has a timer for those only who have traded much."""
    monkeypatch.setattr("apps.feeds.simulator.hyperliquid.dead_man.LEAST_VOLUME", Decimal(0))


async def test_a_timer_that_nobody_begins_anew_ends_what_rests_and_it_is_told(
    on: Stand, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("apps.feeds.simulator.trading.dead_men.PACE", 0.001)
    async with on.account() as anna, anna.listening() as feed:
        _, both = await anna.rest()
        await feed.until_status(both, OrderStatus.OPEN)
        await press(on, anna)
        told = await feed.until_status(both, *FINAL)
        assert (told.status, told.filled) == (OrderStatus.CANCELLED, 0)
        found = await anna.ended(both)
        assert found is None or found.status is OrderStatus.CANCELLED
        assert feed.bad == []


async def test_a_timer_that_is_begun_anew_is_one_timer_and_due_no_sooner(on: Stand):
    async with on.account() as anna:
        first = await press(on, anna)
        [old] = on.truth(anna).switches.values()
        second = await press(on, anna)
        [new] = on.truth(anna).switches.values()
        assert first is not None
        assert second is not None
        assert second >= first
        assert (old.cancelled(), new.cancelled()) == (True, False)
        await press(on, anna, arms=False)


async def test_a_timer_that_is_taken_off_ends_nothing(on: Stand):
    async with on.account() as anna:
        _, both = await anna.rest()
        await press(on, anna)
        assert await press(on, anna, arms=False) is None
        assert on.truth(anna).switches == {}
        assert (await anna.find(both)).status is OrderStatus.OPEN
        assert await press(on, anna, arms=False) is None  # as it was
