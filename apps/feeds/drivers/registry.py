"""The factory of drivers: the one place outside their folders that names exchanges."""

from apps.feeds.drivers.base import Driver
from apps.feeds.drivers.binance.driver import Binance
from apps.feeds.drivers.bybit.driver import Bybit
from apps.feeds.drivers.okx.driver import Okx
from apps.feeds.errors import UnknownExchange

_DRIVERS: dict[str, type[Driver]] = {
    "binance": Binance,
    "bybit": Bybit,
    "okx": Okx,
}


def exchange_ids() -> tuple[str, ...]:
    return tuple(_DRIVERS)


def driver(exchange_id: str) -> Driver:
    """Raise UnknownExchange for a name that is not one of `exchange_ids`."""
    made = _DRIVERS.get(exchange_id.strip().lower())
    if made is None:
        raise UnknownExchange(f"unknown exchange {exchange_id[:40]!r}: one of {', '.join(_DRIVERS)}")
    return made()
