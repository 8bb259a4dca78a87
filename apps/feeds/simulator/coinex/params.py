"""A private request's parameters, as CoinEx wants them written: texts in a query, JSON in a body."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from apps.feeds.simulator.coinex.refusals import BAD_PARAMETER, RefusalError

T = TypeVar("T")
NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")  # plain digits: an exponent is refused
WHOLE = re.compile(r"[0-9]{1,18}")
MOST_VALUE = Decimal(10) ** 15  # money that one order may be worth
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
MARKET_TYPE = {"spot": "SPOT", "futures": "FUTURES"}
PAGE, MOST_PAGE = 10, 100  # rows


class Params:
    def __init__(self, values: Mapping[str, Any], *, body: bool) -> None:
        """`body`: numbers of a JSON body are numbers, those of a query are texts."""
        self._values = values
        self._body = body

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) not in (None, "")

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise illegal(name)
        return value

    def optional(self, name: str) -> str | None:
        return self.text(name) if name in self else None

    def positive(self, name: str) -> Decimal:
        """An amount or a price: a text in bodies too."""
        value = self.text(name)
        if NUMBER.fullmatch(value) is None or not Decimal(value):
            raise illegal(name)
        return Decimal(value)

    def whole(self, name: str, default: int | None = None) -> int:
        value = self._values.get(name)
        if value is None and default is not None:
            return default
        if self._body and type(value) is int and value >= 0:
            return value
        if self._body or not isinstance(value, str) or WHOLE.fullmatch(value) is None:
            raise illegal(name)
        return int(value)

    def flag(self, name: str) -> bool:
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise illegal(name)
        return value

    def one_of(self, name: str, table: Mapping[str, T]) -> T:
        value = self.text(name)
        if value not in table:
            raise illegal(name)
        return table[value]

    def client_id(self) -> str:
        """Empty when none is given."""
        value = self.optional("client_id") or ""
        if value and CLIENT_ID.fullmatch(value) is None:
            raise illegal("client_id")
        return value

    def check_market_type(self, market_type: str) -> None:
        """The market type of the body or query has to be that of the path."""
        if self.text("market_type") != MARKET_TYPE[market_type]:
            raise illegal("market_type")

    def page(self, rows: list[T]) -> tuple[list[T], bool]:
        """The rows of the page that is asked for, and whether there are more."""
        page, limit = self.whole("page", 1), self.whole("limit", PAGE)
        if page < 1 or not 1 <= limit <= MOST_PAGE:
            raise illegal("page")
        return rows[(page - 1) * limit : page * limit], len(rows) > page * limit


def illegal(name: str) -> RefusalError:
    return RefusalError(BAD_PARAMETER[0], f"{BAD_PARAMETER[1]}: {name}")
