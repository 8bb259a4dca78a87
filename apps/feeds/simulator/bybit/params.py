"""Parameters of private requests, as strictly read as Bybit reads them: all numbers are text."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from apps.feeds.simulator.bybit.refusals import bad

T = TypeVar("T")
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
MARKET_TYPES = {"spot": "spot", "linear": "futures", "inverse": "futures"}
WEEK_MS = 7 * 86_400_000


class Params:
    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) not in (None, "")

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise bad(name)
        return value

    def optional(self, name: str) -> str | None:
        return self.text(name) if name in self else None

    def category(self) -> tuple[str, str]:
        """The category, and the market type it is of."""
        category = self.text("category")
        if category not in MARKET_TYPES:
            raise bad("category")
        return category, MARKET_TYPES[category]

    def number(self, name: str) -> Decimal:
        text = self.text(name)
        if NUMBER.fullmatch(text) is None:
            raise bad(name)
        return Decimal(text)

    def one_of(self, name: str, table: Mapping[Any, T], default: Any = None) -> T:
        value = self._values.get(name, default)
        if not isinstance(value, str | bool | int) or value not in table:
            raise bad(name)
        return table[value]

    def client_id(self) -> str:
        text = self.optional("orderLinkId") or ""
        if text and CLIENT_ID.fullmatch(text) is None:
            raise bad("orderLinkId")
        return text

    def whole(self, name: str, default: int) -> int:
        text = self.optional(name) or str(default)
        if not text.isdecimal():
            raise bad(name)
        return int(text)

    def span(self, now_ms: int) -> tuple[int, int]:
        """Seven days at most: the last ones, or those from one end that is given."""
        last = self.whole("endTime", self.whole("startTime", now_ms - WEEK_MS) + WEEK_MS)
        first = self.whole("startTime", last - WEEK_MS)
        if last - first > WEEK_MS:
            raise bad("startTime")
        return first, last

    def page(self, found: list[T], usual: int, most: int) -> tuple[list[T], str]:
        """The rows of this page, and the cursor of the next: empty at the end."""
        limit = self.whole("limit", usual)
        if not 0 < limit <= most:
            raise bad("limit")
        start = self.whole("cursor", 0)
        end = start + limit
        return found[start:end], str(end) if end < len(found) else ""
