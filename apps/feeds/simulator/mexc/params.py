"""A private request's parameters: text on spot, JSON or text on contracts."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from apps.feeds.simulator.mexc.refusals import BAD_PARAMETER, RefusalError, refusal

T = TypeVar("T")
NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?")
MOST = Decimal(10) ** 12
WHOLE = re.compile(r"[0-9]{1,19}")


class Params:
    def __init__(self, market_type: str, values: Mapping[str, Any]) -> None:
        self._market_type = market_type
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) not in (None, "")

    def wrong(self, name: str) -> RefusalError:
        code, text = BAD_PARAMETER[self._market_type]
        return refusal(self._market_type, (code, f"{text}: {name}"))

    def optional(self, name: str) -> str | None:
        value = self._values.get(name)
        if isinstance(value, list | dict | bool):
            raise self.wrong(name)
        return None if value in (None, "") else str(value)

    def text(self, name: str) -> str:
        """Raises when it is missing or empty."""
        value = self.optional(name)
        if value is None:
            raise self.wrong(name)
        return value

    def number(self, name: str) -> Decimal | None:
        """Never negative."""
        text = self.optional(name)
        if text is None:
            return None
        if NUMBER.fullmatch(text) is None or Decimal(text) > MOST:
            raise self.wrong(name)
        return Decimal(text)

    def need(self, name: str) -> Decimal:
        number = self.number(name)
        if number is None:
            raise self.wrong(name)
        return number

    def whole(self, name: str, default: int = 0) -> int:
        text = self.optional(name)
        if text is None:
            return default
        if WHOLE.fullmatch(text) is None:
            raise self.wrong(name)
        return int(text)

    def rows(self, name: str, default: int, most: int) -> int:
        """How many rows are asked for: at least one, and no more than there may be."""
        count = self.whole(name, default)
        if not count:
            raise self.wrong(name)
        return min(count, most)

    def flag(self, name: str) -> bool:
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise self.wrong(name)
        return value

    def one_of(self, name: str, table: Mapping[Any, T], default: str | None = None) -> T:
        """The table's keys are text."""
        value = self.optional(name) or default
        if value not in table:
            raise self.wrong(name)
        return table[value]
