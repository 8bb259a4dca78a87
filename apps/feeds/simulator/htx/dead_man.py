"""The dead man's switches of spot and of swaps: each ends the orders of its market."""

from typing import Any

from apps.feeds.simulator.htx.auth import Caller
from apps.feeds.simulator.htx.refusals import CONTRACTS, SPOT_V2
from apps.feeds.simulator.htx.swap_orders import done
from apps.feeds.simulator.trading import dead_men
from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.simulator.trading.desk import Desk

OFF, SHORTEST_S = 0, 5
SWITCHES = {"0": False, "1": True}
DEFAULT_MS = 5_000
MOST_ENDED = {"spot": 500, "futures": None}


class DeadMan:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def press_spot(self, caller: Caller) -> dict[str, Any]:
        """In seconds, 0 takes it off."""
        timeout_s = caller.params.whole("timeout")
        if timeout_s != OFF and timeout_s < SHORTEST_S:
            raise SPOT_V2.illegal("timeout")
        due_ms = self._press(caller.account, "spot", timeout_s)
        told = {"currentTime": str(self._desk.now_ms() // 1000), "triggerTime": str(due_ms // 1000)}
        return {"code": 200, "data": [told], "success": True}

    def press_swap(self, caller: Caller) -> dict[str, Any]:
        """In milliseconds."""
        is_on = caller.params.one_of("on_off", SWITCHES)
        timeout_ms = caller.params.whole("time_out", DEFAULT_MS) if is_on else OFF
        if is_on and timeout_ms < SHORTEST_S * 1000:
            raise CONTRACTS.illegal("time_out")
        due_ms = self._press(caller.account, "futures", timeout_ms / 1000)
        told = {"current_time": str(self._desk.now_ms()), "trigger_time": str(due_ms)}
        return done(self._desk, told)

    def _press(self, account: Account, market_type: str, seconds: float) -> int:
        """When it strikes, 0 for never."""
        if not seconds:
            dead_men.release(account, market_type)
            return 0
        most = MOST_ENDED[market_type]
        dead_men.press(
            self._desk, account, market_type, seconds, lambda order: order.listing.market_type == market_type, most
        )
        return self._desk.now_ms() + round(seconds * 1000)
