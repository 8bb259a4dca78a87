"""A private request's parameters, as strictly read as Binance reads them."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TypeVar

from apps.feeds.simulator.binance.refusals import RefusalError

T = TypeVar("T")
NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
WHOLE = re.compile(r"[0-9]{1,20}")
CLIENT_ID = {"spot": r"[a-zA-Z0-9-_]{1,36}", "futures": r"[.A-Z:/a-z0-9_-]{1,36}"}
OF_ALL = {"timestamp", "recvWindow", "signature"}
PLACES = 8  # digits after the point that a number of spot may have


class Params:
    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return bool(self._values.get(name))

    def check_known(self, names: Iterable[str]) -> None:
        """Parameters that nobody reads are refused."""
        known = OF_ALL | set(names)
        extra = [name for name in self._values if name not in known]
        if extra:
            sent = len(self._values)
            read = sent - len(extra)
            raise RefusalError(
                -1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
            )

    def text(self, name: str) -> str:
        """Raises when it is missing or empty."""
        value = self._values.get(name, "")
        if not value:
            raise missing(name)
        return value

    def optional(self, name: str) -> str | None:
        return self._values.get(name) or None

    def number(self, name: str) -> Decimal | None:
        value = self.optional(name)
        if value is None:
            return None
        if NUMBER.fullmatch(value) is None:
            raise illegal(name, "^([0-9]{1,20})(\\.[0-9]{1,20})?$")
        number = Decimal(value)
        if -int(number.normalize().as_tuple().exponent) > PLACES:
            raise RefusalError(-1111, f"Parameter '{name}' has too much precision.")
        return number

    def whole(self, name: str, default: int = 0) -> int:
        value = self.optional(name)
        if value is None:
            return default
        if WHOLE.fullmatch(value) is None:
            raise illegal(name, "^[0-9]{1,20}$")
        return int(value)

    def flag(self, name: str) -> bool:
        value = (self.optional(name) or "false").lower()
        if value not in ("true", "false"):
            raise illegal(name, "true|false")
        return value == "true"

    def one_of(self, name: str, table: Mapping[str, T], error: tuple[int, str], default: str | None = None) -> T:
        value = self.optional(name) or default
        if value is None:
            raise missing(name)
        if value not in table:
            raise RefusalError(*error)
        return table[value]

    def client_id(self, name: str, market_type: str) -> str | None:
        value = self.optional(name)
        if value is not None and re.fullmatch(CLIENT_ID[market_type], value) is None:
            if market_type == "futures":
                raise RefusalError(-4015, "Client order id is not valid.")
            raise illegal(name, f"^{CLIENT_ID[market_type]}$")
        return value

    def require(self, *names: str) -> None:
        for name in names:
            self.text(name)

    def forbid(self, *names: str) -> None:
        for name in names:
            if name in self:
                raise RefusalError(-1106, f"Parameter '{name}' sent when not required.")


def missing(name: str) -> RefusalError:
    return RefusalError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal(name: str, legal: str) -> RefusalError:
    return RefusalError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")
