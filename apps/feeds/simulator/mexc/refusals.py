"""MEXC's refusals: spot by HTTP status and code, contracts by the code of an envelope whose status is 200."""

from typing import Any

from apps.feeds.simulator.trading.tickets import Reason

Error = tuple[int, str]


class RefusalError(Exception):
    """An answer in the form of the market's errors."""

    def __init__(self, body: dict[str, Any], *, status: int, retry_after: int | None = None) -> None:
        super().__init__(body)
        self.body = body
        self.status = status
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}


def refusal(market_type: str, error: Error, *, status: int = 400, retry_after: int | None = None) -> RefusalError:
    """`status` is spot's; contracts are always refused with 200."""
    code, text = error
    if market_type == "spot":
        return RefusalError({"code": code, "msg": text}, status=status, retry_after=retry_after)
    return RefusalError({"success": False, "code": code, "message": text}, status=200)


SPOT_NO_ORDER = (-2013, "Order does not exist.")
SPOT_NOTHING_TO_CANCEL = (-2011, "Unknown order sent.")
SPOT_OVERSOLD = (30005, "Oversold")
SPOT_NOT_BY_API = (10007, "symbol not support api")
DECIMALS = (10096, "Scale of the amount or of the price is wrong")
SPOT = {
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.MARKET_CLOSED: (30016, "Trading disabled"),
    Reason.OFF_TICK: DECIMALS,
    Reason.OFF_LOT: DECIMALS,
    Reason.TOO_SMALL: (30002, "The minimum transaction volume cannot be less than:1USDT"),
    Reason.INSUFFICIENT_FUNDS: (10101, "资金不足"),
    Reason.UNKNOWN_ORDER: SPOT_NO_ORDER,
    Reason.ALREADY_FINAL: SPOT_NOTHING_TO_CANCEL,
}
NO_SUCH_ORDER = (2040, "order not exist")
ORDER_IS_FINAL = (2041, "order state cannot be cancelled")
NO_POSITION = (2009, "Position does not exist or is closed")
CONTRACT_NOT_BY_API = (1002, "Contract not activated")
FUTURES = {
    Reason.UNKNOWN_SYMBOL: (1001, "Contract does not exist"),
    Reason.MARKET_CLOSED: CONTRACT_NOT_BY_API,
    Reason.OFF_TICK: (2015, "Order price precision error"),
    Reason.OFF_LOT: (2011, "Order quantity error"),
    Reason.TOO_SMALL: (2011, "Order quantity error"),
    Reason.INSUFFICIENT_FUNDS: (2005, "Insufficient balance!"),
    Reason.DUPLICATE_ID: (2042, "External order id is duplicated"),
    Reason.UNKNOWN_ORDER: NO_SUCH_ORDER,
    Reason.ALREADY_FINAL: ORDER_IS_FINAL,
    Reason.REDUCE_ONLY: NO_POSITION,
    Reason.LEVERAGE: (600, "Parameter error"),
}
DESK = {"spot": SPOT, "futures": FUTURES}
# who asks
NO_KEY = {"spot": (400, "api key required"), "futures": (401, "Unauthorized")}
UNKNOWN_KEY = {"spot": (10072, "Api key info invalid"), "futures": (402, "Api_key expired or unknown")}
BAD_SIGNATURE = {
    "spot": (700002, "Signature for this request is not valid."),
    "futures": (602, "Signature verification failed"),
}
BAD_TIME = {
    "spot": (700003, "Timestamp for this request is outside of the recvWindow."),
    "futures": (513, "Invalid request: the timestamp is too far from the server's"),
}
BAD_ADDRESS = {"spot": (700006, "IP not in the whitelist"), "futures": (406, "Accessed IP is not in the whitelist")}
LONG_WINDOW = (700005, "recvWindow must less than 60000")
NO_PERMISSION = {
    ("spot", "read"): (700007, "No permission to access the endpoint"),
    ("spot", "trade"): (700007, "No permission to access the endpoint"),
    ("futures", "read"): (701, "No permission to read"),
    ("futures", "trade"): (704, "No permission to trade"),
}
# what is asked
BAD_PARAMETER = {"spot": (33333, "Param error"), "futures": (600, "Parameter error")}
BAD_CLIENT_ID = {
    "spot": (700008, "Illegal characters found in parameter 'newClientOrderId'."),
    "futures": (2030, "External order id is too long"),
}
NO_ORDER_NAMED = (700004, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
TOO_OFTEN = {
    "spot": (429, "Too many requests"),
    "futures": (510, "Requests are too frequent, please try again later"),
}
