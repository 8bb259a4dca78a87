"""A private request's parameters, read as strictly as KuCoin reads them; what nobody asks for is passed over."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from apps.feeds.simulator.kucoin.refusals import BAD_CONTENT, bad, refusal

T = TypeVar("T")
NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
WHOLE = re.compile(r"[0-9]{1,20}")
CLIENT_ID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
FLAGS = {"true": True, "false": False}  # in a query


class Params:
    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name: value for name, value in values.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        """Raises when it is missing or empty."""
        value = self.optional(name)
        if not value:
            raise bad(f"{name} can not be empty")
        return value

    def optional(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise bad(f"{name} must be a string")
        return value or None

    def number(self, name: str) -> Decimal | None:
        """A decimal number as text: not as a JSON number."""
        value = self.optional(name)
        if value is None:
            return None
        if NUMBER.fullmatch(value) is None or not Decimal(value):
            raise bad(f"{name} not in the given range!")
        return Decimal(value)

    def whole(self, name: str) -> int | None:
        """A JSON number, or digits."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if type(value) is int and value >= 0:
            return value
        if isinstance(value, str) and WHOLE.fullmatch(value):
            return int(value)
        raise bad(f"{name} must be a whole number")

    def signed(self, name: str) -> int:
        """A JSON number that may be below zero; it must be there."""
        value = self._values.get(name)
        if type(value) is not int:
            raise bad(f"{name} must be a whole number")
        return value

    def flag(self, name: str) -> bool:
        value = self._values.get(name, False)
        if isinstance(value, str) and value in FLAGS:
            return FLAGS[value]
        if not isinstance(value, bool):
            raise bad(f"{name} must be a boolean")
        return value

    def one_of(self, name: str, table: Mapping[str, T], default: str | None = None) -> T:
        value = self.optional(name) or default
        if value is None:
            raise bad(f"{name} can not be empty")
        if value not in table:
            raise bad(f"{name} must be one of {', '.join(table)}")
        return table[value]

    def client_id(self, *, needed: bool = False) -> str:
        """Empty when there is none."""
        value = self.text("clientOid") if needed else self.optional("clientOid") or ""
        if value and CLIENT_ID.fullmatch(value) is None:
            raise bad("clientOid: at most 40 letters, digits, _ and -")
        return value

    def page(self, number: str, most: int, usual: int = 50) -> tuple[int, int]:
        """The page's number from 1, and the rows of a page."""
        size = self.whole("pageSize") or usual
        if size > most:
            raise bad(f"pageSize should not greater than {most}")
        return max(1, self.whole(number) or 1), size


def from_body(body: bytes, content_type: str) -> Params:
    """Of a POST: a JSON object, or nothing."""
    if not body:
        return Params({})
    if content_type != "application/json":
        raise refusal(BAD_CONTENT, 415)
    try:
        values = msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise bad("the body is not JSON") from None
    if not isinstance(values, dict):
        raise bad("the body is not a JSON object")
    return Params(values)
