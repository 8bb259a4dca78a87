"""CoinEx's errors: code and text in an answer of HTTP 200, and which stands for each refusal of the order desk."""

from typing import Any

from apps.feeds.simulator.trading.tickets import Reason


class RefusalError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


BAD_PARAMETER = (4004, "invalid parameter")
UNKNOWN_MARKET = (3639, "invalid market")
NO_METHOD = (4009, "method not found")
TOO_MUCH = (4213, "rate limit triggered")
BAD_KEY = (4005, "access_id not exists")
BAD_SIGN = (4006, "Signature Incorrect")
NO_SIGN = (4008, "invalid X-COINEX-SIGN")
BAD_ADDRESS = (4007, "IP address is prohibited")
MAY_NOT_READ = (4011, "access is prohibited")
MAY_NOT_TRADE = (4115, "trading is prohibited")
EXPIRED = (4010, "request expired")
NO_ORDER = (3600, "Order not found")
NOT_FILLED_WHOLE = (3621, "The order can't be completely executed and has been canceled")
DESK = {
    Reason.UNKNOWN_SYMBOL: UNKNOWN_MARKET,
    Reason.MARKET_CLOSED: (3157, "Service has been stopped in this market"),
    Reason.OFF_TICK: BAD_PARAMETER,
    Reason.OFF_LOT: BAD_PARAMETER,
    Reason.TOO_SMALL: (3127, "amount is below the minimum"),
    Reason.INSUFFICIENT_FUNDS: (3109, "balance not enough"),
    Reason.WOULD_TAKE: (3622, "This order can't be set as Maker Only and has been canceled"),
    Reason.UNKNOWN_ORDER: NO_ORDER,
    Reason.ALREADY_FINAL: NO_ORDER,
    Reason.REDUCE_ONLY: BAD_PARAMETER,
    Reason.POSITION_SIDE: BAD_PARAMETER,
    Reason.LEVERAGE: BAD_PARAMETER,
}


def envelope(code: int, data: Any, message: str) -> dict[str, Any]:
    return {"code": code, "data": data, "message": message}
