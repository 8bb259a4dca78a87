"""KuCoin's unified accounts pass the suite of trading as the classic ones do: the same behaviours, another kind."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from apps.feeds.market import MarketType
from apps.feeds.simulator.server import Simulator
from apps.feeds.tests import trading_declared, trading_stand
from apps.feeds.tests.trading_hand import Hand
from apps.feeds.tests.trading_stand import Stand
from apps.feeds.tests.trading_suite import behaviours

KIND = "unified"  # its one wallet is called so too
# What is not to be had, and why.
NOT_HERE = {
    **dict.fromkeys(trading_declared.TIMERS, "the timer that unified accounts have is not used"),
    "test_a_request_that_comes_too_late_is_refused_and_not_accepted": "no expiry, a signature is old after a while",
    **dict.fromkeys(trading_declared.HEDGED, "neither orders nor positions name their side"),
}

pytestmark = [pytest.mark.conformance, pytest.mark.asyncio(loop_scope="module")]
simulator = pytest_asyncio.fixture(trading_stand.simulator, scope="module", loop_scope="module")


def markets(behaviour: str) -> list[MarketType]:
    """Where it is to be shown."""
    if behaviour in NOT_HERE:
        return []
    return [market for market in MarketType if trading_declared.reason("kucoin", market, behaviour) is None]


globals().update({name: test for name, test in behaviours().items() if markets(name)})


class UnifiedStand(Stand):
    @contextlib.asynccontextmanager
    async def account(self, **more: Any) -> AsyncIterator[Hand]:
        async with super().account(**({"kind": KIND} | more)) as hand:
            assert hand.keys.account == KIND
            yield hand

    def money(self, amount: Decimal) -> dict[str, dict[str, str]]:
        (assets,) = super().money(amount).values()
        return {KIND: assets}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "on" not in metafunc.fixturenames:
        return
    shown_on = markets(metafunc.function.__name__)
    chosen = [pytest.param(("kucoin", market), id=f"kucoin-{market}-{KIND}") for market in shown_on]
    metafunc.parametrize("on", chosen, indirect=True, scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on(request: pytest.FixtureRequest, simulator: Simulator) -> AsyncIterator[Stand]:
    async for usual in trading_stand.on(request, simulator):
        yield UnifiedStand(**{field.name: getattr(usual, field.name) for field in fields(usual)})
