"""A private request's parameters: text on spot, JSON or text on contracts."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from apps.feeds.simulator.mexc.refusals import BAD_PARAMETER, RefusalError, refusal

T = TypeVar("T")


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
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise self.wrong(name) from None
        if not number.is_finite() or number < 0:
            raise self.wrong(name)
        return number

    def need(self, name: str) -> Decimal:
        number = self.number(name)
        if number is None:
            raise self.wrong(name)
        return number

    def whole(self, name: str, default: int = 0) -> int:
        text = self.optional(name)
        if text is None:
            return default
        if not text.isdecimal():
            raise self.wrong(name)
        return int(text)

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
