"""A private request's parameters: texts in a query; in a body numbers are taken as numbers or as texts."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from apps.feeds.simulator.htx.refusals import Words

T = TypeVar("T")
NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,18})?")
WHOLE = re.compile(r"[0-9]{1,19}")
MOST_VALUE = Decimal(10) ** 15  # money that one order may be worth
SPAN_MS = 172_800_000  # of lists of fills: 48 hours at most


class Params:
    def __init__(self, values: Mapping[str, Any], words: Words, *, body: bool) -> None:
        self._values = values
        self._words = words
        self._body = body

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) not in (None, "")

    def text(self, name: str) -> str:
        """Raises when it is missing, empty or no text."""
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise self._words.illegal(name)
        return value

    def optional(self, name: str) -> str | None:
        return self.text(name) if name in self else None

    def positive(self, name: str) -> Decimal:
        value = self._values.get(name)
        text = str(value) if self._body and type(value) is int else value
        if not isinstance(text, str) or NUMBER.fullmatch(text) is None or not Decimal(text):
            raise self._words.illegal(name)
        return Decimal(text)

    def whole(self, name: str, default: int | None = None) -> int:
        value = self._values.get(name)
        if value is None and default is not None:
            return default
        if self._body and type(value) is int and value >= 0:
            return value
        if not isinstance(value, str) or WHOLE.fullmatch(value) is None:
            raise self._words.illegal(name)
        return int(value)

    def one_of(self, name: str, table: Mapping[str, T], default: str | None = None) -> T:
        value = self.optional(name) or default
        if value is None or value not in table:
            raise self._words.illegal(name)
        return table[value]

    def span(self, first: str, last: str, now_ms: int) -> tuple[int, int]:
        """From when to when a list reaches: the last 48 hours, unless something is said."""
        until = self.whole(last, self.whole(first) + SPAN_MS if first in self else now_ms)
        since = self.whole(first, until - SPAN_MS)
        if not 0 <= until - since <= SPAN_MS:
            raise self._words.illegal(first)
        return since, until

    def cut(self, rows: list[tuple[int, T]], size: str, default: int, most: int) -> list[T]:
        """So many rows of a list with the newest first, from behind the one named by `from`. Rows have their ids."""
        count, after = self.whole(size, default), self.whole("from", 0)
        if not 1 <= count <= most or self.optional("direct") not in (None, "next"):
            raise self._words.illegal(size)
        return [row for id, row in rows if not after or id < after][:count]
