"""The dead man's switch of classic spot accounts: their orders end when nobody has pressed it for too long."""

from dataclasses import dataclass
from typing import Any

from apps.feeds.simulator.kucoin.auth import Caller
from apps.feeds.simulator.kucoin.refusals import bad
from apps.feeds.simulator.kucoin.spot_orders import listed
from apps.feeds.simulator.trading import dead_men
from apps.feeds.simulator.trading.accounts import Order
from apps.feeds.simulator.trading.desk import Desk

SHORTEST_S, LONGEST_S = 5, 86_400
OFF = -1
MOST_SYMBOLS = 50
SWITCH = "spot"


@dataclass(frozen=True, slots=True)
class Armed:
    timeout_s: int
    symbols: str
    pressed_s: int


class DeadMan:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._armed: dict[str, Armed] = {}  # last, by the account's name

    def press(self, caller: Caller) -> dict[str, Any]:
        """Begin to wait anew. Without symbols it is for all of them."""
        timeout_s, symbols = caller.params.signed("timeout"), caller.params.optional("symbols") or ""
        wanted = [listed(self._desk, "spot", symbol) for symbol in symbols.split(",") if symbol]
        if len(wanted) > MOST_SYMBOLS:
            raise bad(f"symbols: at most {MOST_SYMBOLS}")
        if timeout_s != OFF and not SHORTEST_S <= timeout_s <= LONGEST_S:
            raise bad(f"timeout must be {OFF}, or from {SHORTEST_S} to {LONGEST_S}")
        now_s = self._desk.now_ms() // 1000
        if timeout_s == OFF:
            dead_men.release(caller.account, SWITCH)
            return {"currentTime": now_s, "triggerTime": 0}

        def ends(order: Order) -> bool:
            return order.listing.market_type == "spot" and (not wanted or order.listing.symbol in wanted)

        dead_men.press(self._desk, caller.account, SWITCH, timeout_s, ends)
        self._armed[caller.account.name] = Armed(timeout_s, symbols, now_s)
        return {"currentTime": now_s, "triggerTime": now_s + timeout_s}

    def query(self, caller: Caller) -> dict[str, Any] | None:
        if SWITCH not in caller.account.switches:
            return None
        armed = self._armed[caller.account.name]
        return {
            "timeout": armed.timeout_s,
            "symbols": armed.symbols,
            "currentTime": armed.pressed_s,
            "triggerTime": armed.pressed_s + armed.timeout_s,
        }
