"""HTX's errors in their three shapes, and which of them stands for each refusal of the order desk.

Spot names its errors; contracts number them: the older endpoints as `err_code`, those of v5 and of spot's v2 as `code`.
"""

from dataclasses import dataclass
from typing import Any

from apps.feeds.simulator.engine import now_ms
from apps.feeds.simulator.trading.accounts import Order
from apps.feeds.simulator.trading.tickets import Reason


class RefusalError(Exception):
    """A request that is answered with an error. `more` stands beside the code and the text."""

    def __init__(self, code: str | int, message: str, status: int = 200, more: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.more = more or {}

    @property
    def body(self) -> dict[str, Any]:
        if isinstance(self.code, str):
            return {"status": "error", "err-code": self.code, "err-msg": str(self), "data": None, **self.more}
        return {"status": "error", "err_code": self.code, "err_msg": str(self), "ts": now_ms(), **self.more}

    @property
    def coded(self) -> dict[str, Any]:
        """The body as v5 and spot's v2 write it."""
        return {"code": self.code, "message": str(self), "data": None, "ts": now_ms()}


@dataclass(frozen=True, slots=True)
class Words:
    """What one kind of endpoint says of the caller."""

    signature: str | int
    limit: str | int
    parameter: str | int

    def unsigned(self, why: str) -> RefusalError:
        prefix = "Signature not valid: " if isinstance(self.signature, str) else ""
        return RefusalError(self.signature, f"{prefix}{why}")

    def too_much(self) -> RefusalError:
        return RefusalError(self.limit, TOO_MUCH, status=429)

    def illegal(self, name: str) -> RefusalError:
        return RefusalError(self.parameter, f"invalid parameter `{name}`")


TOO_MUCH = "Frequency of requests has exceeded the limit, please try again later"
SPOT = Words("api-signature-not-valid", "base-request-exceed-frequency-limit", "invalid-parameter")
SPOT_V2 = Words(1003, 2003, 2002)
CONTRACTS = Words(403, 1032, 1030)
NO_RECORD = ("base-record-invalid", "record invalid")
NO_MONEY = ("account-frozen-balance-insufficient-error", "trade account balance is not enough")
SPOT_DESK = {
    Reason.UNKNOWN_SYMBOL: ("base-symbol-error", "The symbol is invalid"),
    Reason.MARKET_CLOSED: ("base-symbol-trade-disabled", "Trading is disabled for this symbol"),
    Reason.OFF_TICK: ("order-orderprice-precision-error", "order price precision error"),
    Reason.OFF_LOT: ("order-orderamount-precision-error", "order amount precision error"),
    Reason.TOO_SMALL: ("order-value-min-error", "Order total cannot be lower than: `5`"),
    Reason.INSUFFICIENT_FUNDS: NO_MONEY,
    Reason.DUPLICATE_ID: ("invalid-client-order-id", "Invalid client order id: it is in use"),
    Reason.UNKNOWN_ORDER: NO_RECORD,
    Reason.ALREADY_FINAL: ("order-orderstate-error", "Incorrect order state"),
}
NO_SYMBOL = (1013, "This contract symbol doesnt exist.")
NO_MARGIN = (1047, "Insufficient margin available.")
CONTRACT_DESK = {
    Reason.UNKNOWN_SYMBOL: NO_SYMBOL,
    Reason.MARKET_CLOSED: (1056, "The contract is in settlement."),
    Reason.OFF_TICK: (1038, "The price precision exceeds the limit."),
    Reason.OFF_LOT: (1030, "The volume has to be a whole number."),
    Reason.TOO_SMALL: (1040, "The volume is too small."),
    Reason.INSUFFICIENT_FUNDS: NO_MARGIN,
    Reason.DUPLICATE_ID: (1050, "The client_order_id is in use."),
    Reason.UNKNOWN_ORDER: (1061, "The order does not exist."),
    Reason.ALREADY_FINAL: (1071, "The order has been cancelled."),
    Reason.REDUCE_ONLY: (1048, "Insufficient close amount available."),
    Reason.POSITION_SIDE: (4007, "The position side does not fit the position mode."),
    Reason.LEVERAGE: (1094, "The leverage is not offered."),
}
NOTHING_TO_CANCEL = (1051, "No orders to cancel.")
FILLED_ALREADY = (1063, "The order has been executed.")
TOO_LARGE = (1041, "The order amount exceeds the limit.")
BAD_CLIENT_ID = (1065, "The client_order_id has to be a whole number.")
SPOT_STATES = {"open": 3, "partial": 4, "filled": 6, "cancelled": 7}  # `order-state`; 5: cancelled after a fill


def order_state(order: Order) -> int:
    return 5 if order.status == "cancelled" and order.filled else SPOT_STATES[order.status]
