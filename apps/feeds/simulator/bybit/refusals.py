"""Bybit's errors: codes and texts, and which of them stands for each refusal of the order desk."""

from typing import Any

from apps.feeds.simulator.exchange import unix_s
from apps.feeds.simulator.trading.tickets import Reason


class RefusalError(Exception):
    """A request that is answered with a retCode; `headers` tell of a limit."""

    def __init__(self, code: int, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.headers = headers


SPOT = {
    Reason.UNKNOWN_SYMBOL: (10001, "Not supported symbols"),
    Reason.MARKET_CLOSED: (10001, "This trading pair is not open for trading."),
    Reason.OFF_TICK: (170134, "Order price decimal too long."),
    Reason.OFF_LOT: (170137, "Order volume decimal too long."),
    Reason.TOO_SMALL: (170140, "Order value exceeded lower limit."),
    Reason.INSUFFICIENT_FUNDS: (170131, "Insufficient balance."),
    Reason.DUPLICATE_ID: (170141, "Duplicate clientOrderId"),
    Reason.UNKNOWN_ORDER: (170213, "Order does not exist."),
}
FUTURES = {
    Reason.UNKNOWN_SYMBOL: (10001, "params error: symbol invalid"),
    Reason.MARKET_CLOSED: (10001, "The contract is not open for trading."),
    Reason.OFF_TICK: (110003, "Order price exceeds the allowable range."),
    Reason.OFF_LOT: (10001, "params error: Qty invalid"),
    Reason.TOO_SMALL: (110094, "Order notional value below the lower limit"),
    Reason.INSUFFICIENT_FUNDS: (110007, "Available balance is insufficient"),
    Reason.DUPLICATE_ID: (110072, "OrderLinkedID is duplicate"),
    Reason.UNKNOWN_ORDER: (110001, "Order does not exist"),
    Reason.REDUCE_ONLY: (110017, "current position is zero, cannot fix reduce-only order qty"),
    Reason.POSITION_SIDE: (10001, "position idx not match position mode"),
    Reason.LEVERAGE: (110013, "cannot set leverage gt maxLeverage by risk limit"),
}
DESK = {"spot": SPOT, "futures": FUTURES}
# A cancel of what is done: by how it ended.
DONE = {
    "spot": {"filled": (170190, "Order has been filled."), "cancelled": (170142, "Order has been canceled.")},
    "futures": {
        "filled": (110008, "Order has been finished or canceled"),
        "cancelled": (110010, "Order has been canceled"),
    },
}
TOO_MANY = (10006, "Too many visits!")
BAD_KEY = (10003, "API key is invalid.")
BAD_SIGN = (10004, "Error sign, please check your signature generation algorithm.")
BAD_TIME = (10002, "The request time exceeds the time window range.")
NOT_PERMITTED = (10005, "Permission denied, please check your API key permissions.")
BAD_IP = (10010, "Unmatched IP, please check your API key's bound IP addresses.")
SERVER_ERROR = (10016, "Server error.")
SAME_LEVERAGE = (110043, "Set leverage has not been modified")
SAME_MODE = (110025, "Position mode has not been modified")
BUSY_MODE = (110024, "You have an existing position or order, so position mode cannot be switched")
FORBIDDEN = (100028, "The operation is forbidden for unified accounts.")


def refusal(error: tuple[int, str]) -> RefusalError:
    return RefusalError(*error)


def bad(name: str) -> RefusalError:
    """A parameter that is missing, or not what it may be."""
    return RefusalError(10001, f"params error: {name} invalid")


def envelope(code: int, message: str, result: dict[str, Any]) -> dict[str, Any]:
    ms = int(unix_s() * 1000)
    return {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": ms}
