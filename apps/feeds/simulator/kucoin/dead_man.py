"""The dead man's switch of classic spot accounts: their orders end when nobody has pressed it for too long."""

import asyncio
from dataclasses import dataclass
from typing import Any

from apps.feeds.simulator.kucoin.auth import Caller
from apps.feeds.simulator.kucoin.refusals import bad
from apps.feeds.simulator.kucoin.spot_orders import listed
from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.simulator.trading.desk import Desk

SHORTEST_S, LONGEST_S = 5, 86_400
OFF = -1
MOST_SYMBOLS = 50


@dataclass(frozen=True, slots=True)
class Armed:
    timeout_s: int
    symbols: str
    pressed_s: int
    timer: asyncio.TimerHandle


class DeadMan:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._armed: dict[str, Armed] = {}  # by the account's name

    def press(self, caller: Caller) -> dict[str, Any]:
        """Begin to wait anew. Without symbols it is for all of them."""
        timeout_s, symbols = caller.params.signed("timeout"), caller.params.optional("symbols") or ""
        wanted = [listed(self._desk, "spot", symbol) for symbol in symbols.split(",") if symbol]
        if len(wanted) > MOST_SYMBOLS:
            raise bad(f"symbols: at most {MOST_SYMBOLS}")
        if timeout_s != OFF and not SHORTEST_S <= timeout_s <= LONGEST_S:
            raise bad(f"timeout must be {OFF}, or from {SHORTEST_S} to {LONGEST_S}")
        before = self._armed.pop(caller.account.name, None)
        if before is not None:
            before.timer.cancel()
        now_s = self._desk.now_ms() // 1000
        if timeout_s == OFF:
            return {"currentTime": now_s, "triggerTime": 0}
        timer = asyncio.get_running_loop().call_later(timeout_s, self._strike, caller.account, wanted)
        self._armed[caller.account.name] = Armed(timeout_s, symbols, now_s, timer)
        return {"currentTime": now_s, "triggerTime": now_s + timeout_s}

    def query(self, caller: Caller) -> dict[str, Any] | None:
        armed = self._armed.get(caller.account.name)
        if armed is None:
            return None
        return {
            "timeout": armed.timeout_s,
            "symbols": armed.symbols,
            "currentTime": armed.pressed_s,
            "triggerTime": armed.pressed_s + armed.timeout_s,
        }

    def _strike(self, account: Account, symbols: list[str]) -> None:
        del self._armed[account.name]
        wanted: list[str | None] = [*symbols] or [None]
        for symbol in wanted:
            self._desk.cancel_all(account, "spot", symbol)
