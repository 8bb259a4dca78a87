"""A daemon whose exchange does not want to be asked for a while."""

from pathlib import Path
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.tests.waiting import until
from apps.feeds.transport.http import AT_ONCE
from workers.tests.daemon import all_live, applied, catalogued, fault, options, running, state, watch

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

BANNED = ["binance:spot:BTC/USDT", "binance:spot:ETH/USDT", "binance:futures:BTC/USDT"]
OTHERS = ["bybit:spot:BTC/USDT", "okx:spot:BTC/USDT"]
BAN_S = 15


async def test_a_banned_daemon_waits_and_then_has_all_its_books_while_the_others_run(
    simulator: Simulator, redis_url: str, tmp_path: Path, settings: Any
):
    settings.REDIS_URL = redis_url
    await watch(*OTHERS, depth=50)
    async with running(options(redis_url=redis_url, simulator_url=simulator.url, data_dir=tmp_path)) as monitor:
        await all_live(monitor, *OTHERS)
        await catalogued()
        asked = simulator.exchanges["binance"].asked
        before = asked["rest"]
        for market in ("spot", "futures"):
            await fault(simulator, "ban", f"binance:{market}:BTC/USDT", symbol=None, seconds=BAN_S, count=1)
        await watch(*BANNED, depth=50)
        await until(lambda: asked["rest"] > before)
        moved = {key: applied(monitor, key) for key in OTHERS}
        await until(lambda: all(applied(monitor, key) >= moved[key] + 20 for key in OTHERS))
        assert asked["rest"] - before <= AT_ONCE
        assert [state(monitor, key) for key in BANNED] == ["SYNCING"] * len(BANNED)
        assert [state(monitor, key) for key in OTHERS] == ["LIVE"] * len(OTHERS)
        await all_live(monitor, *BANNED)
        assert simulator.world.breaches.report() == {}
