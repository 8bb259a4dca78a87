"""The countdowns of USD-M: each cancels the account's orders of one symbol, unless it is begun anew or ended."""

from typing import Any

from apps.feeds.simulator.binance.auth import Caller
from apps.feeds.simulator.binance.orders import Orders
from apps.feeds.simulator.trading import dead_men
from apps.feeds.simulator.trading.accounts import Order
from apps.feeds.simulator.trading.desk import Desk


class DeadMan:
    def __init__(self, desk: Desk, orders: Orders) -> None:
        self._desk = desk
        self._orders = orders

    def press(self, caller: Caller) -> dict[str, Any]:
        """Begin to count anew; 0 ends it."""
        symbol = self._orders.symbol(caller)
        caller.params.require("countdownTime")
        countdown_ms = caller.params.whole("countdownTime")

        def ends(order: Order) -> bool:
            return (order.listing.market_type, order.listing.symbol) == ("futures", symbol)

        if countdown_ms:
            dead_men.press(self._desk, caller.account, symbol, countdown_ms / 1000, ends)
        else:
            dead_men.release(caller.account, symbol)
        return {"symbol": symbol, "countdownTime": str(countdown_ms)}
