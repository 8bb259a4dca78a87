"""Cancel-all-after: orders of both markets end when nobody has asked again in time, those of one tag apart."""

import re
from typing import Any

from apps.feeds.simulator.okx import params
from apps.feeds.simulator.okx.auth import Caller
from apps.feeds.simulator.okx.orders import TAG
from apps.feeds.simulator.okx.refusals import bad
from apps.feeds.simulator.trading import dead_men
from apps.feeds.simulator.trading.accounts import Order
from apps.feeds.simulator.trading.desk import Desk

OFF, SHORTEST_S, LONGEST_S = 0, 10, 120


class DeadMan:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def press(self, caller: Caller) -> list[dict[str, Any]]:
        """Begin to wait anew, or never to strike. Without a tag it is for all orders of the account."""
        item = caller.body if isinstance(caller.body, dict) else {}
        told, tag = item.get("timeOut"), params.text(item, "tag", TAG)
        if not isinstance(told, str) or re.fullmatch(r"[0-9]{1,9}", told) is None:
            raise bad("timeOut")
        seconds, now_ms = int(told), self._desk.now_ms()
        if seconds != OFF and not SHORTEST_S <= seconds <= LONGEST_S:
            raise bad("timeOut")
        if seconds == OFF:
            dead_men.release(caller.account, tag)
        else:
            dead_men.press(self._desk, caller.account, tag, seconds, lambda order: _is_of(order, tag))
        due_ms = now_ms + seconds * 1000 if seconds else 0
        return [{"triggerTime": str(due_ms), "tag": tag, "ts": str(now_ms)}]


def _is_of(order: Order, tag: str) -> bool:
    return tag in ("", order.ticket.words["tag"])
