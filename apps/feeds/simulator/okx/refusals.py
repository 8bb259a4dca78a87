"""OKX's errors: code, text and HTTP status, and which of them stands for each refusal of the order desk."""

from apps.feeds.simulator.trading.tickets import Reason


class RefusalError(Exception):
    """An answer in the form of OKX's errors; where a request is about orders, the row of one order."""

    def __init__(self, code: str, message: str, *, status: int = 200) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


NO_INSTRUMENT = ("51001", "Instrument ID doesn't exist.")
NO_ORDER = ("51603", "Order does not exist")
CANCEL_UNKNOWN = ("51400", "Cancellation failed as the order has been filled, canceled or does not exist.")
CANCEL_CANCELED = ("51401", "Cancellation failed as the order is already canceled.")
CANCEL_FILLED = ("51402", "Cancellation failed as the order is already completed.")
# Codes the sheet does not name (50036, 50120, 51022, 51169, 59000, 59102) are of OKX's published table.
DESK = {
    Reason.UNKNOWN_SYMBOL: NO_INSTRUMENT,
    Reason.MARKET_CLOSED: ("51022", "Contract suspended."),
    Reason.OFF_TICK: ("51000", "Parameter px error"),
    Reason.OFF_LOT: ("51121", "Order quantity must be a multiple of the lot size."),
    Reason.TOO_SMALL: ("51020", "Your order should meet or exceed the minimum order amount."),
    Reason.INSUFFICIENT_FUNDS: ("51008", "Order failed. Insufficient balance in account."),
    Reason.DUPLICATE_ID: ("51016", "Client order ID already exists."),
    Reason.UNKNOWN_ORDER: NO_ORDER,
    Reason.REDUCE_ONLY: (
        "51169",
        "Order failed because you don't have any positions in this direction for this contract to reduce or close.",
    ),
    Reason.POSITION_SIDE: ("51000", "Parameter posSide error"),
    Reason.LEVERAGE: ("59102", "Leverage exceeds the maximum leverage. Please adjust the leverage."),
}
# What a request without one of its headers is told.
HEADERS = {
    "OK-ACCESS-KEY": "50103",
    "OK-ACCESS-PASSPHRASE": "50104",
    "OK-ACCESS-SIGN": "50106",
    "OK-ACCESS-TIMESTAMP": "50107",
}
BAD_KEY = ("50111", "Invalid OK-ACCESS-KEY")
BAD_PASSPHRASE = ("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.")
BAD_SIGN = ("50113", "Invalid Sign")
BAD_TIMESTAMP = ("50112", "Invalid OK-ACCESS-TIMESTAMP")
EXPIRED = ("50102", "Timestamp request expired")
TOO_LATE = (
    "50036",
    "The expTime can't be earlier than the current system time. Please adjust the expTime and try again.",
)
OTHER_ENVIRONMENT = ("50101", "APIKey does not match current environment.")
BAD_IP = ("50110", "Your IP is not included in your API key's trusted IPs.")
NOT_PERMITTED = ("50120", "This API key doesn't have permission to use this function")
BAD_JSON = ("50002", "JSON syntax error")
TOO_MANY = ("50011", "Too Many Requests")
TOO_MANY_ORDERS = ("50061", "Order rate limit reached. Please try again later.")
UNAVAILABLE = ("50001", "Service temporarily unavailable. Try again later")
TIMED_OUT = ("50004", "API endpoint request timeout (does not indicate success or failure of order)")
BUSY_MODE = ("59000", "Setting failed. Cancel any open orders, close positions, and stop trading bots first.")
MOST_IN_BATCH = ("51111", "Maximum 20 orders can be placed in bulk")


def refusal(error: tuple[str, str], *, status: int = 200) -> RefusalError:
    return RefusalError(*error, status=status)


def bad(name: str) -> RefusalError:
    """A parameter that is missing, or not what it may be."""
    return RefusalError("51000", f"Parameter {name} error")
